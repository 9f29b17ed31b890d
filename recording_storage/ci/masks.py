"""Identifiers of accounts and of who is in them, masked in what is shown to more people than may know them.

Two ways at once: by their form (ARNs, account and project numbers, GUIDs, addresses of people and service accounts,
AWS's own ids), and by their values, which the stack's configuration and outputs name. What is public stays: the
recording service's own account and its documented external id. Left out: names of buckets, roles, containers and
storage accounts, without which nobody could tell what is spoken of.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from components.trust import AZURE_BLOB_PROFILE, GCS_PROFILE, S3_PROFILE
from recording_storage.ci.artefacts import Unreadable, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MASK: Final = "•••"
SHORTEST: Final = 3
"""Characters; what is shorter stands in too many words."""

IDENTIFYING: Final = frozenset(
    {
        "account",
        "additional_audiences",
        "additional_external_ids",
        "additional_principals",
        "adopt_application",
        "adopt_credential",
        "application_client_id",
        "application_id",
        "assume_role_arn",
        "client_id",
        "deploy_role",
        "deploy_service_account",
        "external_id",
        "key_vault_key",
        "kms_key_account",
        "kms_key_arn",
        "kms_key_name",
        "permissions_boundary",
        "principal_id",
        "project",
        "project_id",
        "project_number",
        "readers",
        "role_arn",
        "service_account_email",
        "subscription",
        "subscription_id",
        "tenant",
        "tenant_id",
        "workload_identity_provider",
        "workspace_id",
    }
)
"""The settings and outputs whose values identify an account, or who is in it."""
PUBLIC: Final = frozenset(
    str(one.value).casefold()
    for one in S3_PROFILE + GCS_PROFILE + AZURE_BLOB_PROFILE
    if isinstance(one.value, str) and one.value
)
"""What the vendors' own pages say."""

_ARN: Final = re.compile(
    r"\barn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>[^:\s\"',]*)"
    r":(?P<resource>[^\s\"',;)\]}]*)"
)
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_FORMS: Final = (
    re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"),  # GUIDs: tenants, clients, keys
    re.compile(r"(?<=\bprojects/)[^/\s\"',;)]+"),
    re.compile(r"(?<=\bsubscriptions/)[^/\s\"',;)]+"),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
    re.compile(r"\bA(?:BIA|CCA|GPA|IDA|IPA|KIA|NPA|NVA|PKA|ROA|SCA|SIA)[A-Z0-9]{12,}\b"),
    # Accounts and project numbers, also with the hyphens that AWS's console shows
    re.compile(r"(?<![0-9A-Za-z])(?:\d{4}-\d{4}-\d{4}|\d{9,})(?![0-9A-Za-z])"),
)
_OF_OBJECTS: Final = frozenset({"s3"})
"""Services whose ARNs have no account, and name a bucket."""


def masks(*documents: Any) -> Callable[[str], str]:
    """A function that masks text, by form and by the values that `documents` (any JSON) have for what identifies."""
    values = sorted({one for one in _identifying(documents) if _worth(one)}, key=len, reverse=True)
    by_value = (
        re.compile(
            r"(?<![A-Za-z0-9_.-])((?:not-)?)(?:" + "|".join(map(re.escape, values)) + r")(?![A-Za-z0-9_-])",
            re.IGNORECASE,
        )
        if values
        else None
    )

    def mask(text: str) -> str:
        text = _ARN.sub(_masked_arn, text)
        text = _EMAIL.sub(MASK, text)
        if by_value is not None:
            text = by_value.sub(rf"\1{MASK}", text)
        for form in _FORMS:
            text = form.sub(lambda found: found[0] if found[0] in PUBLIC else MASK, text)
        return text

    return mask


def unmasked(text: str) -> str:
    """The text as it is."""
    return text


def _masked_arn(found: re.Match[str]) -> str:
    if found["service"] in _OF_OBJECTS and not found["account"]:
        return found[0]
    kind, slash, _ = found["resource"].partition("/")
    account = found["account"] if found["account"] in PUBLIC else (MASK if found["account"] else "")
    resource = f"{kind}/{MASK}" if slash else (kind if kind == "root" else MASK)
    return f"arn:{found['partition']}:{found['service']}:{found['region']}:{account}:{resource}"


def _worth(value: str) -> bool:
    return len(value) >= SHORTEST and value.casefold() not in PUBLIC


def _identifying(value: Any, *, named: bool = False) -> Iterator[str]:
    """The strings below a name that identifies, at any depth, in JSON within strings too."""
    if isinstance(value, dict):
        for key, below in cast("dict[object, Any]", value).items():
            name = str(key).rpartition(":")[2]
            snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
            yield from _identifying(below, named=named or snake in IDENTIFYING)
    elif isinstance(value, (list, tuple)):
        for below in cast("Iterable[Any]", value):
            yield from _identifying(below, named=named)
    elif isinstance(value, str) and value[:1] in ("{", "["):
        inside = parse(value)
        if not isinstance(inside, Unreadable):
            yield from _identifying(inside, named=named)
    elif isinstance(value, (str, int)) and named and not isinstance(value, bool):
        text = str(value)
        yield text
        # Who is named as group:…@…, user:…@… or serviceAccount:…@… is it without that word too.
        yield from text.split(":")[1:] if text.count(":") == 1 else ()
