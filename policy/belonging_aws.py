"""What belongs to a destination on AWS: roles that trust the service's account, their policies, and their buckets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from policy import kinds
from policy.belonging import once
from policy.resources import UNKNOWN, NotKnown, Resource, is_whole, refers
from recording_storage.evaluation.aws.conditions import MalformedPolicy, Undecidable
from recording_storage.evaluation.aws.document import Document, Kind, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.belonging import View
    from recording_storage.evaluation.aws.document import Statement

OWN_POLICY: Final = "policy"


@dataclass(frozen=True)
class Held:
    """A policy that a role holds: the resource it is written in, and its text; None where the stack hasn't got it."""

    resource: Resource
    path: str
    text: Any
    arn: str = ""


def document(one: Resource, path: str, text: Any, kind: Kind) -> Document:
    """A policy as AWS reads it. Raises `NotKnown`, and `MalformedPolicy` where AWS would refuse it."""
    if not is_whole(text):
        raise NotKnown(one, f"{path} isn't known yet")
    try:
        return parse(text, kind)
    except Undecidable as doubt:
        raise NotKnown(one, f"{path}: {doubt}") from None


@once
def roles(view: View) -> list[Resource]:
    """The roles that let the recording service in, or are meant to."""
    return [one for one in view.of(kinds.AWS_ROLE) if view.is_ours(one) or trusts(view, one)]


def doubtful_roles(view: View) -> list[Resource]:
    """The roles of which it isn't known yet whether they let it in."""
    return [
        one
        for one in view.of(kinds.AWS_ROLE)
        if not is_whole(one.inputs.get("assumeRolePolicy")) and one not in roles(view)
    ]


def trusts(view: View, role: Resource) -> bool:
    """Whether the role's trust names the service's account, or asks for its external id."""
    text = role.inputs.get("assumeRolePolicy")
    if text is None or text is UNKNOWN:
        return False
    # Not parsed: a trust that AWS would refuse is to be told of, too.
    said = cast("object", _loaded(text))
    trust = view.settings.s3
    return any(_account(one) == trust.account or one == trust.external_id for one in _texts(said))


def _loaded(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in cast("dict[str, object]", value).values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in cast("list[object]", value):
            yield from _texts(one)
    elif isinstance(value, str):
        yield value


def _account(principal: str) -> str:
    """The account of an ARN, and an account itself."""
    parts = principal.split(":")
    return parts[4] if len(parts) >= 6 and parts[0] == "arn" else principal


def account_of(principal: str) -> str:
    """The account that a principal of a trust is, or is in."""
    return _account(principal)


def held(view: View, role: Resource) -> Iterator[Held]:
    """Every policy of a role. Raises `NotKnown` where one may be its, and none is for sure."""
    names = role.known("name", "id", "arn")
    for one in view.about(kinds.AWS_ROLE_POLICY, "role", role, names):
        yield Held(one, OWN_POLICY, one.inputs.get("policy"))
    inline = role.inputs.get("inlinePolicies")
    if inline is UNKNOWN:
        yield Held(role, "inlinePolicies", UNKNOWN)
    else:
        for index, own in enumerate(inline or ()):
            yield Held(
                role, f"inlinePolicies[{index}].policy", own.get("policy") if own is not UNKNOWN else own
            )
    for one in view.about(kinds.AWS_ATTACHMENT, "role", role, names):
        yield from _attached(view, one, "policyArn")
    for one in view.of(kinds.AWS_ATTACHMENTS):
        listed = one.inputs.get("roles")
        own_roles = one.reads.get("roles", frozenset())
        if role.urn in own_roles or (
            isinstance(listed, list) and names & {str(x) for x in cast("list[Any]", listed)}
        ):
            yield from _attached(view, one, "policyArn")
    managed = role.inputs.get("managedPolicyArns")
    if managed is UNKNOWN:
        yield Held(role, "managedPolicyArns", UNKNOWN)
    for arn in cast("list[Any]", managed) if isinstance(managed, list) else ():
        yield Held(role, "managedPolicyArns", *_managed(view, arn))


def _attached(view: View, one: Resource, path: str) -> Iterator[Held]:
    for policy in view.of(kinds.AWS_POLICY):
        if refers(one, path, policy, policy.known("arn", "id")):
            yield Held(policy, OWN_POLICY, policy.inputs.get("policy"))
            return
    yield Held(one, path, *_managed(view, one.inputs.get(path)))


def _managed(view: View, arn: Any) -> tuple[Any, str]:
    """The text of a policy by its ARN, and the ARN where the stack hasn't got the text."""
    for policy in view.of(kinds.AWS_POLICY):
        if arn in policy.known("arn", "id"):
            return policy.inputs.get("policy"), ""
    return (None, arn) if isinstance(arn, str) else (UNKNOWN, "")


@once
def buckets(view: View) -> list[Resource]:
    """The buckets that recordings are written to: those that a role which lets the service in may write to."""
    written = {one.urn for role in roles(view) for one in _written(view, role)}
    return [
        one for one in view.of(kinds.AWS_BUCKET) if view.is_wide or view.is_ours(one) or one.urn in written
    ]


def _written(view: View, role: Resource) -> Iterator[Resource]:
    try:
        policies = list(held(view, role))
    except NotKnown:
        # Of what may be another role's, only what is made from this one is followed.
        return
    for one in policies:
        if not is_whole(one.text):
            made_from = one.resource.reads.get(one.path.partition("[")[0], frozenset())
            yield from (bucket for bucket in view.of(kinds.AWS_BUCKET) if bucket.urn in made_from)
            continue
        try:
            statements = document(one.resource, one.path, one.text, "identity").statements if one.text else ()
        except (MalformedPolicy, NotKnown):
            continue
        named = {bucket_of(text) for each in statements if writes(each) for text in each.resources}
        yield from (bucket for bucket in view.of(kinds.AWS_BUCKET) if names(bucket) & named)


def writes(statement: Statement) -> bool:
    """Whether it lets objects be written."""
    actions = [action.lower() for action in statement.actions]
    return statement.allow and any(
        one in ("*", "s3:*", "s3:put*", "s3:putobject") or one.startswith("s3:putobject*") for one in actions
    )


def bucket_of(resource: str) -> str:
    """The bucket that a policy's resource is, or is in."""
    return resource.rpartition(":::")[2].partition("/")[0] if resource.startswith("arn:") else ""


def names(bucket: Resource) -> set[str]:
    """What a bucket is called, as far as it is known."""
    return bucket.known("bucket", "id")


def identifiers(bucket: Resource) -> set[str]:
    """By what a setting names its bucket."""
    return bucket.known("bucket", "id", "arn")
