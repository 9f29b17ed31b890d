"""From a stack's judged settings to its destinations: the only place that turns configuration into arguments.

One builder per provider, imported when a destination needs it: a cloud that isn't used isn't imported. The
providers are made here too, one per account or project, and handed to the components.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi

from components import settings as configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from components.settings import Settings

    Shared = dict[tuple[object, ...], Any]
    """What several destinations have in common: what made it, and for which place → what it made."""

T = TypeVar("T")

STRUCTURED = ("destinations", "tags", "trust_profile")
"""Configuration keys whose values Pulumi hands over as JSON text."""


def read_configuration() -> configuration.Judgement:
    """The stack's configuration, judged whole; raises `ConfigurationError` with every fault."""
    own = configuration.own_keys(pulumi.runtime.get_config_env(), pulumi.get_project())
    given = {key: _from_json(value) if key in STRUCTURED else value for key, value in own.items()}
    return configuration.judge(
        given,
        project=pulumi.get_project(),
        stack=pulumi.get_stack(),
        organization=pulumi.get_organization(),
    )


def build(settings: Settings) -> dict[str, dict[str, Any]]:
    """Register every destination; the outputs of each, by its name. What doesn't exist is no output."""
    shared: Shared = {}
    outputs: dict[str, dict[str, Any]] = {}
    for name, one in settings.destinations.items():
        made = BUILDERS[one.provider](name, settings, shared)
        outputs[name] = {"provider": one.provider, **_set(**made)}
    return outputs


def _from_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _s3(name: str, settings: Settings, shared: Shared) -> Mapping[str, Any]:
    from components.s3 import S3Destination, S3DestinationArgs, aws_provider, reached_account

    one = settings.s3[name]
    provider = _once(shared, aws_provider, one.target_account, one.deploy_role)
    account: pulumi.Input[str] | None = one.target_account
    if account is None and (one.create_kms_key or not (one.bucket_name and one.role_name)):
        account = _once(shared, reached_account, provider)
    args: S3DestinationArgs = {
        "region": one.region,
        "role_path": one.role_path,
        "on_destroy": one.on_destroy,
        "additional_external_ids": one.additional_external_ids,
        "additional_principals": one.additional_principals,
        "readers": one.readers,
        "existing": one.existing,
        "create_kms_key": one.create_kms_key,
        "trust_profile": settings.trust_profile.s3.overrides,
        "tags": dict(settings.tags),
        **_set(  # type: ignore[typeddict-item]
            account_id=account,
            bucket_name=one.bucket_name,
            role_name=one.role_name,
            permissions_boundary=one.permissions_boundary,
            retention_days=one.retention_days,
            external_id=one.external_id,
            kms_key_deletion_days=one.kms_key_deletion_days,
            kms_key_arn=one.kms_key_arn,
            # An import's id must be known before anything is asked of AWS.
            adopt=one.names(settings.scope, name, one.target_account or "").bucket if one.adopt else None,
        ),
    }
    made = S3Destination(name, args, pulumi.ResourceOptions(providers=[provider]))
    return {
        "recording_storage": made.recording_storage,
        "conversation_properties": made.conversation_properties,
        "legacy_conversation_properties": made.legacy_conversation_properties,
        "bucket_name": made.bucket_name,
        "bucket_region": made.bucket_region,
        "bucket_arn": made.bucket_arn,
        "bucket_uri": made.bucket_uri,
        "role_name": made.role_name,
        "role_arn": made.role_arn,
        "kms_key_arn": made.kms_key_arn,
        "kms_key_statements": made.kms_key_statements,
    }


def _gcs(name: str, settings: Settings, shared: Shared) -> Mapping[str, Any]:
    from components import gcp
    from components.gcs import GcsDestination, GcsDestinationArgs, google_provider

    one = settings.gcs[name]
    provider = _once(shared, google_provider, one.project, one.deploy_service_account)
    names = one.names(settings.scope, name)
    args: GcsDestinationArgs = {
        "project": one.project,
        "location": one.location,
        "workspace_id": one.workspace_id,
        "provider_id": one.provider_id,
        "on_destroy": one.on_destroy,
        "allow_overwrite": one.allow_overwrite,
        "additional_audiences": one.additional_audiences,
        "readers": one.readers,
        "existing": one.existing,
        "existing_pool": one.existing_pool,
        "trust_profile": settings.trust_profile.gcs.overrides,
        "labels": dict(settings.tags),
        **_set(  # type: ignore[typeddict-item]
            bucket_name=one.bucket_name,
            pool_id=one.pool_id,
            service_account_id=one.service_account_id,
            service_account_email=one.service_account_email,
            retention_days=one.retention_days,
            kms_key_name=one.kms_key_name,
            adopt=names.bucket if one.adopt else None,
            adopt_pool=gcp.pool_path(one.project, names.pool) if one.adopt_pool else None,
        ),
    }
    made = GcsDestination(name, args, pulumi.ResourceOptions(providers=[provider]))
    return {
        "recording_storage": made.recording_storage,
        "conversation_properties": made.conversation_properties,
        "bucket_name": made.bucket_name,
        "bucket_location": made.bucket_location,
        "bucket_uri": made.bucket_uri,
        "project_id": made.project_id,
        "pool_name": made.pool_name,
        "workload_identity_provider": made.workload_identity_provider,
        "service_account_email": made.service_account_email,
        "kms_key_name": made.kms_key_name,
    }


def _azure_blob(name: str, settings: Settings, shared: Shared) -> Mapping[str, Any]:
    from components.azure_blob import (
        AzureBlobDestination,
        AzureBlobDestinationArgs,
        azure_provider,
        directory_provider,
    )
    from components.azure_blob_settings import APPLICATION

    one = settings.azure_blob[name]
    tenant, subscription = one.tenant.lower(), one.subscription.lower()
    used: list[pulumi.ProviderResource] = [_once(shared, azure_provider, tenant, subscription)]
    if one.identity == APPLICATION:
        used.append(_once(shared, directory_provider, tenant))
    args: AzureBlobDestinationArgs = {
        "tenant": tenant,
        "subscription": subscription,
        "location": one.location,
        "workspace_id": one.workspace_id,
        "container": one.container,
        "existing_resource_group": one.existing_resource_group or one.existing,
        "redundancy": one.redundancy,
        "identity": one.identity,
        "on_destroy": one.on_destroy,
        "readers": one.readers,
        "existing": one.existing,
        "adopt": one.adopt,
        "trust_profile": settings.trust_profile.azure_blob.overrides,
        "tags": dict(settings.tags),
        **_set(  # type: ignore[typeddict-item]
            storage_account=one.storage_account,
            resource_group=one.resource_group,
            identity_name=one.identity_name,
            application_client_id=one.application_client_id,
            adopt_application=one.adopt_application.lower() if one.adopt_application else None,
            adopt_credential=one.adopt_credential.lower() if one.adopt_credential else None,
            retention_days=one.retention_days,
            key_vault_key=one.key_vault_key,
        ),
    }
    made = AzureBlobDestination(name, args, pulumi.ResourceOptions(providers=used))
    return {
        "recording_storage": made.recording_storage,
        "conversation_properties": made.conversation_properties,
        "storage_account": made.storage_account,
        "container": made.container,
        "container_uri": made.container_uri,
        "resource_group": made.resource_group,
        "tenant_id": made.tenant_id,
        "client_id": made.client_id,
        "principal_id": made.principal_id,
        "key_vault_key": made.key_vault_key,
    }


def _once(shared: Shared, make: Callable[..., T], *place: object) -> T:
    """What `make` gives for a place, a provider say, when a destination first needs it."""
    key = (make, *place)
    if key not in shared:
        shared[key] = make(*place)
    return shared[key]


def _set(**optional: object) -> dict[str, object]:
    """Only what is set."""
    return {field: value for field, value in optional.items() if value is not None}


BUILDERS: Mapping[str, Callable[[str, Settings, Shared], Mapping[str, Any]]] = {
    "azure_blob": _azure_blob,
    "gcs": _gcs,
    "s3": _s3,
}
