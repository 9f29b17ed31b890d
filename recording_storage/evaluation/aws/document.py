"""Reads AWS policies: `parse` refuses what AWS refuses to store, and hands the rest on as statements.

Left out: limits on size, and whether an action, key or principal exists.

Sources, under https://docs.aws.amazon.com/IAM/latest/UserGuide/ : reference_policies_grammar.html,
reference_policies_elements_principal.html, reference_policies_elements_notprincipal.html,
reference_policies_elements_resource.html and reference_policies_elements_sid.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, cast

from recording_storage.evaluation.aws.conditions import Condition, MalformedPolicy

Kind: TypeAlias = Literal["identity", "resource", "trust", "key"]


@dataclass(frozen=True)
class Statement:
    """One statement; an element's `not_` says that it lists what is excepted."""

    name: str
    allow: bool
    principals: tuple[tuple[str, str], ...] | None
    not_principals: bool
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...]
    not_resources: bool
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Document:
    """A policy that AWS would have stored."""

    kind: Kind
    variables: bool
    statements: tuple[Statement, ...]


class _Shape(NamedTuple):
    required: tuple[tuple[str, ...], ...]
    prohibited: frozenset[str]


_ACTION, _RESOURCE, _PRINCIPAL = (
    ("Action", "NotAction"),
    ("Resource", "NotResource"),
    ("Principal", "NotPrincipal"),
)
_ATTACHED = _Shape((("Effect",), _PRINCIPAL, _ACTION, _RESOURCE), frozenset())
_SHAPES: Mapping[Kind, _Shape] = {
    "identity": _Shape((("Effect",), _ACTION, _RESOURCE), frozenset({*_PRINCIPAL, "Id"})),
    "resource": _ATTACHED,
    "trust": _Shape((("Effect",), _PRINCIPAL, _ACTION), frozenset({*_RESOURCE, "NotPrincipal"})),
    "key": _ATTACHED,
}
_STORED_BY_IAM: frozenset[Kind] = frozenset({"identity", "trust"})
_POLICY_ELEMENTS = frozenset({"Version", "Id", "Statement"})
_ELEMENTS = frozenset({"Sid", "Effect", "Condition", *_PRINCIPAL, *_ACTION, *_RESOURCE})
_VERSIONS = ("2008-10-17", "2012-10-17")
_AWS_PRINCIPAL = re.compile(
    r"\*|\d{12}"
    r"|arn:aws[a-z-]*:iam::(\d{12}:root|(\d{12}|cloudfront):user/[^*?]+|\d{12}:role/[^*?]+)"
    r"|arn:aws[a-z-]*:sts::\d{12}:(assumed-role/[^*?/]+/[^*?/]+|federated-user/[^*?/]+)"
    r"|A(ID|RO)A[A-Z0-9]{8,}"  # what a policy shows of a user or role that was deleted since
)
_PRINCIPAL_TYPES: Mapping[str, re.Pattern[str]] = {
    "AWS": _AWS_PRINCIPAL,
    "Service": re.compile(r"[^*?]+"),
    "Federated": re.compile(r"[^*?]+"),
    "CanonicalUser": re.compile(r"[^*?]+"),
}
_ACTION_FORM = re.compile(r"\*|[\w*?-]+:\S+")
_RESOURCE_FORM = re.compile(r"\*|arn:[^:]+:[^:*?$]+:.*", re.DOTALL)


def parse(text_or_mapping: str | Mapping[str, object], kind: Kind) -> Document:
    """Read a policy. Raises `MalformedPolicy` where AWS refuses it, `Undecidable` where that isn't known."""
    policy: object = text_or_mapping
    if isinstance(text_or_mapping, str):
        try:
            policy = json.loads(text_or_mapping, object_pairs_hook=_once)
        except ValueError as error:
            raise MalformedPolicy(f"Syntax errors in policy: {error}") from None
    top = _mapping(policy, "The policy")
    _elements(top, "The policy", _POLICY_ELEMENTS, _SHAPES[kind].prohibited)
    version = top.get("Version", _VERSIONS[0])
    if version not in _VERSIONS:
        raise MalformedPolicy(f"Version must be one of {', '.join(_VERSIONS)}, not {version}")
    found = top.get("Statement")
    listed: Sequence[object] = cast("Sequence[object]", found) if isinstance(found, list | tuple) else [found]
    if not found:
        raise MalformedPolicy("The policy has no Statement")
    statements = tuple(_statement(_mapping(one, "Statement"), n, kind) for n, one in enumerate(listed, 1))
    sids = [statement.name for statement in statements]
    if kind in _STORED_BY_IAM and len(set(sids)) < len(sids):
        raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique")
    return Document(kind, version == _VERSIONS[1], statements)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} appears more than once")
    return dict(pairs)


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise MalformedPolicy(f"{what} must be an object")
    return cast("Mapping[str, object]", value)


def _elements(
    found: Mapping[str, object], where: str, known: frozenset[str], prohibited: frozenset[str]
) -> None:
    for name in found:
        if name in prohibited:
            raise MalformedPolicy(f"{where} has prohibited field {name}")
        if name not in known:
            raise MalformedPolicy(f"{where} has unknown field {name}")


def _texts(value: object, what: str) -> tuple[str, ...]:
    listed: Sequence[object] = cast("Sequence[object]", value) if isinstance(value, list | tuple) else [value]
    if not listed:
        raise MalformedPolicy(f"{what} is empty")
    for one in listed:
        if not isinstance(one, str | bool | int | float):
            raise MalformedPolicy(f"{what} must be text or a list of text")
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in listed)


def _statement(found: Mapping[str, object], number: int, kind: Kind) -> Statement:
    where = f"statement {number}"
    shape = _SHAPES[kind]
    _elements(found, where, _ELEMENTS, shape.prohibited)
    for names in shape.required:
        if sum(name in found for name in names) != 1:
            raise MalformedPolicy(f"{where} must have exactly one of: {', '.join(names)}")
    if found["Effect"] not in ("Allow", "Deny"):
        raise MalformedPolicy(f"{where}: Effect must be Allow or Deny, not {found['Effect']}")
    sid = found.get("Sid", "")
    if not isinstance(sid, str) or (kind in _STORED_BY_IAM and not re.fullmatch(r"[A-Za-z0-9]*", sid)):
        raise MalformedPolicy(f"{where}: Statement IDs (SID) must be alpha-numeric")
    allow = found["Effect"] == "Allow"
    if allow and "NotPrincipal" in found:
        raise MalformedPolicy(f"{where}: NotPrincipal must be used with Deny")
    actions = _either(found, _ACTION)
    for action in actions:
        if not _ACTION_FORM.fullmatch(action):
            raise MalformedPolicy(
                f"{where}: Actions/Conditions must be prefaced by a vendor, as in s3:{action}"
            )
        if kind == "trust" and not action.lower().startswith("sts:"):
            raise MalformedPolicy(f"{where}: AssumeRole policy may only specify STS AssumeRole actions")
    resources = _either(found, _RESOURCE)
    for resource in resources:
        if not _RESOURCE_FORM.fullmatch(resource):
            raise MalformedPolicy(f'{where}: Resource {resource} must be in ARN format or "*"')
    conditions = _mapping(found.get("Condition", {}), f"{where}: Condition")
    return Statement(
        name=f'statement "{sid}"' if sid else where,
        allow=allow,
        principals=_principals(found, where),
        not_principals="NotPrincipal" in found,
        actions=actions,
        not_actions="NotAction" in found,
        resources=resources,
        not_resources="NotResource" in found,
        conditions=tuple(
            Condition.read(name, key, _texts(values, f"{where}: {key}"))
            for name, keys in conditions.items()
            for key, values in _mapping(keys, f"{where}: {name}").items()
        ),
    )


def _either(found: Mapping[str, object], names: tuple[str, str]) -> tuple[str, ...]:
    return tuple(text for name in names if name in found for text in _texts(found[name], name))


def _principals(found: Mapping[str, object], where: str) -> tuple[tuple[str, str], ...] | None:
    written = found.get("Principal", found.get("NotPrincipal"))
    if written is None:
        return None
    listed = {"AWS": "*"} if written == "*" else _mapping(written, f"{where}: Principal")
    entries = tuple(
        (kind, text) for kind, texts in listed.items() for text in _texts(texts, f"{where}: {kind}")
    )
    for kind, text in entries:
        if kind not in _PRINCIPAL_TYPES or not _PRINCIPAL_TYPES[kind].fullmatch(text):
            raise MalformedPolicy(f'{where}: Invalid principal in policy: "{kind}":"{text}"')
    if not entries:
        raise MalformedPolicy(f"{where}: Principal is empty")
    return entries
