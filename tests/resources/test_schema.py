"""Inputs against the argument types that the providers' Python SDKs publish."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pulumi.runtime import rpc

from recording_storage import resources
from recording_storage.resources import InputsError, UnsupportedError, schema

if TYPE_CHECKING:
    from recording_storage.resources import Properties

BUCKET = "aws:s3/bucket:Bucket"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
ROLE, POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
ACCOUNT = "azure-native:storage:StorageAccount"
QUEUE = "aws:sqs/queue:Queue"
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

STATEMENT = {"Effect": "Allow", "Action": "s3:*", "Resource": ["*"]}


def rule(**more: Any) -> Properties:
    return {"bucket": "calls", "rules": [{"id": "one", "status": "Enabled"}, {"id": "two", **more}]}


def document(**more: Any) -> Properties:
    return {"role": "recordings", "policy": {"Version": "2012-10-17", "Statement": [STATEMENT], **more}}


def account(**more: Any) -> Properties:
    return {"kind": "StorageV2", "resourceGroupName": "tests", "sku": {"name": "Standard_LRS"}, **more}


def faults(token: str, inputs: Properties) -> list[str]:
    return list(map(str, schema.faults(token, inputs)))


@pytest.mark.parametrize(
    ("token", "inputs", "fault"),
    [
        pytest.param(
            BUCKET,
            {"bukcet": "calls"},
            'bukcet: the SDK has no such property (did you mean "bucket"?)',
            id="a property that the SDK does not have",
        ),
        pytest.param(
            BUCKET,
            {"force_destroy": True},
            'force_destroy: the SDK has no such property (did you mean "forceDestroy"?)',
            id="a property by its name in Python",
        ),
        pytest.param(
            BUCKET, {"qqqq": "calls"}, "qqqq: the SDK has no such property", id="one that is like no other"
        ),
        pytest.param(
            LIFECYCLE,
            rule(status="Enabled", abortIncompleteMultipartUpload={"daysAfterInitation": 7.0}),
            "rules[1].abortIncompleteMultipartUpload.daysAfterInitation: the SDK has no such property"
            ' (did you mean "daysAfterInitiation"?)',
            id="a property within an object in a list",
        ),
        pytest.param(
            ROLE, {}, "assumeRolePolicy: missing, a string or an object is required", id="a missing one"
        ),
        pytest.param(
            ROLE,
            {"assumeRolePolicy": None},
            "assumeRolePolicy: missing, a string or an object is required",
            id="null for one that is required",
        ),
        pytest.param(
            LIFECYCLE, rule(), "rules[1].status: missing, a string is required", id="a missing one within"
        ),
        pytest.param(
            BUCKET, {"bucket": 7.0}, "bucket: expected a string, got a number", id="a number for a string"
        ),
        pytest.param(
            BUCKET, {"bucket": True}, "bucket: expected a string, got a boolean", id="a boolean for a string"
        ),
        pytest.param(
            BUCKET,
            {"forceDestroy": "true"},
            "forceDestroy: expected a boolean, got a string",
            id="the word for a boolean",
        ),
        pytest.param(
            BUCKET, {"forceDestroy": 1.0}, "forceDestroy: expected a boolean, got a number", id="one for true"
        ),
        pytest.param(
            LIFECYCLE,
            rule(status="Enabled", expiration={"days": "7"}),
            "rules[1].expiration.days: expected a whole number, got a string",
            id="the digits for a number",
        ),
        pytest.param(
            LIFECYCLE,
            rule(status="Enabled", expiration={"days": 1.5}),
            "rules[1].expiration.days: expected a whole number, got a fraction",
            id="a fraction for a whole number",
        ),
        pytest.param(
            LIFECYCLE,
            rule(status="Enabled", expiration={"days": True}),
            "rules[1].expiration.days: expected a whole number, got a boolean",
            id="a boolean for a number",
        ),
        pytest.param(
            LIFECYCLE,
            {"bucket": "calls", "rules": {"id": "one", "status": "Enabled"}},
            "rules: expected a list, got an object",
            id="one for a list of one",
        ),
        pytest.param(
            LIFECYCLE,
            rule(status="Enabled", expiration=[{"days": 7.0}]),
            "rules[1].expiration: expected an object, got a list",
            id="a list of one for an object",
        ),
        pytest.param(
            BUCKET, {"tags": ["team"]}, "tags: expected an object, got a list", id="a list for a map"
        ),
        pytest.param(
            BUCKET,
            {"tags": {"team": "voice", "cost center": 7.0}},
            'tags["cost center"]: expected a string, got a number',
            id="a number in a map of strings",
        ),
        pytest.param(
            POLICY,
            {"role": "recordings", "policy": 7.0},
            "policy: expected a string or an object, got a number",
            id="neither of a union",
        ),
        pytest.param(
            POLICY,
            document(Id=7.0),
            "policy.Id: expected a string, got a number",
            id="within one of a union",
        ),
        pytest.param(
            ACCOUNT,
            account(accessTier="hot"),
            'accessTier: expected one of "Hot", "Cool", "Premium", "Cold", got another string',
            id="no member of a closed enum",
        ),
        pytest.param(
            ACCOUNT,
            account(kind=7.0),
            'kind: expected a string or one of "Storage", "StorageV2", "BlobStorage", "FileStorage",'
            ' "BlockBlobStorage", got a number',
            id="no string for an open enum",
        ),
        pytest.param(
            VERSIONING,
            {"bucket": "calls", "versioningConfiguration": {"enabled": True, "status": "Enabled"}},
            "versioningConfiguration.enabled: the SDK has no such property",
            id="a resource whose arguments have a namesake",
        ),
    ],
)
def test_what_the_sdk_would_not_take_is_a_fault(token: str, inputs: Properties, fault: str) -> None:
    assert faults(token, inputs) == [fault]


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        pytest.param(
            BUCKET, {"bucket": "calls", "forceDestroy": True, "tags": {}}, id="each as it should be"
        ),
        pytest.param(
            LIFECYCLE, rule(status="Enabled", expiration={"days": 7.0}), id="a whole number as a float"
        ),
        pytest.param(LIFECYCLE, rule(status="Enabled", expiration={"days": 7}), id="a whole number"),
        pytest.param(LIFECYCLE, {"bucket": rpc.UNKNOWN, "rules": rpc.UNKNOWN}, id="unknown"),
        pytest.param(
            LIFECYCLE, rule(status=rpc.UNKNOWN, expiration={"days": rpc.UNKNOWN}), id="unknown within"
        ),
        pytest.param(LIFECYCLE, rule(status="Enabled", expiration=None, nothing=None), id="null"),
        pytest.param(POLICY, {"role": "recordings", "policy": "{}"}, id="the one of a union"),
        pytest.param(POLICY, document(), id="the other of a union"),
        pytest.param(POLICY, document(Statement=[{**STATEMENT, "Resource": "*"}]), id="a string or a list"),
        pytest.param(ACCOUNT, account(accessTier="Hot"), id="a member of a closed enum"),
        pytest.param(ACCOUNT, account(kind="StorageV3"), id="another string in an open enum"),
        pytest.param(OBJECT, {"bucket": "calls", "source": {"path": "movie.mp4"}}, id="an asset"),
        pytest.param("aws:s3/bukcet:Bukcet", {"bukcet": 7.0}, id="a type that the SDK does not have"),
    ],
)
def test_what_the_sdk_would_take_is_not_a_fault(token: str, inputs: Properties) -> None:
    assert faults(token, inputs) == []


def test_faults_are_all_told_at_once() -> None:
    inputs = rule(statu="Enabled", expiration={"days": 1.5}) | {"buckt": "calls"}
    assert faults(LIFECYCLE, inputs) == [
        'rules[1].statu: the SDK has no such property (did you mean "status"?)',
        "rules[1].expiration.days: expected a whole number, got a fraction",
        "rules[1].status: missing, a string is required",
        'buckt: the SDK has no such property (did you mean "bucket"?)',
    ]


def test_a_fault_does_not_repeat_a_value_that_may_be_secret() -> None:
    secret = "hunter2"
    inputs = account(allowSharedKeyAccess=secret, accessTier=secret, tags={"team": [secret]})
    told = faults(ACCOUNT, inputs)
    assert len(told) == 3
    assert secret not in " ".join(told)


ASSUMED = {"roleArn": "arn:aws:iam::111122223333:role/deployer"}


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"regionn": "eu-west-1"}, 'regionn: the SDK has no such property (did you mean "region"?)'),
        ({"region": 7.0}, "region: expected a string, got a number"),
        ({"maxRetries": "many"}, "maxRetries: expected a whole number, got a string"),
        ({"maxRetries": "1.5"}, "maxRetries: expected a whole number, got a fraction"),
        ({"skipRegionValidation": "yes"}, "skipRegionValidation: expected a boolean, got a string"),
        ({"allowedAccountIds": "111122223333"}, "allowedAccountIds: expected a list, got a number"),
        ({"allowedAccountIds": '["1", 2]'}, "allowedAccountIds[1]: expected a string, got a number"),
        (
            {"assumeRoles": json.dumps([{"roleArm": "deployer"}])},
            'assumeRoles[0].roleArm: the SDK has no such property (did you mean "roleArn"?)',
        ),
    ],
)
def test_a_configuration_that_the_sdk_would_not_take_is_a_fault(config: Properties, fault: str) -> None:
    assert list(map(str, schema.config_faults("aws", config))) == [fault]


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"region": "eu-west-1", "maxRetries": "5", "skipRegionValidation": "true", "insecure": ""},
        {"allowedAccountIds": '["111122223333"]', "assumeRoles": json.dumps([ASSUMED])},
        {"allowedAccountIds": ["111122223333"], "skipRegionValidation": True},
        {"region": rpc.UNKNOWN, "assumeRoles": rpc.UNKNOWN},
        {"version": "7.51.1", "pluginDownloadURL": "https://example.com"},
        {
            "assumeRoles": json.dumps(
                [{"roleArn": {rpc._special_sig_key: rpc._special_secret_sig, "value": "a"}}]
            )
        },
    ],
    ids=["nothing", "words", "JSON", "plain values", "unknown", "the engine's own", "a secret in JSON"],
)
def test_a_configuration_that_the_sdk_would_take_is_not_a_fault(config: Properties) -> None:
    assert schema.config_faults("aws", config) == []


@pytest.mark.parametrize("package", resources.PACKAGES)
def test_the_table_knows_no_property_that_the_sdk_does_not_have(package: str) -> None:
    for token, kind in resources.provider(package).types.items():
        published = schema.arguments(token)
        assert published is not None, token
        assert kind.properties <= published.types.keys(), token
        assert kind.replace_on | kind.names <= kind.properties, token
        assert published.required <= kind.properties, token


def test_what_the_sdk_would_not_take_comes_before_what_the_table_does_not_know() -> None:
    aws = resources.provider("aws")
    unknown = {"bucket": "calls", "acl": "private"}
    with pytest.raises(UnsupportedError, match=f"^acl of {BUCKET}: .*nothing can be said about it"):
        resources.check(aws, BUCKET, unknown)
    with pytest.raises(InputsError, match=r"^forceDestroy: expected a boolean, got a string$"):
        resources.check(aws, BUCKET, unknown | {"forceDestroy": "true"})
    with pytest.raises(UnsupportedError, match=f"^the resource type {QUEUE}"):
        resources.check(aws, QUEUE, {"name": "calls"})
    with pytest.raises(
        InputsError, match=r"^nmae: the SDK has no such property \(did you mean \"name\"\?\)$"
    ):
        resources.check(aws, QUEUE, {"nmae": "calls"})
    assert resources.check(aws, BUCKET, {"bucket": "calls"}) is aws.types[BUCKET]


def test_a_module_of_the_sdk_that_is_not_asked_for_is_not_imported() -> None:
    program = (
        "import sys\nfrom recording_storage.resources import schema\n"
        f"assert schema.faults({BUCKET!r}, {{}}) == []\n"
        "print(*sorted(name for name in sys.modules if name.startswith('pulumi_')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = done.stdout.split()
    assert "pulumi_aws.s3.bucket" in imported
    assert not [name for name in imported if name.startswith(("pulumi_aws.ec2.", "pulumi_gcp"))]
