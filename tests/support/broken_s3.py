"""Every way in which a destination on Amazon S3 breaks, as changes that its owner can make."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from components.trust import effective_s3
from tests.support.catalogue import Mutation
from tests.support.s3_owner import SERVICE, S3Owner, both

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.support.s3_owner import Json, Undo

    Change = Callable[[S3Owner], Undo]

ACTIONS = effective_s3({}).actions
STRANGER = "999911112222"
OTHER_BUCKET = "arn:aws:s3:::recordings-of-another-team"
ROOT = f"arn:aws:iam::{SERVICE}:root"
FOREIGN_KEY = "arn:aws:kms:eu-west-1:999911112222:key/0f0f0f0f-12ab-34cd-56ef-1234567890ab"
EXTERNAL_ID = "sts:ExternalId"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def ids(*given: str) -> frozenset[str]:
    return frozenset(given)


def broken(name: str, change: Change, *fails: str, **more: Any) -> Mutation[S3Owner]:
    return Mutation(name, change, fails=frozenset(fails), **more)


def too_open(name: str, change: Change, *fails: str, **more: Any) -> Mutation[S3Owner]:
    return broken(name, change, *fails, records=True, **more)


# --- the trust ----------------------------------------------------------------------------------------


def shorter_sessions(owner: S3Owner) -> Undo:
    owner.iam.update_role(RoleName=owner.role, MaxSessionDuration=3600)
    return lambda: owner.iam.update_role(RoleName=owner.role, MaxSessionDuration=43200)


def condition(operator: str, key: str, value: Any) -> Change:
    """The external id's condition as it is, and this one beside."""

    def change(statement: Json) -> None:
        statement["Condition"].setdefault(operator, {})[key] = value

    return lambda owner: owner.trust(change)


def only_condition(operator: str, value: Any) -> Change:
    return lambda owner: owner.trust(lambda one: one.update(Condition={operator: {EXTERNAL_ID: value}}))


def principal(value: Any) -> Change:
    return lambda owner: owner.trust(lambda one: one.update(Principal=value))


def another_statement(**statement: Any) -> Change:
    def change(owner: S3Owner) -> Undo:
        document = owner.get_role()["AssumeRolePolicyDocument"]
        return owner.put_trust(policy(*document["Statement"], {"Action": "sts:AssumeRole", **statement}))

    return change


def one_role_of_the_service(owner: S3Owner) -> Undo:
    from recording_storage.sandbox.aws import cloud, occasion

    arn = f"arn:aws:iam::{SERVICE}:role/recorder"
    if cloud.role(arn) is None:
        occasion.role(arn, trusts=SERVICE)
    return owner.trust(lambda one: one.update(Principal={"AWS": arn}))


def own_admin(owner: S3Owner) -> Undo:
    return another_statement(Effect="Allow", Principal={"AWS": owner.account})(owner)


# --- what the role may do -------------------------------------------------------------------------------


def without(*actions: str) -> Change:
    kept = [one for one in ACTIONS if one not in actions]
    return lambda owner: owner.allow(lambda one: one.update(Action=kept))


def on(resources: Callable[[S3Owner], Any]) -> Change:
    return lambda owner: owner.allow(lambda one: one.update(Resource=resources(owner)))


def listing_a_prefix(owner: S3Owner) -> Undo:
    document = owner.get_policy()
    document["Statement"][0]["Action"] = [one for one in ACTIONS if one != "s3:ListBucket"]
    listing = {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": owner.arn,
        "Condition": {"StringLike": {"s3:prefix": "recordings/*"}},
    }
    document["Statement"].append(listing)
    return owner.put_policy(document)


def may_too(action: Any, resource: Callable[[S3Owner], Any], **more: Any) -> Change:
    return lambda owner: owner.add_policy(
        {"Effect": "Allow", "Action": action, "Resource": resource(owner), **more}
    )


def all_but_iam(owner: S3Owner) -> Undo:
    return owner.add_policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})


def bucket_policy_lets_it_delete(owner: S3Owner) -> Undo:
    return owner.bucket_statement(Effect="Allow", Principal={"AWS": owner.role_arn}, Action="s3:DeleteObject")


# --- the key ------------------------------------------------------------------------------------------


def disabled(owner: S3Owner) -> Undo:
    owner.kms.disable_key(KeyId=owner.key)
    return lambda: owner.kms.enable_key(KeyId=owner.key)


def pending_deletion(owner: S3Owner) -> Undo:
    owner.kms.schedule_key_deletion(KeyId=owner.key, PendingWindowInDays=7)

    def keep() -> None:
        owner.kms.cancel_key_deletion(KeyId=owner.key)
        owner.kms.enable_key(KeyId=owner.key)

    return keep


def managing(owner: S3Owner) -> Json:
    """The account manages the key, and leaves nobody its use."""
    verbs = ("Describe", "Get", "List", "Put", "Enable", "Disable", "Schedule", "Cancel", "Create", "Revoke")
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{owner.account}:root"},
        "Action": [f"kms:{verb}*" for verb in verbs],
        "Resource": "*",
    }


def using(
    owner: S3Owner, actions: Iterable[str] = ("kms:GenerateDataKey", "kms:Decrypt"), **more: Any
) -> Json:
    whole = {
        "Effect": "Allow",
        "Principal": {"AWS": owner.role_arn},
        "Action": list(actions),
        "Resource": "*",
    }
    return whole | more


def key_used_by(*statements: Callable[[S3Owner], Json]) -> Change:
    return lambda owner: owner.put_key_policy(managing(owner), *(one(owner) for one in statements))


def neither_policy_lets_decrypt(owner: S3Owner) -> Undo:
    account = {**managing(owner), "Action": "kms:*"}
    return owner.put_key_policy(account, using(owner, ["kms:GenerateDataKey"]))


def key_of_another_region(owner: S3Owner) -> Undo:
    there = owner.client("kms", "us-east-1").create_key()["KeyMetadata"]["Arn"]
    return owner.encrypt(there)


def key_of_another_account(owner: S3Owner) -> Undo:
    """It lets the role in, which only its own account can know."""
    from recording_storage.sandbox.aws import occasion

    occasion.key(FOREIGN_KEY, json.dumps(policy(using(owner))))
    beside = owner.add_policy(
        {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": FOREIGN_KEY}
    )
    return both(owner.encrypt(FOREIGN_KEY), beside)


def strange_key_of_another_account(owner: S3Owner) -> Undo:
    """The role's own policy doesn't name it, so whatever the key's says, it can't be used."""
    from recording_storage.sandbox.aws import occasion

    anybody = using(owner) | {"Action": "kms:DescribeKey", "Principal": {"AWS": "*"}}
    occasion.key(FOREIGN_KEY, json.dumps(policy(using(owner), anybody)))
    return owner.encrypt(FOREIGN_KEY)


# --- what denies ----------------------------------------------------------------------------------------


def bucket_denies(**statement: Any) -> Change:
    return lambda owner: owner.bucket_statement(**statement)


def role_denies(owner: S3Owner) -> Undo:
    return owner.add_policy({"Effect": "Deny", "Action": "s3:Abort*", "Resource": "*"})


def bounded(*actions: str) -> Change:
    return lambda owner: owner.bound({"Effect": "Allow", "Action": list(actions), "Resource": "*"})


def organisation(*levels: Json) -> Change:
    return lambda owner: owner.organisation(*levels)


def objects(owner: S3Owner) -> str:
    return f"{owner.arn}/*"


# --- the bucket -----------------------------------------------------------------------------------------


def public_policy(owner: S3Owner) -> Undo:
    block = owner.unblock()
    return both(owner.bucket_statement(Effect="Allow", Action="s3:GetObject", Resource=objects(owner)), block)


def current_versions_only(owner: S3Owner) -> Undo:
    return owner.lifecycle(
        {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}
    )


def old_versions_elsewhere(owner: S3Owner) -> Undo:
    return owner.lifecycle(
        {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}},
        {
            "ID": "old",
            "Status": "Enabled",
            "Filter": {"Prefix": "archive/"},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        },
    )


def without_tls(owner: S3Owner) -> Undo:
    return owner.put_bucket_policy(None)


def tls_for_objects_only(owner: S3Owner) -> Undo:
    denied = {"Bool": {"aws:SecureTransport": "false"}}
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": objects(owner)}
    return owner.put_bucket_policy(policy({**statement, "Condition": denied}))


NO_ENCRYPTION_HEADER = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
WITHOUT_THE_ROLE = ids("S1", "S3", "S4", "S6", "S9", "S10")

MUTATIONS: tuple[Mutation[S3Owner], ...] = (
    broken("shorter sessions", shorter_sessions, "S1"),
    # the trust keeps the service out
    broken("another account is trusted", principal({"AWS": f"arn:aws:iam::{STRANGER}:root"}), "S2", "S9"),
    broken("another external id", only_condition("StringEquals", "acme"), "S2", "S9"),
    broken("external id in another case", only_condition("StringEquals", "Tavus"), "S2", "S9"),
    broken("external id negated", only_condition("StringNotEquals", "tavus"), "S2", "S9"),
    broken("a second factor is wanted", condition("Bool", "aws:MultiFactorAuthPresent", "true"), "S2"),
    broken("an address is wanted", condition("IpAddress", "aws:SourceIp", "10.0.0.0/8"), "S2"),
    broken(
        "the own organisation is wanted",
        condition("StringEquals", "aws:PrincipalOrgID", "o-acme123456"),
        "S2",
    ),
    broken("the service is denied", another_statement(Effect="Deny", Principal={"AWS": SERVICE}), "S2"),
    broken(
        "another action", lambda owner: owner.trust(lambda one: one.update(Action="sts:TagSession")), "S2"
    ),
    Mutation("one role of the service's account", one_role_of_the_service, unknown=ids("S2")),
    broken("no role", S3Owner.delete_role, "S2", unknown=WITHOUT_THE_ROLE),
    # the trust lets others in
    too_open("no external id", lambda owner: owner.trust(lambda one: one.pop("Condition")), "S9"),
    too_open("any external id", only_condition("StringLike", "*"), "S9"),
    too_open("external ids alike", only_condition("StringLike", "tav*"), "S9"),
    too_open("external id in any case", only_condition("StringEqualsIgnoreCase", "TAVUS"), "S9"),
    too_open("external id if there is one", only_condition("StringEqualsIfExists", "tavus"), "S9"),
    too_open("external id for all values", only_condition("ForAllValues:StringEquals", "tavus"), "S9"),
    too_open("a second external id", only_condition("StringEquals", ["tavus", "acme"]), "S9"),
    too_open("any principal", principal("*"), "S9"),
    too_open("a second account", principal({"AWS": [ROOT, STRANGER]}), "S9"),
    too_open("the owner's own account", own_admin, "S9"),
    too_open(
        "somebody's organisation",
        another_statement(
            Effect="Allow",
            Principal="*",
            Condition={"StringEquals": {"aws:PrincipalOrgID": "o-acme123456", EXTERNAL_ID: "tavus"}},
        ),
        "S9",
    ),
    too_open(
        "a web identity",
        another_statement(
            Effect="Allow",
            Principal={"Federated": "accounts.google.com"},
            Action="sts:AssumeRoleWithWebIdentity",
        ),
        "S9",
    ),
    # the role's policy is short of something
    *(broken(f"without {one}", without(one), "S3") for one in ACTIONS),
    broken("without the bucket", on(objects), "S3"),
    broken("without the objects", on(lambda owner: owner.arn), "S3"),
    broken("below a prefix", on(lambda owner: [owner.arn, f"{owner.arn}/recordings/*"]), "S3"),
    broken("for one suffix", on(lambda owner: [owner.arn, f"{owner.arn}/*.mp4"]), "S3"),
    broken("listing below a prefix", listing_a_prefix, "S3"),
    broken("another bucket", on(lambda _: [OTHER_BUCKET, f"{OTHER_BUCKET}/*"]), "S3", "S10"),
    broken(
        "on condition of an encryption header",
        lambda owner: owner.allow(
            lambda one: one.update(Condition={"StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}})
        ),
        "S3",
    ),
    # the key
    broken("the key is disabled", disabled, "S4"),
    broken("the key is pending deletion", pending_deletion, "S4"),
    broken("neither policy lets it decrypt", neither_policy_lets_decrypt, "S4"),
    broken("the key's policy leaves nobody its use", key_used_by(), "S4"),
    broken(
        "the key's policy lets it encrypt only",
        key_used_by(lambda o: using(o, ["kms:GenerateDataKey"])),
        "S4",
    ),
    broken(
        "the key is for another service",
        key_used_by(
            lambda o: using(o, Condition={"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}})
        ),
        "S4",
    ),
    broken(
        "the key is for another bucket",
        key_used_by(
            lambda o: using(o, Condition={"StringEquals": {"kms:EncryptionContext:aws:s3:arn": OTHER_BUCKET}})
        ),
        "S4",
    ),
    broken("the key's policy denies", key_used_by(using, lambda o: using(o, Effect="Deny")), "S4"),
    broken("the key of another region", key_of_another_region, "S4"),
    broken("an alias of nothing", lambda owner: owner.encrypt("alias/of-nothing"), "S4"),
    broken("a key of another account that the role may not use", strange_key_of_another_account, "S4"),
    Mutation("a key of another account", key_of_another_account, unknown=ids("S4"), records=True),
    # what denies
    broken(
        "the bucket wants an encryption header",
        bucket_denies(Action="s3:PutObject", Condition=NO_ENCRYPTION_HEADER),
        "S6",
    ),
    broken(
        "the bucket wants any encryption header",
        bucket_denies(Action="s3:PutObject", Condition={"Null": {"s3:x-amz-server-side-encryption": "true"}}),
        "S6",
    ),
    broken(
        "the bucket wants a VPC endpoint",
        bucket_denies(
            Action="s3:*Object", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}
        ),
        "S6",
    ),
    broken(
        "the bucket wants an address",
        bucket_denies(Action="s3:*Object", Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        "S6",
    ),
    broken(
        "the bucket wants somebody else",
        bucket_denies(
            Action="s3:PutObject",
            Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/other-*"}},
        ),
        "S6",
    ),
    broken("the role's own policy denies", role_denies, "S6"),
    broken("a boundary without writing", bounded("s3:Get*", "s3:List*", "s3:Abort*", "kms:*"), "S6"),
    broken("a boundary without the key", bounded("s3:*"), "S6"),
    broken(
        "the organisation denies writing",
        organisation(policy(EVERYTHING, {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"})),
        "S6",
    ),
    broken(
        "the organisation allows no keys",
        organisation(
            policy(EVERYTHING),
            policy(
                {"Effect": "Allow", "Action": ["s3:*", "iam:*", "kms:Get*", "kms:Describe*"], "Resource": "*"}
            ),
        ),
        "S6",
    ),
    # the bucket
    Mutation("locked by default", S3Owner.lock, warns=ids("S5"), records=True),
    Mutation("only current versions expire", current_versions_only, warns=ids("S7"), records=True),
    Mutation("old versions expire elsewhere", old_versions_elsewhere, warns=ids("S7"), records=True),
    broken("versioning suspended", lambda owner: owner.version("Suspended"), "S8"),
    # beyond
    too_open("the role may delete", may_too("s3:DeleteObject", objects), "S10"),
    too_open("the role may put anything", may_too("s3:Put*", lambda o: [o.arn, objects(o)]), "S10"),
    too_open("the role may change the bucket", may_too("s3:PutBucketPolicy", lambda o: o.arn), "S10"),
    too_open("the role may write elsewhere", may_too("s3:PutObject", lambda _: f"{OTHER_BUCKET}/*"), "S10"),
    too_open("the role may write in buckets alike", may_too("s3:PutObject", lambda o: f"{o.arn}*"), "S10"),
    too_open("the role may write anywhere", may_too("s3:PutObject", lambda _: "*"), "S10"),
    too_open("the role may read anywhere", may_too(["s3:Get*", "s3:List*"], lambda _: "*"), "S10"),
    too_open("the role may make users", may_too("iam:*", lambda _: "*"), "S10"),
    too_open("the role may use every key", may_too("kms:Decrypt", lambda _: "*"), "S10"),
    too_open("the role may do all but one thing", all_but_iam, "S10"),
    too_open("the role is an administrator", lambda owner: owner.attach(EVERYTHING), "S10"),
    too_open("the bucket's policy lets the role delete", bucket_policy_lets_it_delete, "S10"),
    # everybody
    too_open("the bucket is public", public_policy, "S11"),
    Mutation("nothing keeps it from being public", S3Owner.unblock, warns=ids("S11"), records=True),
    Mutation("no policy refuses plain HTTP", without_tls, warns=ids("S12"), records=True),
    Mutation("plain HTTP refused for objects only", tls_for_objects_only, warns=ids("S12"), records=True),
)
