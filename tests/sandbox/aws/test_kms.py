"""KMS's own API through real clients: each refusal beside its nearest neighbour that is allowed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from world import REGION, Keys, allow, delegated, deny, document, key_policy, put, root, trust, unique

if TYPE_CHECKING:
    from world import World

DATA_KEY = {"KeySpec": "AES_256"}
CONTEXT = {"about": "recordings"}
USE = ("kms:GenerateDataKey", "kms:Decrypt")


def data_key(world: World, keys: Keys, key: str, **more: Any) -> dict[str, Any]:
    return world.kms(keys).generate_data_key(KeyId=key, **DATA_KEY, **more)


def role_session(world: World, owner: Keys, *statements: dict[str, Any]) -> tuple[str, Keys]:
    role = world.role(owner, trust({"AWS": root(owner.account)}), *statements)
    return role, world.assume(owner, role)


# --- policies --------------------------------------------------------------------------------------------


def test_a_key_policy_may_leave_it_to_the_account(world: World, owner: Keys) -> None:
    key = world.key(owner)
    data_key(world, world.session(owner, allow("kms:GenerateDataKey", on=key)), key)
    with world.refused("AccessDeniedException", "leaves it to account"):
        data_key(world, world.session(owner), key)
    with world.refused("AccessDeniedException", "explicit deny in the caller's identity policies"):
        data_key(world, world.session(owner, allow("*"), deny("kms:*")), key)


def test_an_identity_policy_alone_is_not_enough(world: World, owner: Keys) -> None:
    role, session = role_session(world, owner, allow("kms:*"))
    other, _ = role_session(world, owner)
    named, unnamed = (
        world.key(owner, allow("kms:GenerateDataKey", Principal={"AWS": arn})) for arn in (role, other)
    )
    data_key(world, session, named)
    with world.refused("AccessDeniedException", "no statement of the key policy allows it"):
        data_key(world, session, unnamed)
    with world.refused("AccessDeniedException", "no statement of the key policy allows it"):
        data_key(world, owner, named)


def test_a_named_role_needs_no_identity_policy(world: World, owner: Keys) -> None:
    role, session = role_session(world, owner)
    allowed = allow("kms:GenerateDataKey", Principal={"AWS": role})
    data_key(world, session, world.key(owner, allowed))
    with world.refused("AccessDeniedException", "explicit deny in the key policy"):
        data_key(world, session, world.key(owner, allowed, deny("kms:*Key", Principal={"AWS": role})))
    limit = {"Condition": {"StringEquals": {"kms:EncryptionContext:about": "recordings"}}}
    key = world.key(owner, allowed | limit)
    data_key(world, session, key, EncryptionContext=CONTEXT)
    for context in ({}, {"about": "other"}, {"else": "recordings"}):
        with world.refused("AccessDeniedException", "kms:EncryptionContext:about"):
            data_key(world, session, key, EncryptionContext=context)
    unknown = {"Condition": {"StringEquals": {"kms:KeyOrigin": "AWS_KMS"}}}
    with world.undecided("kms:KeyOrigin"):
        data_key(world, session, world.key(owner, allowed | unknown))


def test_another_account_needs_both_sides(world: World, owner: Keys, stranger: Keys) -> None:
    key = world.key(owner, delegated(stranger.account, *USE, "kms:GetKeyPolicy"))
    data_key(world, stranger, key)
    with world.refused("AccessDeniedException", "identity policies"):
        data_key(world, world.session(stranger), key)
    with world.refused("AccessDeniedException", "key policy"):
        data_key(world, stranger, world.key(owner))
    with world.refused("AccessDeniedException", "of another account"):
        world.kms(stranger).get_key_policy(KeyId=key)
    with world.refused("NotFoundException", "does not exist"):
        data_key(world, stranger, key.rpartition("/")[2])


def test_what_was_encrypted_is_decrypted(world: World, owner: Keys, stranger: Keys) -> None:
    key, other = world.key(owner, delegated(stranger.account), delegated(owner.account)), world.key(owner)
    kms = world.kms(owner)
    made = data_key(world, owner, key, EncryptionContext=CONTEXT)
    assert made["KeyId"] == key
    sealed = {"CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": CONTEXT}
    for keys in (owner, stranger):
        opened = world.kms(keys).decrypt(**sealed)
        assert (opened["Plaintext"], opened["KeyId"]) == (made["Plaintext"], key)
    kms.decrypt(**sealed, KeyId=key)
    with world.refused("IncorrectKeyException"):
        kms.decrypt(**sealed, KeyId=other)
    with world.refused("AccessDeniedException", "kms:Decrypt"):
        world.kms(world.session(owner, allow("kms:GenerateDataKey"))).decrypt(**sealed)
    with pytest.raises(ClientError, match="InvalidCiphertextException"):
        kms.decrypt(CiphertextBlob=made["CiphertextBlob"])
    with world.refused("InvalidCiphertextException"):
        kms.decrypt(CiphertextBlob=b"nothing of ours")
    sealed = {"CiphertextBlob": kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]}
    assert kms.decrypt(**sealed)["Plaintext"] == b"text"


# --- grants ----------------------------------------------------------------------------------------------


def test_a_grant_allows_what_no_policy_does(world: World, owner: Keys) -> None:
    key, kms = (
        world.key(owner, deny("kms:DescribeKey", Principal={"AWS": root("999999999999")})),
        world.kms(owner),
    )
    role, session = role_session(world, owner)
    with world.refused("AccessDeniedException"):
        data_key(world, session, key)
    made = kms.create_grant(KeyId=key, GranteePrincipal=role, Operations=["GenerateDataKey"])
    data_key(world, session, key)
    with world.refused("AccessDeniedException", "kms:Decrypt"):
        world.kms(session).decrypt(CiphertextBlob=data_key(world, session, key)["CiphertextBlob"])
    with world.refused("AccessDeniedException"):
        data_key(world, role_session(world, owner)[1], key)
    with world.refused("AccessDeniedException", "explicit deny"):
        data_key(world, world.assume(owner, role_with(world, owner, key, deny("kms:*"))), key)
    assert [one["KeyId"] for one in kms.list_grants(KeyId=key, GrantId=made["GrantId"])["Grants"]] == [key]
    kms.revoke_grant(KeyId=key, GrantId=made["GrantId"])
    with world.refused("AccessDeniedException"):
        data_key(world, session, key)


def role_with(world: World, owner: Keys, key: str, *statements: dict[str, Any]) -> str:
    """A role with these identity policies, and a grant on the key."""
    role, _ = role_session(world, owner, *statements)
    world.kms(owner).create_grant(KeyId=key, GranteePrincipal=role, Operations=["GenerateDataKey"])
    return role


def test_constraints_of_a_grant(world: World, owner: Keys) -> None:
    kms, more = world.kms(owner), CONTEXT | {"more": "1"}
    for kind, fits, fits_not in (
        ("EncryptionContextEquals", [CONTEXT, {"About": "recordings"}], [{}, more, {"about": "Recordings"}]),
        ("EncryptionContextSubset", [CONTEXT, more], [{}, {"more": "1"}]),
    ):
        key = world.key(owner, delegated("999999999999"))
        role, session = role_session(world, owner)
        grant = {"KeyId": key, "GranteePrincipal": role, "Operations": ["GenerateDataKey"]}
        kms.create_grant(**grant, Constraints={kind: CONTEXT})
        for context in fits:
            data_key(world, session, key, EncryptionContext=context)
        for context in fits_not:
            with world.refused("AccessDeniedException", "wants the encryption context"):
                data_key(world, session, key, EncryptionContext=context)


def test_s3_counts_grants_too(world: World, owner: Keys) -> None:
    key = world.key(owner, delegated("999999999999"))
    bucket = world.encrypted_bucket(owner, key)
    role, session = role_session(world, owner, allow("s3:*"))
    constraints = {"EncryptionContextSubset": {"aws:s3:arn": f"arn:aws:s3:::{bucket}/key"}}
    with world.refused("AccessDenied", "key policy"):
        put(world, session, bucket)
    world.kms(owner).create_grant(
        KeyId=key, GranteePrincipal=role, Operations=["GenerateDataKey"], Constraints=constraints
    )
    put(world, session, bucket)
    with world.refused("AccessDenied", "wants the encryption context"):
        put(world, session, bucket, "other")


def test_what_is_not_documented_of_grants(world: World, owner: Keys, stranger: Keys) -> None:
    key, kms = world.key(owner, delegated("999999999999")), world.kms(owner)
    role, _ = role_session(world, owner)
    theirs, foreign = role_session(world, stranger)
    may, permitted = role_session(world, stranger, allow("kms:*"))
    for grantee in (role, theirs, may):
        kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["GenerateDataKey"])
    with world.undecided("isn't documented"):
        data_key(world, world.assume(owner, role, Policy=document(allow("s3:*"))), key)
    with world.undecided("isn't documented"):
        data_key(world, foreign, key)
    data_key(world, permitted, key)
    kms.create_grant(KeyId=key, GranteePrincipal=root(owner.account), Operations=["GenerateDataKey"])
    with world.undecided("the account's"):
        data_key(world, world.session(owner), key)


def test_who_may_make_and_retire_grants(world: World, owner: Keys) -> None:
    key, kms = world.key(owner), world.kms(owner)
    role, session = role_session(world, owner)
    grant = {"KeyId": key, "GranteePrincipal": role, "Operations": ["Decrypt"]}
    with world.refused("AccessDeniedException", "kms:CreateGrant"):
        world.kms(world.session(owner, allow(*USE))).create_grant(**grant)
    for_aws = {"Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}
    with world.refused("AccessDeniedException", "kms:GrantIsForAWSResource"):
        world.kms(world.session(owner, allow("kms:CreateGrant", **for_aws))).create_grant(**grant)
    few = {"Condition": {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Decrypt", "Encrypt"]}}}
    limited = world.kms(world.session(owner, allow("kms:CreateGrant", **few)))
    limited.create_grant(**grant)
    with world.refused("AccessDeniedException", "kms:GrantOperations"):
        limited.create_grant(**grant | {"Operations": ["Decrypt", "GenerateDataKey"]})
    with world.refused("InvalidArnException"):
        kms.create_grant(**grant | {"GranteePrincipal": f"{role}-none"})
    made = kms.create_grant(**grant, RetiringPrincipal=role)
    with world.undecided("retire"):
        kms.retire_grant(KeyId=key, GrantId=made["GrantId"])
    world.kms(session).retire_grant(GrantToken=made["GrantToken"])
    with world.refused("InvalidGrantTokenException"):
        world.kms(session).retire_grant(GrantToken=made["GrantToken"])


# --- making and changing keys ----------------------------------------------------------------------------


def test_a_key_and_its_settings(world: World, owner: Keys) -> None:
    kms = world.kms(owner)
    key = world.key(owner, Description="first", Tags=[{"TagKey": "a", "TagValue": "1"}])
    kms.update_key_description(KeyId=key, Description="second")
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (found["Arn"], found["Description"], found["KeyState"]) == (key, "second", "Enabled")
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "b", "TagValue": "2"}])
    kms.untag_resource(KeyId=key, TagKeys=["a"])
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "b", "TagValue": "2"}]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 180
    with world.refused("ValidationException"):
        kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=89)
    kms.disable_key_rotation(KeyId=key)
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    assert policy["Statement"][0]["Principal"]["AWS"] == root(owner.account)
    assert key in [one["KeyArn"] for one in kms.list_keys()["Keys"]]
    alias = f"alias/{unique('key')}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"] == key
    assert alias in [one["AliasName"] for one in kms.list_aliases()["Aliases"]]
    with world.refused("NotFoundException"):
        kms.disable_key(KeyId=alias)
    kms.delete_alias(AliasName=alias)
    with world.refused("NotFoundException"):
        kms.describe_key(KeyId=alias)


def test_what_the_state_of_a_key_allows(world: World, owner: Keys) -> None:
    key, kms = world.key(owner), world.kms(owner)
    with world.refused("KMSInvalidStateException", "not pending"):
        kms.cancel_key_deletion(KeyId=key)
    kms.disable_key(KeyId=key)
    with world.refused("DisabledException"):
        data_key(world, owner, key)
    with world.refused("ValidationException"):
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=6)
    assert kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)["KeyId"] == key
    for refused in (kms.enable_key, kms.schedule_key_deletion):
        with world.refused("KMSInvalidStateException", "is pending deletion"):
            refused(KeyId=key)
    kms.describe_key(KeyId=key)
    assert kms.cancel_key_deletion(KeyId=key)["KeyId"] == key
    kms.enable_key(KeyId=key)
    data_key(world, owner, key)


def test_another_region_does_not_know_it(world: World, owner: Keys) -> None:
    key = world.key(owner)
    elsewhere = world.kms(owner, "us-east-1")
    with world.refused("NotFoundException", "Invalid arn eu-west-1"):
        elsewhere.describe_key(KeyId=key)
    with world.refused("NotFoundException", "does not exist"):
        elsewhere.describe_key(KeyId=key.rpartition("/")[2])
    with world.refused("NotFoundException", "Invalid keyId"):
        elsewhere.describe_key(KeyId="none")


def test_key_policies_that_are_not_stored(world: World, owner: Keys) -> None:
    kms, key = world.kms(owner), world.key(owner)
    admin, _ = role_session(world, owner, allow("kms:*"))

    def store(policy: str, **more: Any) -> None:
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy, **more)

    store(key_policy(owner, allow("kms:*", Principal={"AWS": admin})))
    wrong = {
        "JSON": "{",
        "Principal": document(allow("kms:*")),
        "there is no": key_policy(owner, allow("kms:*", Principal={"AWS": f"{admin}-none"})),
        "no statement of the key policy": document(allow("kms:*", Principal={"AWS": admin})),
        "explicit deny": key_policy(owner, deny("kms:Put*", Principal="*")),
    }
    for because, policy in wrong.items():
        with world.refused("MalformedPolicyDocumentException", "" if because == "JSON" else because):
            store(policy)
    with world.refused("MalformedPolicyDocumentException", "no statement of the key policy"):
        kms.create_key(Policy=document(allow("kms:*", Principal={"AWS": admin})))
    with pytest.raises(ClientError, match="LimitExceededException"):  # which boto3 tries again
        store(key_policy(owner, *[allow("kms:*", Principal={"AWS": admin}) for _ in range(400)]))
    creator = world.kms(world.session(owner, allow("kms:CreateKey")))
    creator.create_key()
    with world.undecided("can't put"):
        creator.create_key(Policy=document(delegated(owner.account)))
    store(document(allow("kms:*", Principal={"AWS": admin})), BypassPolicyLockoutSafetyCheck=True)
    with world.refused("AccessDeniedException"):
        kms.get_key_policy(KeyId=key)


def test_what_a_deployer_may_do_is_judged(world: World, owner: Keys) -> None:
    def deployer(*statements: dict[str, Any]) -> Any:
        return world.kms(world.session(owner, *statements))

    tags = {"Tags": [{"TagKey": "a", "TagValue": "1"}]}
    key = deployer(allow("kms:CreateKey")).create_key()["KeyMetadata"]["Arn"]
    deployer(allow("kms:CreateKey", "kms:TagResource")).create_key(**tags)
    with world.refused("AccessDeniedException", "kms:TagResource"):
        deployer(allow("kms:CreateKey")).create_key(**tags)
    with world.refused("AccessDeniedException", "kms:CreateKey"):
        deployer(allow("kms:*", on=key)).create_key()
    unsafe = {"Condition": {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}}}
    careful = deployer(allow("kms:CreateKey"), deny("kms:CreateKey", **unsafe))
    careful.create_key()
    with world.refused("AccessDeniedException", "explicit deny"):
        careful.create_key(BypassPolicyLockoutSafetyCheck=True)
    slow = {"Condition": {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}}}
    patient = deployer(allow("kms:*"), deny("kms:ScheduleKeyDeletion", **slow))
    with world.refused("AccessDeniedException", "explicit deny"):
        patient.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    patient.schedule_key_deletion(KeyId=key)
    alias = f"arn:aws:kms:{REGION}:{owner.account}:alias/"
    name, target = unique("key"), world.key(owner)
    both = deployer(allow("kms:*Alias", on=[f"{alias}{name}", target]))
    with world.refused("AccessDeniedException", alias):
        both.create_alias(AliasName=f"alias/{name}-other", TargetKeyId=target)
    with world.refused("AccessDeniedException", target):
        deployer(allow("kms:*", on=f"{alias}*")).create_alias(AliasName=f"alias/{name}", TargetKeyId=target)
    both.create_alias(AliasName=f"alias/{name}", TargetKeyId=target)
    both.delete_alias(AliasName=f"alias/{name}")


def test_who_asks_must_be_known(world: World, owner: Keys) -> None:
    key = world.key(owner)
    for keys, code in (
        (Keys(owner.account, "AKIANOBODY", "none"), "UnrecognizedClientException"),
        (Keys(owner.account, owner.id, "wrong"), "InvalidSignatureException"),
        (None, "MissingAuthenticationTokenException"),
    ):
        with world.refused(code):
            world.kms(keys).describe_key(KeyId=key)


def test_what_is_not_modelled_is_undecided(world: World, owner: Keys) -> None:
    kms, key = world.kms(owner), world.key(owner)
    with world.undecided("kms:GenerateRandom"):
        kms.generate_random(NumberOfBytes=16)
    with world.undecided("RSA_2048"):
        kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    with world.undecided("DryRun"):
        data_key(world, owner, key, DryRun=True)
    kms.create_key(KeySpec="SYMMETRIC_DEFAULT", KeyUsage="ENCRYPT_DECRYPT", MultiRegion=False)


def test_a_new_key_is_tagged_by_who_may_tag_all_keys(world: World, owner: Keys) -> None:
    tags = [{"TagKey": "team", "TagValue": "voice"}]

    def creator(on: str) -> Any:
        return world.kms(world.session(owner, allow("kms:CreateKey"), allow("kms:TagResource", on=on)))

    creator(f"arn:aws:kms:*:{owner.account}:key/*").create_key(Tags=tags)
    with world.refused("AccessDeniedException", "kms:TagResource"):
        creator("arn:aws:kms:*:999999999999:key/*").create_key(Tags=tags)
