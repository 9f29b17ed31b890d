"""What is to be verified: a destination as the application has it, and what is known of it beside."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 (pydantic reads it when it runs)
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from components.trust import (
    AzureBlobTrust,
    GcsTrust,
    S3Trust,
    effective_azure_blob,
    effective_gcs,
    effective_s3,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from components.settings import Settings


@dataclass(frozen=True)
class Known:
    """What `recording_storage` doesn't say. Unset, it is found out where it can be.

    `workspace_id`: the customer's with the service, the subject of its tokens. The trust profiles: what the service
    presents. `principals`, `external_ids`: on S3, who and what is accepted beside the service's own, on purpose.
    `audiences`: likewise on Google. `kms_key`: the key that the storage shall encrypt with. `deploy_role`,
    `deploy_service_account`: as whom to read, where the caller doesn't read as itself. `subscription`: where the Azure
    storage account is.
    """

    workspace_id: str = ""
    s3_trust: S3Trust = field(default_factory=lambda: effective_s3({}))
    gcs_trust: GcsTrust = field(default_factory=lambda: effective_gcs({}))
    azure_blob_trust: AzureBlobTrust = field(default_factory=lambda: effective_azure_blob({}))
    principals: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    kms_key: str = ""
    deploy_role: str = ""
    deploy_service_account: str = ""
    subscription: str = ""


@dataclass(frozen=True)
class Target:
    """One destination. `name` is what results call it; `recording_storage` is the object from the API.

    `conversation`: the request for a conversation in which it was found, where it was found in one.
    """

    name: str
    recording_storage: Mapping[str, str]
    known: Known = field(default_factory=Known)
    conversation: Mapping[str, Any] | None = None

    @property
    def provider(self) -> str:
        """As the API names it."""
        return self.recording_storage["provider"]


def known_of(settings: Settings, name: str) -> Known:
    """What a stack's configuration says of one of its destinations."""
    one = settings.destinations[name]

    def said(key: str) -> Any:
        return getattr(one, key, None)

    return Known(
        workspace_id=said("workspace_id") or "",
        s3_trust=settings.s3_trust,
        gcs_trust=settings.gcs_trust,
        azure_blob_trust=settings.azure_blob_trust,
        principals=said("additional_principals") or (),
        external_ids=said("additional_external_ids") or (),
        audiences=said("additional_audiences") or (),
        kms_key=said("kms_key_arn") or said("kms_key_name") or said("key_vault_key") or "",
        deploy_role=said("deploy_role") or "",
        deploy_service_account=said("deploy_service_account") or "",
        subscription=said("subscription") or "",
    )


def with_options(targets: Iterable[Target], **options: Any) -> list[Target]:
    """The targets with what somebody says of all of them; what isn't said (None) stays as it is."""
    said = {
        name: tuple(cast("list[str]", value)) if isinstance(value, list) else value
        for name, value in options.items()
        if value is not None
    }
    return [replace(target, known=replace(target.known, **said)) for target in targets]
