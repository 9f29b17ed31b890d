"""The rules for the bucket on Amazon S3 that the recording service writes to.

Its policy is judged as S3 judges it, by the evaluator that the stand-in and `verify` decide with; keys by the
components' own validation. Left out: whether the role's and the key's policies let it use a customer's key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

from components import aws, kms
from components.faults import listed, shown
from policy import kinds
from policy.belonging_aws import buckets, document, identifiers, names
from policy.resources import UNKNOWN, NotKnown, Resource, part
from policy.rules import Rule
from recording_storage.evaluation.aws.conditions import MalformedPolicy, Undecidable
from recording_storage.evaluation.aws.policy import Policies, Principal, Request, decide, is_public

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policy.belonging import View
    from recording_storage.evaluation.aws.document import Document

_S3: Final = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"
ALGORITHMS: Final = ("AES256", "aws:kms", "aws:kms:dsse")
"""https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html"""
BLOCKS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
PUBLIC_ACLS: Final = ("public-read", "public-read-write", "authenticated-read")
_EVERYBODY: Final = re.compile(r".*/groups/global/(AllUsers|AuthenticatedUsers)")
"""Grantees that stand for anybody: https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html"""
_SOMEBODY: Final = Principal("999999999999", "arn:aws:sts::999999999999:assumed-role/somebody/session")


def _about(view: View, kind: tuple[str, ...], bucket: Resource) -> list[Resource]:
    return view.about(kind, "bucket", bucket, identifiers(bucket))


def _versions(view: View, bucket: Resource) -> Iterator[str]:
    mend = 'write aws.s3.BucketVersioning with versioning_configuration={"status": "Enabled"}'
    found = _about(view, kinds.AWS_VERSIONING, bucket)
    if not found:
        if bucket.value("versioning", "enabled") is not True:
            yield f"it isn't versioned: {mend}"
        return
    for one in found:
        status = one.value("versioningConfiguration", "status")
        if status != "Enabled":
            yield f"{one.name}: versioning_configuration.status is {shown(status)}: {mend}"


def _old_versions(view: View, bucket: Resource) -> Iterator[str]:
    found = _about(view, kinds.AWS_LIFECYCLE, bucket)
    written = [(one, one.value("rules", otherwise=[])) for one in found]
    if bucket.is_set("lifecycleRules"):
        written.append((bucket, bucket.value("lifecycleRules")))
    every = [rule for _, rules in written for rule in rules if _is_on(rule)]
    clearing = [_covered(rule) for rule in every if _clears(rule)]
    for one, rules in written:
        for rule in rules:
            if not _is_on(rule) or not _expires(rule):
                continue
            prefix, rest = _covered(rule)
            if not any(prefix.startswith(other) and rest == more for other, more in clearing) and not any(
                prefix.startswith(other) and not more for other, more in clearing
            ):
                yield (
                    f"{one.name}: rule {shown(rule.get('id', ''))} expires recordings and leaves their old versions "
                    'for ever: write noncurrent_version_expiration={"noncurrent_days": 1} beside expiration'
                )


def _is_on(rule: Mapping[str, Any]) -> bool:
    return rule.get("status") == "Enabled" or rule.get("enabled") is True


def _expires(rule: Mapping[str, Any]) -> bool:
    expiration = part(rule, "expiration")
    return bool(expiration.get("days") or expiration.get("date"))


def _clears(rule: Mapping[str, Any]) -> bool:
    noncurrent = part(rule, "noncurrentVersionExpiration")
    return bool(noncurrent.get("noncurrentDays") or noncurrent.get("days"))


def _covered(rule: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The prefix that a rule is about, and what else it asks of an object."""
    chosen = part(rule, "filter")
    asked: dict[str, Any] = {
        key: value for key, value in (*chosen.items(), *part(chosen, "and").items()) if value and key != "and"
    }
    if rule.get("tags"):
        asked["tags"] = rule["tags"]
    return str(asked.pop("prefix", "") or rule.get("prefix") or ""), asked


def _encryption(view: View, bucket: Resource) -> Iterator[str]:
    written = [(one, "rules") for one in _about(view, kinds.AWS_ENCRYPTION, bucket)]
    if bucket.is_set("serverSideEncryptionConfiguration"):
        written.append((bucket, "serverSideEncryptionConfiguration"))
    for one, path in written:
        rules = one.inputs.get(path)
        if rules is UNKNOWN:
            raise NotKnown(bucket, f"{path} of {one.name} isn't known yet")
        # Several rules, or a bucket's own one: each has a default.
        listed = cast("list[Any]", rules) if isinstance(rules, list) else [part(rules, "rule")]
        for rule in listed or [{}]:
            if rule is UNKNOWN:
                raise NotKnown(bucket, f"{path} of {one.name} isn't known yet")
            yield from _encrypts(view, bucket, one, path, part(rule, "applyServerSideEncryptionByDefault"))


def _encrypts(
    view: View, bucket: Resource, one: Resource, path: str, written: Mapping[str, Any]
) -> Iterator[str]:
    algorithm = written.get("sseAlgorithm")
    if algorithm is UNKNOWN:
        raise NotKnown(bucket, f"sseAlgorithm of {one.name} isn't known yet")
    if algorithm not in ALGORITHMS:
        yield (
            f"{one.name}: sseAlgorithm is {shown(algorithm)}: write apply_server_side_encryption_by_default="
            '{"sse_algorithm": "AES256"}'
        )
        return
    key = written.get("kmsMasterKeyId")
    if not key:
        return
    made_from = one.reads.get(path, frozenset())
    for made in view.of(kinds.AWS_KEY):
        if made.urn in made_from or key in made.known("arn", "keyId", "id"):
            if made.value("isEnabled", otherwise=True) is False:
                yield f"its key {made.name} is disabled: write is_enabled=True"
            return
    if key is UNKNOWN:
        raise NotKnown(bucket, f"kmsMasterKeyId of {one.name} isn't known yet")
    for breach in kms.key_arn_breaches(key):
        yield f"{one.name}: kms_master_key_id is {shown(key)}: {breach.expected}; {breach.mend}"
    arn, region = kms.key_arn(key), bucket.value("region")
    if arn and region and arn.region != region:
        yield f"{one.name}: its key is in {arn.region}, the bucket in {region}: name a key in {region}"


def _not_public(view: View, bucket: Resource) -> Iterator[str]:
    blocks = _about(view, kinds.AWS_ACCESS_BLOCK, bucket)
    wanted = listed(f"{_snake(name)}=True" for name in BLOCKS)
    if not blocks:
        yield f"nothing keeps it from becoming public: write aws.s3.BucketPublicAccessBlock with {wanted}"
    for one in blocks:
        off = [name for name in BLOCKS if one.value(name) is not True]
        if off:
            yield f"{one.name}: write {listed(f'{_snake(name)}=True' for name in off)}"
    for one, acl, grants in [
        (bucket, bucket.value("acl"), bucket.value("grants", otherwise=[])),
        *(
            (one, one.value("acl"), one.value("accessControlPolicy", "grants", otherwise=[]))
            for one in _about(view, kinds.AWS_ACL, bucket)
        ),
    ]:
        if acl in PUBLIC_ACLS:
            yield f"{one.name}: acl is {shown(acl)}: remove it, and let readers in by the bucket's policy"
        if any(_EVERYBODY.fullmatch(text) for grant in grants for text in _grantees(grant)):
            yield f"{one.name}: it grants something to everybody: remove the grant"
    for one, found in _bucket_policies(view, bucket):
        if is_public(found):
            yield f"{one.name}: policy lets everybody in: name each reader's role in Principal"


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _grantees(grant: Mapping[str, Any]) -> Iterator[str]:
    yield str(grant.get("uri") or "")
    yield str(part(grant, "grantee").get("uri") or "")


def _bucket_policies(view: View, bucket: Resource) -> Iterator[tuple[Resource, Document]]:
    """Its policies, but for one that AWS would refuse, of which S12 tells."""
    texts = [(one, one.inputs.get("policy")) for one in _about(view, kinds.AWS_BUCKET_POLICY, bucket)]
    texts += [(bucket, bucket.inputs["policy"])] if bucket.is_set("policy") else []
    for one, text in texts:
        try:
            yield one, document(one, "policy", text or "", "resource")
        except MalformedPolicy:
            continue


def _tls(view: View, bucket: Resource) -> Iterator[str]:
    mend = (
        '{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [BUCKET_ARN, BUCKET_ARN/*], "Condition": '
        '{"Bool": {"aws:SecureTransport": "false"}}}'
    )
    texts = [(one, one.inputs.get("policy")) for one in _about(view, kinds.AWS_BUCKET_POLICY, bucket)]
    texts += [(bucket, bucket.inputs["policy"])] if bucket.is_set("policy") else []
    if not texts:
        yield f"requests without TLS are answered: write aws.s3.BucketPolicy with {mend}"
    for one, text in texts:
        try:
            found = document(one, "policy", text or "", "resource")
        except MalformedPolicy as refused:
            yield f"{one.name}: AWS would refuse policy: {refused}"
            continue
        if not _denies_plain_http(bucket, one, found):
            yield f"{one.name}: policy answers requests without TLS: add {mend}"


def _denies_plain_http(bucket: Resource, one: Resource, found: Document) -> bool:
    called = names(bucket)
    if not called:
        raise NotKnown(bucket, "bucket, its name, isn't known yet")
    arn = f"arn:{aws.PARTITION}:s3:::{min(called)}"
    asked = (("s3:GetObject", f"{arn}/a.mp4"), ("s3:PutObject", f"{arn}/a.mp4"), ("s3:ListBucket", arn))
    for action, resource in asked:
        request = Request(
            _SOMEBODY,
            action,
            resource,
            _SOMEBODY.account,
            {"aws:SecureTransport": ["false"]},
            frozenset({"aws:", "s3:"}),
        )
        try:
            decision = decide(request, Policies([], resource=found))
        except Undecidable as doubt:
            raise NotKnown(bucket, f"{one.name}: {doubt}") from None
        if not decision.explicit_deny:
            return False
    return True


RULES: Final = (
    Rule(
        "S4",
        "encryption-key",
        "the bucket's objects are encrypted, with a key that the service's requests find",
        "the bucket's encryption configuration; nothing written: S3 encrypts with its own keys",
        buckets,
        _encryption,
        f"{_S3}/UsingKMSEncryption.html",
    ),
    Rule(
        "S7",
        "old-versions-expire-too",
        "where recordings expire, their old versions do",
        "the bucket's lifecycle rules",
        buckets,
        _old_versions,
        f"{_S3}/lifecycle-configuration-examples.html",
    ),
    Rule(
        "S8",
        "bucket-is-versioned",
        "the bucket is versioned, as the recording service asks for",
        "`BucketVersioning`",
        buckets,
        _versions,
        f"{_S3}/Versioning.html",
    ),
    Rule(
        "S11",
        "bucket-is-not-public",
        "the bucket isn't public, and can't become so",
        "`BucketPublicAccessBlock`, ACLs and the bucket's policy",
        buckets,
        _not_public,
        f"{_S3}/access-control-block-public-access.html",
    ),
    Rule(
        "S12",
        "tls-only",
        "the bucket answers no request without TLS",
        "the bucket's policy: a Deny where `aws:SecureTransport` is false",
        buckets,
        _tls,
        f"{_S3}/security-best-practices.html",
    ),
)
