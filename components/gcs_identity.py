"""As whom the recording service writes: workload identity pool, its OIDC provider, and the service account behind it.

A token of the recording service's issuer, with the customer's Workspace ID as its subject, is exchanged at the
provider, and then stands for one principal of the pool, which may impersonate the service account. Left out: what the
service account may do (`gcs`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_gcp as gcp

from components import adoption
from components.gcs_policies import (
    DISPLAY_NAME,
    TRUST_ROLE,
    audiences,
    condition,
    mapping,
    pool_description,
    principal,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.trust import GcsTrust


@dataclass(frozen=True)
class IdentitySettings:
    """What is asked of the trust. `adopted_pool` is the resource name of a pool that exists, with its provider."""

    project: pulumi.Input[str]
    workspace_id: pulumi.Input[str]
    trust: GcsTrust
    pool_id: pulumi.Input[str]
    provider_id: pulumi.Input[str]
    service_account_id: pulumi.Input[str]
    service_account_email: pulumi.Input[str] | None = None
    additional_audiences: Sequence[pulumi.Input[str]] = ()
    existing_pool: bool = False
    adopted_pool: str | None = None


@dataclass(frozen=True)
class Identity:
    """The trust as it is made. `ready` is known once the service can impersonate the service account."""

    pool_name: pulumi.Output[str]
    provider_name: pulumi.Output[str]
    email: pulumi.Output[str]
    ready: pulumi.Output[str]


def make_identity(name: str, settings: IdentitySettings, opts: pulumi.ResourceOptions) -> Identity:
    """The pool (or the given one), the provider in it, the service account (or the given one), and the binding."""
    pool = _pool(name, settings, opts)
    provider = _provider(name, settings, pool, opts)
    member = pulumi.Output.all(pool.name, settings.workspace_id).apply(lambda known: principal(*known))
    if settings.service_account_email is not None:
        email = pulumi.Output.from_input(settings.service_account_email)
        # Beside whoever its owner lets in: the account isn't this destination's own.
        trust: pulumi.CustomResource = gcp.serviceaccount.IAMMember(
            f"{name}-trust",
            service_account_id=pulumi.Output.concat("projects/-/serviceAccounts/", email),
            role=TRUST_ROLE,
            member=member,
            opts=opts,
        )
    else:
        account = gcp.serviceaccount.Account(
            f"{name}-service-account",
            account_id=settings.service_account_id,
            project=settings.project,
            display_name=f"Recordings of {name}",
            description=f"Writes recordings to {name}; the recording service impersonates it",
            disabled=False,
            opts=opts,
        )
        email = account.email
        trust = gcp.serviceaccount.IAMBinding(
            f"{name}-trust",
            service_account_id=account.name,
            role=TRUST_ROLE,
            members=[member],
            opts=opts,
        )
    return Identity(pool.name, provider.name, email, trust.id)


@dataclass(frozen=True)
class _Pool:
    """The pool, whoever made it: its id, and its name with the project's number."""

    id: pulumi.Input[str]
    name: pulumi.Output[str]


def _pool(name: str, settings: IdentitySettings, opts: pulumi.ResourceOptions) -> _Pool:
    if settings.existing_pool:
        found = gcp.iam.get_workload_identity_pool_output(
            workload_identity_pool_id=settings.pool_id,
            project=settings.project,
            opts=pulumi.InvokeOutputOptions(parent=opts.parent, depends_on=opts.depends_on),
        )
        return _Pool(settings.pool_id, found.name)
    made = gcp.iam.WorkloadIdentityPool(
        f"{name}-pool",
        workload_identity_pool_id=settings.pool_id,
        project=settings.project,
        display_name=DISPLAY_NAME,
        description=pool_description(name),
        disabled=False,
        opts=_taken_over(opts, settings.adopted_pool),
    )
    return _Pool(made.workload_identity_pool_id, made.name)


def _provider(
    name: str, settings: IdentitySettings, pool: _Pool, opts: pulumi.ResourceOptions
) -> gcp.iam.WorkloadIdentityPoolProvider:
    adopted = f"{settings.adopted_pool}/providers/{settings.provider_id}" if settings.adopted_pool else None
    return gcp.iam.WorkloadIdentityPoolProvider(
        f"{name}-pool-provider",
        workload_identity_pool_id=pool.id,
        workload_identity_pool_provider_id=settings.provider_id,
        project=settings.project,
        display_name=DISPLAY_NAME,
        disabled=False,
        attribute_mapping=mapping(settings.trust.subject_mapping),
        attribute_condition=pulumi.Output.from_input(settings.workspace_id).apply(condition),
        oidc={"issuer_uri": settings.trust.issuer, "allowed_audiences": _audiences(settings, pool)},
        opts=_taken_over(opts, adopted),
    )


def _audiences(settings: IdentitySettings, pool: _Pool) -> pulumi.Output[list[str]] | None:
    """The audiences that the provider lists; None, where it lists none, is known before the pool is."""
    own, additional = settings.trust.audience, settings.additional_audiences
    if not own and not additional:
        return None
    return pulumi.Output.all(pool.name, settings.provider_id, *additional).apply(
        lambda known: audiences(own, known[2:], known[0], known[1])
    )


def _taken_over(opts: pulumi.ResourceOptions, adopted: str | None) -> pulumi.ResourceOptions:
    if adopted is None:
        return opts
    return pulumi.ResourceOptions(
        parent=opts.parent,
        depends_on=opts.depends_on,
        protect=opts.protect,
        retain_on_delete=True,
        import_=adopted,
        hooks=adoption.unchanged(adopted, "adopt_pool"),
    )
