"""What a rehearsal assumes to exist, made for the occasion: without a request, since nobody in the sandbox made it.

What may be done with it is judged as ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.google.principals import service_account as identity
from recording_storage.sandbox.google import pool_settings
from recording_storage.sandbox.google.world import SERVICES, Pool, Provider

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.world import Project, ServiceAccount, World


def project(world: World, project_id: str, number: str, *, services: Iterable[str] = SERVICES) -> Project:
    """Let a project exist, with these services enabled; one that exists stays as it is."""
    return world.find(project_id) or world.add(project_id, number, tuple(services))


def home(email: str) -> str:
    """The id of a service account's project, as far as its address says; of those that Google makes by itself too.

    Source: https://docs.cloud.google.com/iam/docs/service-account-types#default
    """
    account_id, _, domain = email.partition("@")
    if domain == "appspot.gserviceaccount.com":
        return account_id
    if domain == "developer.gserviceaccount.com":
        return f"project-{account_id.partition('-')[0]}"
    return domain.removesuffix(".iam.gserviceaccount.com")


def service_account(world: World, email: str) -> ServiceAccount:
    """Let a service account exist, in a project that exists; one that exists stays as it is."""
    account_id = email.partition("@")[0]
    found = world.service_account(email)
    return found or world.add_service_account(world.project(home(email)), account_id, email)


def acting_as(account: ServiceAccount) -> Principal:
    """A service account as who asks for something."""
    return identity(account.email, account.unique_id)


def pool(world: World, project_id: str, pool_id: str, **said: Any) -> Pool:
    """Let a workload identity pool exist; `said` is named as in the API."""
    owner = world.project(project_id)
    settings = pool_settings.pool(said)
    made = Pool(owner, pool_id, settings, bool(settings.pop("disabled", False)))
    return owner.pools.setdefault(pool_id, made)


def provider(
    of: Pool,
    provider_id: str,
    issuer: str,
    *,
    mapping: Mapping[str, str] | None = None,
    condition: str = "",
    audiences: Iterable[str] = (),
    **said: Any,
) -> Provider:
    """Let an OIDC provider of a pool exist; the mapping is that of the token's subject, unless another is given."""
    settings = pool_settings.provider(
        {
            "oidc": {"issuerUri": issuer, "allowedAudiences": list(audiences)},
            "attributeMapping": dict(mapping or {pool_settings.SUBJECT: "assertion.sub"}),
            "attributeCondition": condition,
            **said,
        }
    )
    made = Provider(of, provider_id, settings, bool(settings.pop("disabled", False)))
    return of.providers.setdefault(provider_id, made)


def deny(project: Project, policy_id: str, *rules: Mapping[str, Any]) -> None:
    """Let a deny policy be attached to a project; `rules` are as the API has them, without `denyRule` around them."""
    attachment = f"cloudresourcemanager.googleapis.com%2Fprojects%2F{project.number}"
    project.deny_policies[policy_id] = {
        "name": f"policies/{attachment}/denypolicies/{policy_id}",
        "kind": "DenyPolicy",
        "rules": [{"denyRule": dict(rule)} for rule in rules],
    }


def allow_again(project: Project, policy_id: str) -> None:
    """Take a deny policy away."""
    del project.deny_policies[policy_id]
