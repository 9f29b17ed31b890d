"""What a stack hands to the application: the object for `POST /v2/conversations`, its shape, and its older
flat form.

The contract is the vendor's: https://docs.tavus.io/api-reference/conversations/create-conversation. Every
value in it is a non-secret identifier. Left out: sending the request, and everything else that a conversation
takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from components import aws, azure, gcp
from components.faults import NOT_SET, Breach, Fault, did_you_mean, fault, listed, shown

if TYPE_CHECKING:
    from collections.abc import Collection

RecordingStorage = dict[str, str]
"""`properties.recording_storage`."""

_KEY: Final = "recording_storage"
_HIDDEN: Final = "(not shown)"
_NO_STRING: Final = Breach("a string", "write a string")


@dataclass(frozen=True)
class Field:
    """One field of the object: whether it must be there, and the rules for its value."""

    name: str
    required: bool
    breaches: Callable[[str], tuple[Breach, ...]]


FIELDS: Final[Mapping[str, tuple[Field, ...]]] = {
    "s3": (
        Field("bucket_name", required=True, breaches=aws.bucket_name_breaches),
        Field("bucket_region", required=True, breaches=aws.region_breaches),
        Field("assume_role_arn", required=True, breaches=aws.role_arn_breaches),
        Field("external_id", required=False, breaches=aws.external_id_breaches),
    ),
    "gcs": (
        Field("bucket_name", required=True, breaches=gcp.bucket_name_breaches),
        Field("project_id", required=True, breaches=gcp.project_id_breaches),
        Field("workload_identity_provider", required=True, breaches=gcp.workload_identity_provider_breaches),
        Field("service_account_email", required=True, breaches=gcp.service_account_email_breaches),
    ),
    "azure_blob": (
        Field("storage_account", required=True, breaches=azure.account_name_breaches),
        Field("container", required=True, breaches=azure.container_name_breaches),
        Field("tenant_id", required=True, breaches=azure.uuid_breaches),
        Field("client_id", required=True, breaches=azure.uuid_breaches),
    ),
}
"""Provider → the fields beside `provider`, and no others."""

_SECRETS: Final = (
    ("an AWS access key id", re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("an AWS secret access key", re.compile(r"^(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9/+])[A-Za-z0-9/+]{40}$")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a signed token", re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")),
)


def validate(recording_storage: object) -> list[Fault]:
    """List every way in which the object departs from the contract; none: an empty list.

    Refuses fields that the provider doesn't take, and values that look like a secret, which it doesn't
    repeat.
    """
    if not isinstance(recording_storage, Mapping):
        breach = Breach(
            f"an object with provider and its fields; providers: {listed(FIELDS)}", "give the object"
        )
        return [fault(_KEY, recording_storage, breach)]
    given = cast("Mapping[str, object]", recording_storage)
    secrets = {name: kind for name, value in given.items() if (kind := _secret(value))}
    faults = [
        Fault(f"{_KEY}.{name}", _HIDDEN, "only non-secret identifiers", f"remove it: it looks like {kind}")
        for name, kind in secrets.items()
    ]
    rest = {name: value for name, value in given.items() if name not in secrets}
    provider = given.get("provider")
    if isinstance(provider, str) and provider in FIELDS:
        return faults + _field_faults(provider, rest, set(secrets))
    value = shown(provider) if "provider" in given else NOT_SET
    mend = did_you_mean(str(provider), list(FIELDS), "name one of them")
    return [*faults, Fault(f"{_KEY}.provider", value, f"one of {listed(FIELDS)}", mend)]


def _field_faults(provider: str, given: Mapping[str, object], faulty: Collection[str]) -> list[Fault]:
    """List what is wrong with a provider's fields, those apart that are faulty already."""
    names = [field.name for field in FIELDS[provider]]
    expected = f"a field of {provider}: {listed(names)}"
    faults = [
        fault(f"{_KEY}.{name}", value, Breach(expected, did_you_mean(name, names, "remove it")))
        for name, value in given.items()
        if name not in ("provider", *names)
    ]
    for field in FIELDS[provider]:
        key = f"{_KEY}.{field.name}"
        if field.name in given:
            value = given[field.name]
            broken = field.breaches(value) if isinstance(value, str) else (_NO_STRING,)
            faults += [fault(key, value, one) for one in broken]
        elif field.required and field.name not in faulty:
            faults.append(Fault(key, NOT_SET, "a string", "add it: the API needs it"))
    return faults


def _secret(value: object) -> str | None:
    """Say what kind of secret the value looks like."""
    if not isinstance(value, str):
        return None
    return next((kind for kind, shape in _SECRETS if shape.search(value)), None)


def s3_recording_storage(
    bucket: str, region: str, role_arn: str, external_id: str, default_external_id: str
) -> RecordingStorage:
    """Build the object for an S3 destination.

    `external_id` is what the role's trust expects; it is handed over only where it isn't
    `default_external_id`, what the service sends unasked.
    """
    own = {} if external_id == default_external_id else {"external_id": external_id}
    return {
        "provider": "s3",
        "bucket_name": bucket,
        "bucket_region": region,
        "assume_role_arn": role_arn,
        **own,
    }


def gcs_recording_storage(bucket: str, project: str, provider: str, email: str) -> RecordingStorage:
    """Build the object for a destination on Google Cloud Storage.

    `provider` is the name of the workload identity pool's provider, with the project's number and without a prefix.
    """
    return {
        "provider": "gcs",
        "bucket_name": bucket,
        "project_id": project,
        "workload_identity_provider": provider,
        "service_account_email": email,
    }


def azure_blob_recording_storage(
    account: str, container: str, tenant: str, client_id: str
) -> RecordingStorage:
    """Build the object for a destination on Azure Blob Storage."""
    return {
        "provider": "azure_blob",
        "storage_account": account,
        "container": container,
        "tenant_id": tenant,
        "client_id": client_id,
    }


def conversation_properties(recording_storage: RecordingStorage) -> dict[str, Any]:
    """Build `properties` for a conversation that can be recorded; the front end still has to start the
    recording.
    """
    return {"enable_recording": True, "recording_storage": dict(recording_storage)}


def s3_legacy_properties(recording_storage: RecordingStorage) -> dict[str, Any] | None:
    """Build `properties` in the older flat form, which the vendor keeps for existing integrations.

    None where the destination has an external id of its own: the flat form has no room for it, and the
    service would present its default, which the role refuses.
    """
    if "external_id" in recording_storage:
        return None
    return {
        "enable_recording": True,
        "recording_s3_bucket_name": recording_storage["bucket_name"],
        "recording_s3_bucket_region": recording_storage["bucket_region"],
        "aws_assume_role_arn": recording_storage["assume_role_arn"],
    }
