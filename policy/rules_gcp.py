"""The rules for Google Cloud Storage: the provider, whom its tokens become, what that may do, and the bucket.

Conditions are evaluated as Google does it, by the evaluator that the stand-in and `verify` decide with. Left out:
organisation policies, deny policies, and what custom roles permit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from components import gcp
from components.faults import shown
from components.gcs_policies import OVERWRITER_ROLE, READER_ROLE, WRITER_ROLE
from policy import kinds
from policy.belonging_gcp import (
    PUBLIC,
    bucket_grants,
    buckets,
    grants,
    is_services,
    names,
    providers,
    trusts,
    writers,
)
from policy.resources import UNKNOWN, NotKnown, Resource
from policy.rules import Rule
from recording_storage.evaluation.google import Undecidable, cel
from recording_storage.evaluation.google.federation import NotLetIn, identify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from policy.belonging import View

_IAM: Final = "https://docs.cloud.google.com/iam/docs"
_STORAGE: Final = "https://docs.cloud.google.com/storage/docs"
_FOREIGN: Final = "a-workspace-that-is-not-yours"
_DEFAULT_MAPPING: Final = "google.subject"
_LITERAL: Final = re.compile(r"""\"([^\"]*)\"|'([^']*)'""")
_MAPPING_NAMES: Final = frozenset({"assertion"})
_CONDITION_NAMES: Final = frozenset({"assertion", "google", "attribute"})
NARROW_ROLES: Final = (WRITER_ROLE, OVERWRITER_ROLE, READER_ROLE)
"""What the writer may hold on its bucket: https://docs.cloud.google.com/storage/docs/access-control/iam-roles"""
_PUBLIC_ACL: Final = re.compile(r"(publicRead|publicReadWrite|authenticatedRead)")


# --- the provider ------------------------------------------------------------------------------------------


def _audience(view: View, provider: Resource) -> Iterator[str]:
    own = view.settings.gcs.audience
    listed = provider.value("oidc", "allowedAudiences", otherwise=[])
    if not listed:
        if own:
            yield f"oidc.allowed_audiences lists nothing: write [{shown(own)}]"
        return
    if own:
        if own not in listed:
            yield f"oidc.allowed_audiences lacks the recording service's: add {shown(own)}"
        return
    pool, id_ = provider.value("workloadIdentityPoolId"), provider.value("workloadIdentityPoolProviderId")
    full = re.compile(
        rf"({'|'.join(map(re.escape, gcp.RESOURCE_PREFIXES))})projects/[0-9]+/locations/global/"
        rf"workloadIdentityPools/{re.escape(str(pool))}/providers/{re.escape(str(id_))}"
    )
    if not any(full.fullmatch(one) for one in listed):
        yield (
            "oidc.allowed_audiences lacks the provider's own full name, which the recording service presents: add "
            f'"https://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/{pool}/providers/{id_}"'
            ", or remove allowed_audiences"
        )


def _condition(view: View, provider: Resource) -> Iterator[str]:
    mend = """write attribute_condition='google.subject == "YOUR WORKSPACE ID"'"""
    condition = provider.value("attributeCondition", otherwise="")
    mapping: Mapping[str, str] = provider.value("attributeMapping", otherwise={})
    if not condition.strip():
        yield f"it has no condition, so that it is open to every tenant of its issuer: {mend}"
        return
    if _DEFAULT_MAPPING not in mapping:
        yield (
            f"attribute_mapping has no {_DEFAULT_MAPPING}: write "
            f'{{"{_DEFAULT_MAPPING}": "{view.settings.gcs.subject_mapping}"}}'
        )
        return
    try:
        for path, expression, names in (
            ("attribute_condition", condition, _CONDITION_NAMES),
            *((f"attribute_mapping.{key}", one, _MAPPING_NAMES) for key, one in mapping.items()),
        ):
            try:
                cel.check(expression, names)
            except cel.Malformed as refused:
                yield f"Google would refuse {path} {shown(expression)}: {refused}"
                return
        let_in = [one for one in _strangers(condition) if _is_let_in(view, mapping, condition, one)]
    except Undecidable as doubt:
        raise NotKnown(provider, f"attributeCondition: {doubt}") from None
    except ImportError as missing:
        raise NotKnown(provider, f"attributeCondition can't be evaluated here: {missing}") from None
    if let_in:
        yield f"its condition {shown(condition)} lets in another tenant's token, {shown(let_in[0])} say: {mend}"


def _is_let_in(view: View, mapping: Mapping[str, str], condition: str, subject: str) -> bool:
    try:
        identify(
            "pool", mapping, condition, {"iss": view.settings.gcs.issuer, "sub": subject, "aud": "recordings"}
        )
    except NotLetIn:
        return False
    return True


def _strangers(condition: str) -> list[str]:
    """Subjects that are nobody's, and those that are nearly what the condition asks for, but not quite."""
    asked = [one or other for one, other in _LITERAL.findall(condition)]
    near = [
        nearly for one in asked for nearly in (f"{one}x", f"x{one}", one.swapcase()) if nearly not in asked
    ]
    return [_FOREIGN, *near]


def _issuer(view: View, provider: Resource) -> Iterator[str]:
    wanted = view.settings.gcs.issuer
    issuer = provider.value("oidc", "issuerUri")
    if issuer != wanted:
        yield f"oidc.issuer_uri is {shown(issuer)}: write {shown(wanted)}, to the letter"


def _others(view: View) -> list[Resource]:
    """What is beside the service's own provider in its pool."""
    return [one for one in providers(view) if not is_services(view, one)]


def _every(view: View) -> list[Resource]:
    return view.of(kinds.GCP_PROVIDER) if view.is_wide else providers(view)


def _own(view: View) -> list[Resource]:
    return [one for one in providers(view) if is_services(view, one)]


def _nobody_else(_: View, provider: Resource) -> Iterator[str]:
    issuer = provider.value("oidc", "issuerUri")
    who = f"tokens of {shown(issuer)}" if issuer else "what isn't a token of the recording service"
    yield (
        f"it lets {who} into the recording service's pool, where one may pass for your workspace: write "
        "workload_identity_pool_id of another pool"
    )


# --- whom its tokens become --------------------------------------------------------------------------------


def _one_workspace(_: View, one: Resource) -> Iterator[str]:
    mend = "write principal://iam.googleapis.com/POOL/subject/YOUR WORKSPACE ID"
    for _role, members in grants(one):
        for member in _known(one, members):
            if member in PUBLIC:
                yield f"{member} may become the service account: {mend}"
            elif member.startswith("principalSet:") and "*" in member:
                yield f"{shown(member)} is the whole pool, every workspace in it: {mend}"


def _known(one: Resource, members: Any) -> Iterator[str]:
    """The members that are known, and then that others aren't."""
    if members is UNKNOWN:
        raise NotKnown(one, "its members aren't known yet")
    yield from (member for member in cast("Sequence[Any]", members) if isinstance(member, str))
    if UNKNOWN in members:
        raise NotKnown(one, "not all of its members are known yet")


def _wide_grants(view: View) -> list[Resource]:
    """What may hold more than it should: grants on whole projects, and those on buckets."""
    given = [*view.of(kinds.GCP_WIDE_GRANTS), *bucket_grants(view)]
    return [one for one in given if writers(view).holds(one)]


def _beyond(view: View, one: Resource) -> Iterator[str]:
    is_wide = one.type in kinds.GCP_WIDE_GRANTS
    mend = f"write gcp.storage.BucketIAMMember with role {shown(WRITER_ROLE)} on its bucket"
    own = writers(view)
    for role, members in grants(one):
        held = members is UNKNOWN or any(member is UNKNOWN or own.is_one(member) for member in members)
        if not held:
            continue
        if is_wide:
            yield f"it grants {shown(role)} to who writes the recordings, beyond the bucket: {mend}"
        elif not one.is_set("role") and not role:
            raise NotKnown(one, "what it grants isn't known yet")
        elif one.inputs.get("role") is UNKNOWN:
            raise NotKnown(one, "role isn't known yet")
        elif role.startswith("roles/") and role not in NARROW_ROLES:
            yield f"it grants {shown(role)}, more than writing takes: write {shown(WRITER_ROLE)}"
        elif not role.startswith("roles/"):
            raise NotKnown(one, f"what the custom role {role} permits isn't in this stack")


def _keys(view: View) -> list[Resource]:
    return [one for one in view.of(kinds.GCP_KEY) if writers(view).has(one)]


def _no_keys(_: View, __: Resource) -> Iterator[str]:
    yield "whoever holds it writes as the recording service, which needs none: remove it"


# --- the bucket --------------------------------------------------------------------------------------------


def _private(view: View, bucket: Resource) -> Iterator[str]:
    prevention = bucket.value("publicAccessPrevention")
    if prevention != "enforced":
        yield (
            f"public_access_prevention is {shown(prevention)}, so that it can become public: write "
            'public_access_prevention="enforced"'
        )
    for one in view.about(kinds.GCP_ACCESS_CONTROL, "bucket", bucket, names(bucket)):
        if one.value("entity") in PUBLIC:
            yield f"{one.name}: entity is {shown(one.value('entity'))}: remove it"
    for one in view.about(kinds.GCP_ACL, "bucket", bucket, names(bucket)):
        predefined = one.value("predefinedAcl", otherwise="")
        listed = one.value("roleEntities", otherwise=[])
        if _PUBLIC_ACL.fullmatch(predefined) or any(each.rpartition(":")[2] in PUBLIC for each in listed):
            yield f"{one.name}: it grants something to everybody: remove it"


def _granted_to_all(_: View, one: Resource) -> Iterator[str]:
    for role, members in grants(one):
        for member in _known(one, members):
            if member in PUBLIC:
                yield f"it grants {shown(role)} to {member}: name each reader, or a group"


def _public(view: View, one: Resource) -> Iterator[str]:
    yield from (_private if one.type in kinds.GCP_BUCKET else _granted_to_all)(view, one)


def _public_subjects(view: View) -> list[Resource]:
    return [*buckets(view), *bucket_grants(view)]


def _versions(_: View, bucket: Resource) -> Iterator[str]:
    if bucket.value("versioning", "enabled") is not True:
        yield 'it isn\'t versioned: write versioning={"enabled": True}'
    rules: list[Mapping[str, Any]] = [
        rule
        for rule in bucket.value("lifecycleRules", otherwise=[])
        if (rule.get("action") or {}).get("type") == "Delete"
    ]
    states = {_state(rule.get("condition") or {}) for rule in rules}
    if "LIVE" in states and not states & {"ARCHIVED", "ANY"}:
        yield (
            "its lifecycle deletes recordings and leaves their old versions for ever: add a rule with "
            'action={"type": "Delete"} and condition={"days_since_noncurrent_time": 1, "with_state": "ARCHIVED"}'
        )


def _state(condition: Mapping[str, Any]) -> str:
    """The versions that a rule is about.

    Source: https://docs.cloud.google.com/storage/docs/lifecycle#conditions
    """
    if any(
        condition.get(key) for key in ("daysSinceNoncurrentTime", "noncurrentTimeBefore", "numNewerVersions")
    ):
        return "ARCHIVED"
    return str(condition.get("withState") or "ANY")


RULES: Final = (
    Rule(
        "G3",
        "provider-takes-its-audience",
        "the provider takes the audience that the recording service presents",
        "`allowed_audiences` of the provider: none, or its own full name among them",
        _own,
        _audience,
        f"{_IAM}/reference/rest/v1/projects.locations.workloadIdentityPools.providers#Oidc",
    ),
    Rule(
        "G4",
        "provider-has-a-condition",
        "the provider has a condition, which lets in one workspace only",
        "`attribute_condition`, evaluated for another workspace's token",
        _every,
        _condition,
        f"{_IAM}/workload-identity-federation#conditions",
    ),
    Rule(
        "G5",
        "one-workspace-impersonates",
        "one workspace may become the service account, not the whole pool",
        "the members of grants on the service account: no `principalSet://…/*`",
        trusts,
        _one_workspace,
        f"{_IAM}/principal-identifiers",
    ),
    Rule(
        "G10",
        "provider-trusts-the-service",
        "the provider takes tokens of the recording service's issuer",
        "`issuer_uri` of the provider",
        _own,
        _issuer,
        f"{_IAM}/workload-identity-federation-with-other-providers",
    ),
    Rule(
        "G11",
        "no-other-provider-in-the-pool",
        "no other provider lets somebody into the recording service's pool",
        "other providers in the same pool",
        _others,
        _nobody_else,
        f"{_IAM}/best-practices-for-using-workload-identity-federation",
    ),
    Rule(
        "G12",
        "no-keys",
        "the service account has no keys",
        "keys that are made for the service account",
        _keys,
        _no_keys,
        f"{_IAM}/best-practices-for-managing-service-account-keys",
    ),
    Rule(
        "G13",
        "writer-does-nothing-beyond",
        "who writes the recordings may create objects in their bucket, and nothing beyond",
        "grants to the service account on projects, folders and organisations, and its roles on buckets",
        _wide_grants,
        _beyond,
        f"{_STORAGE}/access-control/iam-roles",
    ),
    Rule(
        "G14",
        "bucket-is-not-public",
        "the bucket isn't public, and can't become so",
        "`public_access_prevention`, ACLs, and grants to `allUsers` or `allAuthenticatedUsers`",
        _public_subjects,
        _public,
        f"{_STORAGE}/public-access-prevention",
    ),
    Rule(
        "G16",
        "versions-are-kept-and-go",
        "the bucket is versioned, and where recordings expire, their old versions do",
        "`versioning` and `lifecycle_rules`",
        buckets,
        _versions,
        f"{_STORAGE}/lifecycle",
    ),
)
