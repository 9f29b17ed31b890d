"""Changes to the stacks of `policy_stacks`: that a rule refuses, that do no harm, or leave doubt."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support import policy_stacks as stacks
from tests.support.analyzer import UNKNOWN, Asked
from tests.support.policy_stacks import (
    ARN,
    BUCKET,
    SERVICE,
    add,
    all_of,
    document,
    put,
    tls,
    trust,
    without,
    write,
)

if TYPE_CHECKING:
    from tests.support.policy_stacks import Edit, Stack


class Case(NamedTuple):
    """A change to a cloud's stack, the rules that refuse it, and what they say to write.

    `early`: it is refused in the first preview too.
    """

    cloud: str
    what: str
    edit: Edit
    rules: str
    says: str = ""
    early: bool = True


def condition(operator: str, value: Any = "tavus", key: str = "sts:ExternalId") -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


def inline(name: str, **inputs: Any) -> Edit:
    def edit(stack: Stack) -> None:
        stack[name] = replace(stack[name], inputs={**stack[name].inputs, **inputs})

    return edit


LATE = {"early": False}
KMS = "arn:aws:kms:{}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ONLY_CURRENT = [stacks.rule(expiration={"days": 90})]
STAR_TRUST = trust(Principal="*")
TWO = {"AWS": [f"arn:aws:iam::{SERVICE}:root", "arn:aws:iam::444455556666:root"]}


def kms_rules(key: str, algorithm: str = "aws:kms") -> list[dict[str, Any]]:
    return [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm, "kmsMasterKeyId": key}}]


def attached(arn: str) -> Edit:
    kind = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    return add(Asked(kind, "attached", {"role": "recorder", "policyArn": arn}, reads={"role": ["recorder"]}))


def own_policy(kind: str, **whose: Any) -> Edit:
    arn = "arn:aws:iam::111122223333:policy/own"
    policy = Asked("aws:iam/policy:Policy", "own", {"policy": write(Action="s3:*")}, {"arn": arn})
    named = f"aws:iam/{kind}:{kind[0].upper()}{kind[1:]}"
    return add(policy, Asked(named, "attached", {"policyArn": arn, **whose}))


def bucket_grant(role: str, member: str) -> Edit:
    kind = "gcp:storage/bucketIAMMember:BucketIAMMember"
    inputs = {"bucket": BUCKET, "role": role, "member": member}
    return add(Asked(kind, "granted", inputs, reads={"bucket": ["calls"]}))


def project_grant(form: str, **inputs: Any) -> Edit:
    return add(Asked(f"gcp:projects/iAM{form}:IAM{form}", "wide", {"project": "acme-prod", **inputs}))


def account_key(email: str) -> Edit:
    reads = {"serviceAccountId": ["recorder"]}
    return add(Asked("gcp:serviceaccount/key:Key", "key", {"serviceAccountId": email}, reads=reads))


def beside(name: str, **inputs: Any) -> Edit:
    """Another provider in the pool, or credential of the application, like the first."""

    def edit(stack: Stack) -> None:
        stack["other"] = replace(stack[name], name="other", inputs={**stack[name].inputs, **inputs})

    return edit


def secret(kind: str, **inputs: str) -> Edit:
    short = kind[0].lower() + kind[1:]
    path, _ = next(iter(inputs.items()))
    reads = {path: ["recorder" if path == "applicationId" else "principal"]}
    return add(Asked(f"azuread:index/{short}:{kind}", "secret", inputs, reads=reads))


MEMBER = f"serviceAccount:{stacks.EMAIL}"
GCS_LIVE = [{"action": {"type": "Delete"}, "condition": {"age": 90, "withState": "LIVE"}}]
AZURE_RULE = {
    "name": "expire",
    "definition": {"actions": {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 9}}}},
}

BROKEN = (
    Case(
        "aws",
        "a session of an hour",
        put("recorder", "maxSessionDuration", 3600),
        "S1",
        "max_session_duration=43200",
    ),
    Case(
        "aws",
        "no session said",
        put("recorder", "maxSessionDuration", None),
        "S1",
        "max_session_duration=43200",
    ),
    Case("aws", "a second too short", put("recorder", "maxSessionDuration", 43199), "S1", "43200"),
    Case("aws", "no external id", put("recorder", "assumeRolePolicy", trust(Condition={})), "S2", '"tavus"'),
    Case(
        "aws",
        "a pattern",
        put("recorder", "assumeRolePolicy", trust(**condition("StringLike", "ta*"))),
        "S2",
        "StringEquals",
    ),
    Case(
        "aws",
        "any case",
        put("recorder", "assumeRolePolicy", trust(**condition("StringEqualsIgnoreCase"))),
        "S2",
        "StringEquals",
    ),
    Case(
        "aws",
        "if there is one",
        put("recorder", "assumeRolePolicy", trust(**condition("StringEqualsIfExists"))),
        "S2",
        "StringEquals",
    ),
    Case(
        "aws",
        "a wrong external id",
        put("recorder", "assumeRolePolicy", trust(**condition("StringEquals", "ta vus"))),
        "S2",
        "STS takes",
    ),
    Case(
        "aws",
        "another action",
        put("recorder", "assumeRolePolicy", trust(Action="sts:TagSession")),
        "S2",
        "doesn't let",
    ),
    Case(
        "aws",
        "another account",
        put("recorder", "assumeRolePolicy", trust(Principal={"AWS": "444455556666"})),
        "S2 S9",
        f"{SERVICE}:root",
    ),
    Case(
        "aws",
        "a deny beside",
        put(
            "recorder",
            "assumeRolePolicy",
            document(
                json.loads(trust())["Statement"][0],
                {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"},
            ),
        ),
        "S2",
        "Deny",
    ),
    Case(
        "aws",
        "only from its organisation",
        put(
            "recorder",
            "assumeRolePolicy",
            trust(
                Condition={
                    "StringEquals": {"sts:ExternalId": "tavus", "aws:PrincipalAccount": "444455556666"}
                }
            ),
        ),
        "S2",
        "remove that condition",
    ),
    Case(
        "aws",
        "no policy at all",
        put("recorder", "assumeRolePolicy", trust(Effect="Perhaps")),
        "S2",
        "AWS would refuse",
    ),
    Case("aws", "another algorithm", put("encryption", "rules", kms_rules("", "none")), "S4", "AES256"),
    Case("aws", "no algorithm", put("encryption", "rules", [{"bucketKeyEnabled": True}]), "S4", "AES256"),
    Case(
        "aws",
        "a key's alias",
        put("encryption", "rules", kms_rules("alias/recordings")),
        "S4",
        "not an alias",
    ),
    Case(
        "aws",
        "a key elsewhere",
        put("encryption", "rules", kms_rules(KMS.format("us-east-1"))),
        "S4",
        "eu-west-1",
    ),
    Case(
        "aws",
        "a disabled key",
        all_of(
            put("encryption", "rules", kms_rules(KMS.format("eu-west-1"))),
            add(Asked("aws:kms/key:Key", "key", {"isEnabled": False}, {"arn": KMS.format("eu-west-1")})),
        ),
        "S4",
        "is_enabled=True",
        **LATE,
    ),
    Case(
        "aws",
        "encryption in the bucket itself",
        inline(
            "calls",
            serverSideEncryptionConfiguration={
                "rule": {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "x"}}
            },
        ),
        "S4",
        "AES256",
    ),
    Case(
        "aws",
        "current versions only",
        put("lifecycle", "rules", ONLY_CURRENT),
        "S7",
        "noncurrent_version_expiration",
    ),
    Case(
        "aws",
        "old versions of others",
        put(
            "lifecycle",
            "rules",
            [
                *ONLY_CURRENT,
                stacks.rule(
                    id="b", filter={"prefix": "x/"}, noncurrentVersionExpiration={"noncurrentDays": 1}
                ),
            ],
        ),
        "S7",
        "noncurrent_version",
    ),
    Case(
        "aws",
        "old versions of some",
        put(
            "lifecycle",
            "rules",
            [
                *ONLY_CURRENT,
                stacks.rule(
                    id="b",
                    filter={"tag": {"key": "a", "value": "b"}},
                    noncurrentVersionExpiration={"noncurrentDays": 1},
                ),
            ],
        ),
        "S7",
        "noncurrent_version",
    ),
    Case(
        "aws",
        "a rule that is off",
        put(
            "lifecycle",
            "rules",
            [
                *ONLY_CURRENT,
                stacks.rule(id="b", status="Disabled", noncurrentVersionExpiration={"noncurrentDays": 1}),
            ],
        ),
        "S7",
        "noncurrent_version",
    ),
    Case(
        "aws",
        "a day to expire at",
        put("lifecycle", "rules", [stacks.rule(expiration={"date": "2030-01-01T00:00:00Z"})]),
        "S7",
        "noncurrent_version",
    ),
    Case(
        "aws",
        "rules in the bucket itself",
        all_of(
            without("lifecycle"),
            inline("calls", lifecycleRules=[{"enabled": True, "expiration": {"days": 9}}]),
        ),
        "S7",
        "noncurrent_version",
    ),
    Case(
        "aws",
        "versions suspended",
        put("versioning", "versioningConfiguration.status", "Suspended"),
        "S8",
        '"Enabled"',
    ),
    Case("aws", "no versions", without("versioning"), "S8", "BucketVersioning"),
    Case("aws", "everybody", put("recorder", "assumeRolePolicy", STAR_TRUST), "S9", "only principal"),
    Case(
        "aws",
        "another account beside",
        put("recorder", "assumeRolePolicy", trust(Principal=TWO)),
        "S9",
        "principals",
    ),
    Case(
        "aws",
        "an AWS service beside",
        put(
            "recorder", "assumeRolePolicy", trust(Principal={"AWS": SERVICE, "Service": "ec2.amazonaws.com"})
        ),
        "S9",
        "ec2.amazonaws.com",
    ),
    Case(
        "aws",
        "another statement",
        put(
            "recorder",
            "assumeRolePolicy",
            document(
                json.loads(trust())["Statement"][0],
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::111122223333:user/eve"},
                    "Action": "sts:AssumeRole",
                },
            ),
        ),
        "S9",
        "user/eve",
    ),
    Case("aws", "all of S3", put("write", "policy", write(Action="s3:*")), "S10", "s3:putobject"),
    Case(
        "aws",
        "a wildcard in an action",
        put("write", "policy", write(Action=[*stacks.ACTIONS, "s3:Get*"])),
        "S10",
        "has a wildcard",
    ),
    Case(
        "aws",
        "deleting too",
        put("write", "policy", write(Action=[*stacks.ACTIONS, "s3:DeleteObject"])),
        "S10",
        "none that the service needs",
    ),
    Case(
        "aws",
        "every resource",
        put("write", "policy", write(Resource=[ARN, f"{ARN}/*", "*"])),
        "S10",
        "names more than the bucket",
    ),
    Case(
        "aws",
        "buckets like it",
        put("write", "policy", write(Resource=[ARN, f"{ARN}/*", f"{ARN}*"])),
        "S10",
        "its ARN",
    ),
    Case(
        "aws",
        "all but a few",
        put(
            "write",
            "policy",
            document(
                json.loads(write())["Statement"][0],
                {"Effect": "Allow", "NotAction": "iam:*", "Resource": ARN},
            ),
        ),
        "S10",
        "write Action and Resource",
    ),
    Case(
        "aws",
        "AWS's own policy",
        attached("arn:aws:iam::aws:policy/AmazonS3FullAccess"),
        "S10",
        "AmazonS3FullAccess",
    ),
    Case(
        "aws",
        "a policy of the stack's, attached",
        own_policy("rolePolicyAttachment", role="recorder"),
        "S10",
        "has a wildcard",
    ),
    Case(
        "aws",
        "a policy of the stack's, attached to many",
        own_policy("policyAttachment", roles=["recorder", "ci"]),
        "S10",
        "has a wildcard",
    ),
    Case(
        "aws",
        "a policy within the role",
        inline("recorder", inlinePolicies=[{"name": "x", "policy": write(Action="*")}]),
        "S10",
        "has a wildcard",
    ),
    Case(
        "aws",
        "a managed policy's ARN",
        inline("recorder", managedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
        "S10",
        "AdministratorAccess",
    ),
    Case("aws", "no access block", without("block"), "S11", "BucketPublicAccessBlock"),
    *(
        Case("aws", f"{path} off", put("block", path, False), "S11", "=True")
        for path in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    ),
    Case(
        "aws",
        "a block that doesn't say",
        put("block", "restrictPublicBuckets", None),
        "S11",
        "restrict_public_buckets=True",
    ),
    Case(
        "aws",
        "a public policy",
        put(
            "tls",
            "policy",
            document(
                tls(), {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{ARN}/*"}
            ),
        ),
        "S11",
        "Principal",
    ),
    Case(
        "aws",
        "a public ACL",
        add(Asked("aws:s3/bucketAcl:BucketAcl", "acl", {"bucket": BUCKET, "acl": "public-read"})),
        "S11",
        "acl",
    ),
    Case(
        "aws",
        "an ACL of grants",
        add(
            Asked(
                "aws:s3/bucketAcl:BucketAcl",
                "acl",
                {
                    "bucket": BUCKET,
                    "accessControlPolicy": {
                        "grants": [
                            {
                                "permission": "READ",
                                "grantee": {
                                    "type": "Group",
                                    "uri": "http://acs.amazonaws.com/groups/global/AllUsers",
                                },
                            }
                        ]
                    },
                },
            )
        ),
        "S11",
        "everybody",
    ),
    Case("aws", "a public bucket of old", inline("calls", acl="public-read-write"), "S11", "acl"),
    Case("aws", "no bucket policy", without("tls"), "S12", "aws:SecureTransport"),
    Case(
        "aws",
        "for objects only",
        put("tls", "policy", document(tls(Resource=f"{ARN}/*"))),
        "S12",
        "BUCKET_ARN",
    ),
    Case(
        "aws", "for reading only", put("tls", "policy", document(tls(Action="s3:GetObject"))), "S12", "s3:*"
    ),
    Case(
        "aws",
        "the wrong way round",
        put("tls", "policy", document(tls(Condition={"Bool": {"aws:SecureTransport": "true"}}))),
        "S12",
        "SecureTransport",
    ),
    Case(
        "aws",
        "for one principal",
        put("tls", "policy", document(tls(Principal={"AWS": "111122223333"}))),
        "S12",
        '"Principal": "*"',
    ),
    Case(
        "aws",
        "another bucket's",
        put("tls", "policy", document(tls(Resource=["arn:aws:s3:::other", "arn:aws:s3:::other/*"]))),
        "S12",
        "BUCKET_ARN",
    ),
    Case("aws", "a bucket that goes", stacks.unprotected("calls"), "P1", "protect=True"),
    Case("aws", "a bucket that is emptied", inline("calls", forceDestroy=True), "P1", "force_destroy=False"),
    Case(
        "gcp",
        "another audience",
        put("provider", "oidc.allowedAudiences", ["https://acme.example"]),
        "G3",
        "full name",
    ),
    Case(
        "gcp",
        "a project's name",
        put(
            "provider",
            "oidc.allowedAudiences",
            [
                "https://iam.googleapis.com/projects/acme-prod/locations/global/workloadIdentityPools/acme-recordings/providers/recording-service"
            ],
        ),
        "G3",
        "NUMBER",
    ),
    Case(
        "gcp",
        "another provider's audience",
        put(
            "provider", "oidc.allowedAudiences", [f"https://iam.googleapis.com/{stacks.POOL}/providers/other"]
        ),
        "G3",
        "full name",
    ),
    Case("gcp", "no condition", put("provider", "attributeCondition", None), "G4", "attribute_condition"),
    Case(
        "gcp", "an empty condition", put("provider", "attributeCondition", " "), "G4", "attribute_condition"
    ),
    Case(
        "gcp",
        "a condition on how it begins",
        put("provider", "attributeCondition", 'google.subject.startsWith("w-acme")'),
        "G4",
        "another tenant",
    ),
    Case(
        "gcp",
        "a condition on how it ends",
        put("provider", "attributeCondition", "google.subject.endsWith('acme')"),
        "G4",
        "another tenant",
    ),
    Case(
        "gcp",
        "a pattern as a condition",
        put("provider", "attributeCondition", 'google.subject.matches("w-a.*")'),
        "G4",
        "another tenant",
    ),
    Case(
        "gcp",
        "a condition in any case",
        put("provider", "attributeCondition", 'google.subject.lowerAscii() == "w-acme"'),
        "G4",
        "another tenant",
    ),
    Case(
        "gcp",
        "a condition that is none",
        put("provider", "attributeCondition", "google.subject =="),
        "G4",
        "Google would refuse",
    ),
    Case(
        "gcp",
        "a condition that always holds",
        put("provider", "attributeCondition", "true"),
        "G4",
        "YOUR WORKSPACE ID",
    ),
    Case(
        "gcp",
        "a condition on the issuer",
        put("provider", "attributeCondition", f'assertion.iss == "{stacks.ISSUER}"'),
        "G4",
        "another tenant",
    ),
    Case(
        "gcp",
        "a condition the wrong way round",
        put("provider", "attributeCondition", 'google.subject != "w-acme"'),
        "G4",
        "another tenant",
    ),
    Case(
        "gcp",
        "no subject",
        put("provider", "attributeMapping", {"attribute.a": "assertion.sub"}),
        "G4",
        "attribute_mapping",
    ),
    Case(
        "gcp",
        "the whole pool",
        put("trust", "members", [f"principalSet://iam.googleapis.com/{stacks.POOL}/*"]),
        "G5",
        "/subject/",
    ),
    Case(
        "gcp",
        "everybody as the account",
        put("trust", "members", [stacks.PRINCIPAL, "allUsers"]),
        "G5",
        "/subject/",
        **LATE,
    ),
    Case(
        "gcp",
        "another issuer's path",
        put("provider", "oidc.issuerUri", f"{stacks.ISSUER}/"),
        "G10",
        "to the letter",
    ),
    Case(
        "gcp",
        "another issuer in the pool",
        beside(
            "provider",
            oidc={"issuerUri": "https://token.actions.githubusercontent.com"},
            attributeCondition='google.subject == "x"',
        ),
        "G11",
        "another pool",
    ),
    Case(
        "gcp",
        "AWS in the pool",
        beside("provider", oidc=None, aws={"accountId": "111122223333"}),
        "G11",
        "another pool",
    ),
    Case(
        "gcp",
        "the project",
        project_grant("Member", role="roles/storage.objectCreator", member=MEMBER),
        "G13",
        "BucketIAMMember",
    ),
    Case(
        "gcp",
        "the project, as a binding",
        project_grant("Binding", role="roles/editor", members=["user:a@acme.example", MEMBER]),
        "G13",
        "BucketIAMMember",
    ),
    Case(
        "gcp",
        "the project's policy",
        project_grant(
            "Policy", policyData=json.dumps({"bindings": [{"role": "roles/owner", "members": [MEMBER]}]})
        ),
        "G13",
        "roles/owner",
    ),
    Case(
        "gcp", "too much on the bucket", bucket_grant("roles/storage.admin", MEMBER), "G13", "objectCreator"
    ),
    Case("gcp", "a key", account_key(stacks.EMAIL), "G12", "remove it", early=False),
    Case("gcp", "a key of what is made", account_key(UNKNOWN), "G12", "remove it"),
    Case(
        "gcp",
        "inherited prevention",
        put("calls", "publicAccessPrevention", "inherited"),
        "G14",
        '"enforced"',
    ),
    Case("gcp", "no prevention", put("calls", "publicAccessPrevention", None), "G14", '"enforced"'),
    *(
        Case(
            "gcp", f"{who} reads", bucket_grant("roles/storage.objectViewer", who), "G14", "name each reader"
        )
        for who in ("allUsers", "allAuthenticatedUsers")
    ),
    Case(
        "gcp",
        "everybody in an ACL",
        add(
            Asked(
                "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl",
                "acl",
                {"bucket": BUCKET, "entity": "allUsers", "role": "READER"},
            )
        ),
        "G14",
        "entity",
    ),
    Case(
        "gcp",
        "a public ACL",
        add(
            Asked("gcp:storage/bucketACL:BucketACL", "acl", {"bucket": BUCKET, "predefinedAcl": "publicRead"})
        ),
        "G14",
        "everybody",
    ),
    Case("gcp", "no versions", put("calls", "versioning", None), "G16", "versioning="),
    Case("gcp", "versions off", put("calls", "versioning.enabled", False), "G16", "versioning="),
    Case(
        "gcp",
        "live versions only",
        put("calls", "lifecycleRules", GCS_LIVE),
        "G16",
        "days_since_noncurrent_time",
    ),
    Case("gcp", "a bucket that goes", stacks.unprotected("calls"), "P1", "protect=True"),
    Case("gcp", "a bucket that is emptied", inline("calls", forceDestroy=True), "P1", "force_destroy=False"),
    Case(
        "azure", "a slash too many", put("credential", "issuer", f"{stacks.ISSUER}/"), "Z1", "to the letter"
    ),
    Case(
        "azure",
        "the issuer in capitals",
        put("credential", "issuer", stacks.ISSUER.upper()),
        "Z1",
        "to the letter",
    ),
    Case("azure", "another audience", put("credential", "audiences", ["api://acme"]), "Z1", stacks.AUDIENCE),
    Case("azure", "any workspace", put("credential", "subject", "*"), "Z4", "one workspace"),
    Case("azure", "no subject", put("credential", "subject", None), "Z4", "Workspace ID"),
    Case("azure", "a password", secret("ApplicationPassword", applicationId=UNKNOWN), "Z11", "remove it"),
    Case(
        "azure",
        "a certificate",
        secret("ServicePrincipalCertificate", servicePrincipalId=f"/servicePrincipals/{stacks.OBJECT_ID}"),
        "Z11",
        "remove it",
        **LATE,
    ),
    Case(
        "azure", "a password of its own", put("recorder", "password", {"displayName": "x"}), "Z11", "password"
    ),
    Case("azure", "the account", put("write", "scope", stacks.ACCOUNT_ID), "Z12", "container.id"),
    Case("azure", "the resource group", put("write", "scope", stacks.GROUP), "Z12", "container.id"),
    Case(
        "azure",
        "the subscription",
        put("write", "scope", stacks.GROUP.partition("/resourceGroups")[0]),
        "Z12",
        "container.id",
    ),
    Case(
        "azure",
        "a management group",
        put("write", "scope", "/providers/Microsoft.Management/managementGroups/acme"),
        "Z12",
        "container.id",
    ),
    Case(
        "azure",
        "all containers",
        put("write", "scope", f"{stacks.ACCOUNT_ID}/blobServices/default"),
        "Z12",
        "container.id",
    ),
    Case(
        "azure",
        "another issuer beside",
        beside("credential", issuer="https://token.actions.githubusercontent.com"),
        "Z13",
        "another identity",
    ),
    Case(
        "azure",
        "anonymous access",
        put("account", "allowBlobPublicAccess", True),
        "Z15",
        "allow_blob_public_access=False",
    ),
    Case(
        "azure",
        "nothing said of anonymous access",
        put("account", "allowBlobPublicAccess", None),
        "Z15",
        "allow_blob_public_access=False",
    ),
    Case(
        "azure",
        "shared keys",
        put("account", "allowSharedKeyAccess", True),
        "Z15",
        "allow_shared_key_access=False",
    ),
    Case(
        "azure",
        "nothing said of shared keys",
        put("account", "allowSharedKeyAccess", None),
        "Z15",
        "allow_shared_key_access=False",
    ),
    Case(
        "azure",
        "plain HTTP",
        put("account", "enableHttpsTrafficOnly", False),
        "Z15",
        "enable_https_traffic_only=True",
    ),
    Case("azure", "old TLS", put("account", "minimumTlsVersion", "TLS1_1"), "Z15", '"TLS1_2"'),
    Case("azure", "nothing said of TLS", put("account", "minimumTlsVersion", None), "Z15", '"TLS1_2"'),
    Case("azure", "a public container", put("calls", "publicAccess", "Blob"), "Z15", 'public_access="None"'),
    Case(
        "azure",
        "encryption off",
        put("account", "encryption", {"services": {"blob": {"enabled": False}}}),
        "Z16",
        '"enabled": True',
    ),
    Case(
        "azure",
        "a key without its name",
        put("account", "encryption", {"keySource": "Microsoft.Keyvault"}),
        "Z16",
        "key_vault_properties",
    ),
    Case("azure", "no versions", without("service"), "Z17", "BlobServiceProperties"),
    Case(
        "azure",
        "versions off",
        put("service", "isVersioningEnabled", False),
        "Z17",
        "is_versioning_enabled=True",
    ),
    Case(
        "azure", "current versions only", put("lifecycle", "policy.rules", [AZURE_RULE]), "Z17", '"version"'
    ),
    Case("azure", "an account that goes", stacks.unprotected("account"), "P1", "protect=True"),
    Case("azure", "a container that goes", stacks.unprotected("calls"), "P1", "protect=True"),
)

SINGLE = ["arn:aws:iam::291871421005:root"]
HARMLESS = (
    Case("aws", "a longer session isn't there", put("recorder", "maxSessionDuration", 43200.0), ""),
    Case(
        "aws",
        "the account as digits",
        put("recorder", "assumeRolePolicy", trust(Principal={"AWS": SERVICE})),
        "",
    ),
    Case(
        "aws",
        "a list of one",
        put("recorder", "assumeRolePolicy", trust(Principal={"AWS": SINGLE}, Action=["sts:AssumeRole"])),
        "",
    ),
    Case(
        "aws",
        "two external ids",
        put("recorder", "assumeRolePolicy", trust(**condition("StringEquals", ["acme", "tavus"]))),
        "",
    ),
    Case(
        "aws",
        "the key in other letters",
        put("recorder", "assumeRolePolicy", trust(**condition("StringEquals", "tavus", "STS:externalid"))),
        "",
    ),
    Case("aws", "no encryption said, which is S3's own", without("encryption"), ""),
    Case("aws", "a customer's key", put("encryption", "rules", kms_rules(KMS.format("eu-west-1"))), ""),
    Case("aws", "nothing expires", without("lifecycle"), ""),
    Case(
        "aws",
        "old versions in a rule of their own",
        put(
            "lifecycle",
            "rules",
            [*ONLY_CURRENT, stacks.rule(id="b", noncurrentVersionExpiration={"noncurrentDays": 9})],
        ),
        "",
    ),
    Case(
        "aws",
        "expiry for a folder, old versions everywhere",
        put(
            "lifecycle",
            "rules",
            [
                stacks.rule(filter={"prefix": "a/"}, expiration={"days": 9}),
                stacks.rule(id="b", noncurrentVersionExpiration={"noncurrentDays": 9}),
            ],
        ),
        "",
    ),
    Case(
        "aws",
        "an expiry that is off",
        put("lifecycle", "rules", [stacks.rule(status="Disabled", expiration={"days": 9})]),
        "",
    ),
    Case(
        "aws",
        "versions in the bucket itself",
        all_of(without("versioning"), inline("calls", versioning={"enabled": True})),
        "",
    ),
    Case("aws", "a policy attached to another role", own_policy("policyAttachment", roles=["ci"]), ""),
    Case("aws", "fewer actions", put("write", "policy", write(Action="s3:PutObject")), ""),
    Case(
        "aws",
        "a key for the role",
        put(
            "write",
            "policy",
            document(
                json.loads(write())["Statement"][0],
                {
                    "Effect": "Allow",
                    "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
                    "Resource": KMS.format("eu-west-1"),
                },
            ),
        ),
        "",
    ),
    Case(
        "aws",
        "a Deny of everything else",
        put(
            "write",
            "policy",
            document(
                json.loads(write())["Statement"][0], {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}
            ),
        ),
        "",
    ),
    Case(
        "aws",
        "a private ACL",
        add(Asked("aws:s3/bucketAcl:BucketAcl", "acl", {"bucket": BUCKET, "acl": "private"})),
        "",
    ),
    Case(
        "aws",
        "a reader",
        put(
            "tls",
            "policy",
            document(
                tls(),
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::111122223333:role/player"},
                    "Action": "s3:GetObject",
                    "Resource": f"{ARN}/*",
                },
            ),
        ),
        "",
    ),
    Case(
        "aws",
        "TLS in two statements",
        put("tls", "policy", document(tls(Resource=ARN), tls(Resource=f"{ARN}/*"))),
        "",
    ),
    Case(
        "gcp",
        "its own name as the audience",
        put(
            "provider",
            "oidc.allowedAudiences",
            [f"https://iam.googleapis.com/{stacks.POOL}/providers/recording-service", "more"],
        ),
        "",
    ),
    Case(
        "gcp",
        "one of two workspaces",
        put("provider", "attributeCondition", 'google.subject in ["w-acme", "w-acme-2"]'),
        "",
    ),
    Case(
        "gcp",
        "a condition on the claim",
        put("provider", "attributeCondition", 'assertion.sub == "w-acme"'),
        "",
    ),
    Case(
        "gcp",
        "a condition on another claim",
        put("provider", "attributeCondition", 'assertion.tenant == "acme"'),
        "",
    ),
    Case("gcp", "overwriting", bucket_grant("roles/storage.objectUser", MEMBER), ""),
    Case("gcp", "a reader", bucket_grant("roles/storage.objectViewer", "group:players@acme.example"), ""),
    Case(
        "gcp",
        "somebody else on the project",
        project_grant("Member", role="roles/owner", member="user:a@acme.example"),
        "",
    ),
    Case(
        "gcp",
        "deleted in any state",
        put("calls", "lifecycleRules", [{"action": {"type": "Delete"}, "condition": {"age": 90}}]),
        "",
    ),
    Case("gcp", "nothing expires", put("calls", "lifecycleRules", None), ""),
    Case(
        "gcp",
        "kept by Google's provider",
        all_of(stacks.unprotected("calls"), inline("calls", deletionPolicy="ABANDON")),
        "",
    ),
    Case("azure", "TLS 1.3", put("account", "minimumTlsVersion", "TLS1_3"), ""),
    Case("azure", "HTTPS only is the default", put("account", "enableHttpsTrafficOnly", None), ""),
    Case("azure", "a second credential of the service", beside("credential", subject="w-acme-2"), ""),
    Case("azure", "nothing expires", without("lifecycle"), ""),
    Case(
        "azure",
        "another application's secret",
        add(
            Asked(
                "azuread:index/applicationPassword:ApplicationPassword",
                "secret",
                {"applicationId": "/applications/6"},
            )
        ),
        "",
    ),
)


class Doubt(NamedTuple):
    """A value that isn't known: the one rule that needs it says so, and no rule refuses anything."""

    cloud: str
    edit: Edit
    rule: str
    names: str


def nowhere(name: str, path: str) -> Edit:
    """Not known, nor made of anything in the stack."""

    def edit(stack: Stack) -> None:
        put(name, path, UNKNOWN)(stack)
        stack[name] = replace(stack[name], reads={})

    return edit


def doubt(cloud: str, name: str, path: str, rule: str) -> Doubt:
    return Doubt(cloud, put(name, path, UNKNOWN), rule, name)


DOUBTFUL = (
    doubt("aws", "recorder", "maxSessionDuration", "S1"),
    Doubt(
        "aws",
        put(
            "recorder",
            "assumeRolePolicy",
            trust(Condition={"StringEquals": {"sts:ExternalId": "tavus", "aws:PrincipalOrgID": "o-1"}}),
        ),
        "S2",
        "recorder",
    ),
    Doubt("aws", put("encryption", "rules", UNKNOWN), "S4", "calls"),
    Doubt("aws", put("encryption", "rules", kms_rules(UNKNOWN)), "S4", "calls"),
    doubt("aws", "lifecycle", "rules", "S7"),
    doubt("aws", "versioning", "versioningConfiguration", "S8"),
    doubt("aws", "versioning", "versioningConfiguration.status", "S8"),
    Doubt("aws", nowhere("versioning", "bucket"), "S8", "calls"),
    Doubt("aws", put("write", "policy", UNKNOWN), "S10", "write"),
    Doubt("aws", attached("arn:aws:iam::111122223333:policy/somewhere-else"), "S10", "recorder"),
    doubt("aws", "block", "blockPublicAcls", "S11"),
    doubt("aws", "calls", "forceDestroy", "P1"),
    doubt("gcp", "provider", "oidc.allowedAudiences", "G3"),
    doubt("gcp", "provider", "attributeCondition", "G4"),
    Doubt(
        "gcp", put("provider", "attributeCondition", 'google.subject.substring(0) == "w"'), "G4", "provider"
    ),
    doubt("gcp", "trust", "members", "G5"),
    Doubt("gcp", all_of(put("trust", "members", [UNKNOWN])), "G5", "trust"),
    doubt("gcp", "write", "role", "G13"),
    Doubt("gcp", bucket_grant("projects/acme-prod/roles/own", MEMBER), "G13", "granted"),
    doubt("gcp", "calls", "publicAccessPrevention", "G14"),
    doubt("gcp", "calls", "versioning", "G16"),
    doubt("gcp", "calls", "lifecycleRules", "G16"),
    doubt("azure", "credential", "audiences", "Z1"),
    doubt("azure", "credential", "subject", "Z4"),
    doubt("azure", "recorder", "password", "Z11"),
    doubt("azure", "write", "scope", "Z12"),
    Doubt("azure", beside("credential", issuer=UNKNOWN), "Z13", "other"),
    doubt("azure", "account", "minimumTlsVersion", "Z15"),
    doubt("azure", "account", "encryption", "Z16"),
    doubt("azure", "service", "isVersioningEnabled", "Z17"),
    doubt("azure", "lifecycle", "policy", "Z17"),
    doubt("gcp", "provider", "oidc", "P2"),
    Doubt("gcp", beside("provider", oidc={"issuerUri": UNKNOWN}), "G11", "other"),
    Doubt("gcp", all_of(account_key(UNKNOWN), nowhere("key", "serviceAccountId")), "P2", "key"),
    doubt("azure", "credential", "issuer", "P2"),
    Doubt("gcp", nowhere("provider", "workloadIdentityPoolId"), "P2", "provider"),
    *(Doubt("gcp", nowhere("trust", path), "P2", "trust") for path in ("serviceAccountId", "members")),
    *(Doubt("gcp", nowhere("write", path), "P2", "write") for path in ("bucket", "member")),
    Doubt("gcp", project_grant("Member", role="roles/owner", member=UNKNOWN), "P2", "wide"),
    Doubt("azure", nowhere("credential", "applicationId"), "P2", "credential"),
    Doubt("azure", nowhere("principal", "clientId"), "P2", "principal"),
    Doubt("azure", nowhere("write", "principalId"), "P2", "write"),
    doubt("aws", "recorder", "assumeRolePolicy", "S2"),
    doubt("aws", "tls", "policy", "S12"),
)
