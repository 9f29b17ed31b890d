"""From a stack's judged settings to its destinations: the only place that turns configuration into arguments.

One builder per provider, imported when a destination needs it: a cloud that isn't used isn't imported. The
providers are made here too, one per account, and handed to the components.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pulumi

from components import settings as configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from components.settings import Destination, Settings

    Outputs = dict[str, Any]

STRUCTURED = ("destinations", "tags", "trust_profile")
"""Configuration keys whose values Pulumi hands over as JSON text."""


def read_configuration() -> configuration.Judgement:
    """The stack's configuration, judged whole; raises `ConfigurationError` with every fault."""
    prefix = f"{pulumi.get_project()}:"
    given = {
        key.removeprefix(prefix): value
        for key, value in pulumi.runtime.get_config_env().items()
        if key.startswith(prefix)
    }
    for key in STRUCTURED:
        if key in given:
            given[key] = _from_json(given[key])
    return configuration.judge(
        given,
        project=pulumi.get_project(),
        stack=pulumi.get_stack(),
        organization=pulumi.get_organization(),
    )


def build(settings: Settings) -> dict[str, Outputs]:
    """Register every destination; the outputs of each, by its name."""
    providers: dict[tuple[str | None, ...], pulumi.ProviderResource] = {}
    return {
        name: BUILDERS[destination.provider](name, destination, settings, providers)
        for name, destination in settings.destinations.items()
    }


def _from_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _s3(
    name: str,
    destination: Destination,
    settings: Settings,
    providers: dict[tuple[str | None, ...], pulumi.ProviderResource],
) -> Outputs:
    from components.s3 import S3Destination, S3DestinationArgs, aws_provider

    key = ("aws", destination.target_account, destination.deploy_role)
    if key not in providers:
        providers[key] = aws_provider(destination.target_account, destination.deploy_role)
    optional = {
        "account_id": destination.target_account,
        "bucket_name": destination.bucket_name,
        "role_name": destination.role_name,
        "permissions_boundary": destination.permissions_boundary,
        "retention_days": destination.retention_days,
        "external_id": destination.external_id,
        "kms_key_deletion_days": destination.kms_key_deletion_days,
        "kms_key_arn": destination.kms_key_arn,
        "adopt": _adopted(name, destination, settings),
    }
    args: S3DestinationArgs = {
        "region": destination.region,
        "role_path": destination.role_path,
        "on_destroy": destination.on_destroy,
        "additional_external_ids": destination.additional_external_ids,
        "additional_principals": destination.additional_principals,
        "readers": destination.readers,
        "existing": destination.existing,
        "create_kms_key": destination.create_kms_key,
        "trust_profile": settings.trust_profile.s3.overrides,
        "tags": dict(settings.tags),
        **{field: value for field, value in optional.items() if value is not None},  # type: ignore[typeddict-item]
    }
    made = S3Destination(name, args, pulumi.ResourceOptions(providers=[providers[key]]))
    found = {
        "provider": destination.provider,
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
    return {output: value for output, value in found.items() if value is not None}


def _adopted(name: str, destination: Destination, settings: Settings) -> str | None:
    """The name of the bucket that is taken over; an import's id must be known before anything is asked of AWS."""
    if not destination.adopt:
        return None
    return destination.names(settings.scope, name, destination.target_account or "").bucket


BUILDERS: Mapping[
    str,
    Callable[[str, Destination, Settings, dict[tuple[str | None, ...], pulumi.ProviderResource]], Outputs],
] = {"s3": _s3}
