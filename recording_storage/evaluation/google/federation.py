"""Whom a token stands for in a workload identity pool: a provider's attribute mapping and its condition, evaluated.

Sources: https://docs.cloud.google.com/iam/docs/workload-identity-federation#mapping (mapping, condition, limits) and
https://docs.cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token (texts). Leaves out whether the token is to
be believed at all: its signature, times, issuer and audience.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.google import Undecidable, cel
from recording_storage.evaluation.google.principals import Principal, federated

if TYPE_CHECKING:
    from collections.abc import Mapping

SUBJECT, GROUPS = "google.subject", "google.groups"
SUBJECT_BYTES = 127
ATTRIBUTES_BYTES = 8192


class NotLetIn(Exception):  # noqa: N818 (an answer, not an error)
    """The provider doesn't let the token's holder in: OAuth's code for it, Google's words, and why."""

    def __init__(self, error: str, description: str, because: str = "") -> None:
        super().__init__(because or description)
        self.error = error
        self.description = description
        self.because = because or description


def default_audiences(provider: str) -> list[str]:
    """What a token's audience must be where the provider, of this full name (`//iam…`), says nothing."""
    return [f"https:{provider}", provider]


def identify(pool: str, mapping: Mapping[str, str], condition: str, claims: Mapping[str, Any]) -> Principal:
    """Whom a token with these claims stands for in `pool`; raises `NotLetIn`, and `Undecidable`."""
    google, attributes = mapped(mapping, claims)
    if "subject" not in google:
        raise Undecidable(f"the provider maps nothing to {SUBJECT}")
    if condition:
        values = {"assertion": dict(claims), "google": google, "attribute": attributes}
        _check_condition(condition, values, google["subject"])
    return federated(pool, google["subject"], attributes, tuple(google.get("groups", ())))


def mapped(mapping: Mapping[str, str], claims: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What a mapping makes of a token's claims: Google's own attributes, and the custom ones."""
    google: dict[str, Any] = {}
    attributes: dict[str, str] = {}
    for key, expression in mapping.items():
        value = _mapped(key, expression, claims)
        if key == SUBJECT:
            google["subject"] = _subject(expression, value)
        elif key == GROUPS:
            google["groups"] = _groups(value)
        elif isinstance(value, str):
            attributes[key.removeprefix("attribute.")] = value
        else:
            raise Undecidable(f"the mapping of {key}, whose value {value!r} isn't text")
    size = sum(len(str(value).encode()) for value in (*google.values(), *attributes.values()))
    if size > ATTRIBUTES_BYTES:
        raise NotLetIn(
            "invalid_request", f"The size of the mapped attributes exceeds {ATTRIBUTES_BYTES} bytes."
        )
    return google, attributes


def _mapped(key: str, expression: str, claims: Mapping[str, Any]) -> Any:
    try:
        return cel.evaluate(expression, {"assertion": dict(claims)})
    except cel.CelFailure as failure:
        raise NotLetIn(
            "invalid_grant",
            f"Could not evaluate the mapping of {key} for the given credential.",
            because=f"the mapping {key}={expression} can't be evaluated: {failure}",
        ) from None


def _subject(expression: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise NotLetIn(
            "invalid_grant",
            "Could not obtain a value for google.subject from the given credential.",
            because=f"the mapping google.subject={expression} gives {value!r}",
        )
    if len(value.encode()) > SUBJECT_BYTES:
        raise NotLetIn(
            "invalid_request",
            "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute "
            "mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.",
            because=f"google.subject has {len(value.encode())} bytes, {SUBJECT_BYTES} are allowed: {value}",
        )
    return value


def _groups(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):  # pyright: ignore[reportUnknownVariableType]
        raise Undecidable(f"the mapping of google.groups, whose value {value!r} isn't a list of text")
    return value  # pyright: ignore[reportUnknownVariableType]


def _check_condition(condition: str, values: dict[str, Any], subject: str) -> None:
    try:
        holds = cel.evaluate(condition, values)
        because = f'the condition {condition} is {str(holds).lower()} for the subject "{subject}"'
    except cel.CelFailure as failure:
        holds, because = False, f'the condition {condition} fails for the subject "{subject}": {failure}'
    if holds is not True:
        text = "The given credential is rejected by the attribute condition."
        raise NotLetIn("unauthorized_client", text, because=because)
