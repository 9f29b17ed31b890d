"""The rule that what belongs to a destination can be told: what isn't seen to belong, no other rule looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from policy import belonging_azure, belonging_gcp, kinds
from policy.resources import UNKNOWN, NotKnown, Resource
from policy.rules import ADVISORY, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from policy.belonging import View

_MEMBERS: Final = ("member", "members", "policyData")
_LINKS: Final[tuple[tuple[Sequence[str], tuple[str, ...]], ...]] = (
    (kinds.GCP_PROVIDER, ("workloadIdentityPoolId",)),
    (kinds.GCP_ACCOUNT_GRANTS, (*_MEMBERS, "serviceAccountId")),
    (kinds.GCP_BUCKET_GRANTS, (*_MEMBERS, "bucket")),
    (kinds.GCP_WIDE_GRANTS, _MEMBERS),
    (kinds.GCP_KEY, ("serviceAccountId",)),
    (kinds.ENTRA_CREDENTIAL, ("applicationId",)),
    (kinds.AZURE_IDENTITY_CREDENTIAL, ("resourceName",)),
    (kinds.ENTRA_PRINCIPAL, ("clientId",)),
    (kinds.ENTRA_APPLICATION_SECRETS, ("applicationId",)),
    (kinds.ENTRA_PRINCIPAL_SECRETS, ("servicePrincipalId",)),
    (kinds.AZURE_ASSIGNMENT, ("principalId",)),
)
"""A type of resource, and the inputs by which it refers to a destination's others."""


def _doubtful(view: View) -> list[Resource]:
    """What may belong: an issuer that isn't known, or, beside a destination, what is made of nothing in the stack."""
    issuers = [
        one
        for one in (*view.of(kinds.GCP_PROVIDER), *view.of(belonging_azure.CREDENTIALS))
        if not view.is_ours(one) and _issuer(one) is UNKNOWN
    ]
    there = {"gcp": belonging_gcp.providers(view), "azure": belonging_azure.credentials(view)}
    links = [
        one
        for kind, paths in _LINKS
        for one in view.of(kind)
        if not view.is_ours(one)
        and there["gcp" if one.type.startswith("gcp:") else "azure"]
        and any(_is_open(one, path) for path in paths)
    ]
    return list(dict.fromkeys([*issuers, *links]))


def _issuer(one: Resource) -> Any:
    if one.type not in kinds.GCP_PROVIDER:
        return one.inputs.get("issuer")
    oidc = one.inputs.get("oidc")
    return cast("dict[str, Any]", oidc).get("issuerUri") if isinstance(oidc, dict) else oidc


def _is_open(one: Resource, path: str) -> bool:
    """Whether an input isn't known, nor made of anything that the stack has."""
    value = one.inputs.get(path)
    listed = cast("list[Any]", value) if isinstance(value, list) else [value]
    return UNKNOWN in listed and not one.reads.get(path)


def _told(_: View, one: Resource) -> Iterator[str]:
    paths = [path for kind, all_of in _LINKS if one.type in kind for path in all_of if _is_open(one, path)]
    raise NotKnown(one, f"{' and '.join(paths) or 'its issuer'} isn't known yet, nor whether a destination's")
    yield  # a generator, as every rule is


RULES: Final = (
    Rule(
        "P2",
        "what-belongs-is-known",
        "what belongs to a destination can be told",
        "issuers, and references between resources, that aren't known in a preview",
        _doubtful,
        _told,
        "https://www.pulumi.com/docs/iac/concepts/inputs-outputs/",
        ADVISORY,
    ),
)
