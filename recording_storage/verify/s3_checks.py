"""The checks of a destination on Amazon S3: rows of the table (`tables`)."""

from __future__ import annotations

from typing import Final

from recording_storage.verify.checks import Check

_TAVUS: Final = (
    "https://docs.tavus.io/sections/conversational-video-interface/quickstart/conversation-recordings"
)
_IAM: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
_S3: Final = "https://docs.aws.amazon.com/AmazonS3/latest/userguide"
_KMS: Final = "https://docs.aws.amazon.com/kms/latest/developerguide"
_API: Final = "https://docs.aws.amazon.com/AmazonS3/latest/API"

ROLE: Final = ("iam:GetRole",)
POLICIES: Final = (
    *ROLE,
    "iam:ListRolePolicies",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
)
BUCKET: Final = ("s3:GetBucketLocation", "s3:GetBucketPolicy")
NOT_ASSUMED: Final = "unable to assume role with given parameters, when a room is created"
SILENT: Final = "recordings are silently missing: S3's failures have no event"

S3_CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "S1",
        "sessions are as long as the service asks for",
        ROLE,
        "the role's MaxSessionDuration is no less than the profile's session_seconds",
        NOT_ASSUMED,
        "aws iam update-role --role-name ROLE --max-session-duration 43200",
        _TAVUS,
    ),
    Check(
        "S2",
        "the role lets the service in",
        ROLE,
        "the trust policy, evaluated for a call of AssumeRole by some role of the service's account, with the external"
        " id that is handed over, from any address, outside your organisation and without a second factor",
        f"{NOT_ASSUMED}; or AccessDenied",
        "trust the service's account, with its external id under StringEquals and no other condition",
        f"{_IAM}/confused-deputy.html",
    ),
    Check(
        "S3",
        "the role may write to the bucket",
        (*POLICIES, *BUCKET),
        "the bucket is in the region that is handed over, and the role's policies (for a bucket of another account its"
        " policy too), evaluated without what denies, allow each action on the bucket, and on objects under any key",
        SILENT,
        "allow the service's actions on the bucket and on its objects, under no prefix",
        _TAVUS,
    ),
    Check(
        "S4",
        "the bucket's key can be used",
        (
            *POLICIES,
            "s3:GetBucketLocation",
            "s3:GetEncryptionConfiguration",
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
            "kms:ListGrants",
        ),
        "the key of the default encryption is there, enabled, symmetric and in the bucket's region, and its policy, the"
        " role's or a grant, evaluated for requests through S3, allow kms:GenerateDataKey and kms:Decrypt",
        f"AccessDenied on PutObject; {SILENT}",
        "allow kms:GenerateDataKey and kms:Decrypt to the role, in its policy and in the key's",
        f"{_S3}/mpuoverview.html#mpuAndPermissions",
    ),
    Check(
        "S5",
        "uploads need no checksum",
        ("s3:GetBucketObjectLockConfiguration",),
        "the bucket has no default retention; one is a warning, because S3 then refuses uploads without a checksum,"
        " AWS's newer clients send one by themselves, and what the service's client does isn't published",
        f"HTTP 400 on PutObject (Content-MD5 OR x-amz-checksum- HTTP header is required); {SILENT}",
        "drop the default retention, or record once and see that it arrives",
        f"{_API}/API_PutObject.html",
    ),
    Check(
        "S6",
        "nothing denies what is allowed",
        (*POLICIES, *BUCKET),
        "the role's policies, its permissions boundary and the bucket's policy, evaluated as a whole, deny none of the"
        " service's requests, which carry no encryption headers and come through no VPC endpoint of yours; and IAM's"
        " simulator, where the caller may ask it (iam:SimulatePrincipalPolicy), sees no organisation's policy doing so",
        f"AccessDenied although the role's policy looks right; {SILENT}",
        "except the role from the deny, or have the boundary or the organisation's policy allow it",
        f"{_IAM}/reference_policies_evaluation-logic.html",
    ),
    Check(
        "S7",
        "what expires goes altogether",
        ("s3:GetLifecycleConfiguration", "s3:GetBucketVersioning"),
        "where versioning is on, every lifecycle rule that expires current versions is matched by one, for no fewer"
        " objects, that ends old versions",
        "storage grows for ever",
        "add NoncurrentVersionExpiration to the lifecycle rule",
        f"{_S3}/lifecycle-configuration-examples.html",
    ),
    Check(
        "S8",
        "versions are kept",
        ("s3:GetBucketVersioning",),
        "the bucket's versioning is enabled",
        "the vendor's prerequisite isn't met",
        "aws s3api put-bucket-versioning --bucket BUCKET --versioning-configuration Status=Enabled",
        _TAVUS,
    ),
    Check(
        "S9",
        "nobody else is let in",
        ROLE,
        "the trust policy, evaluated for strangers with the external id, for the service's account with another one, in"
        " another case or without, and for everyone whom it names, refuses all but the service and what is known",
        "nothing shows: others can have recordings written to your bucket, and read it",
        "trust the service's account alone, with its external id under StringEquals",
        f"{_IAM}/confused-deputy.html",
    ),
    Check(
        "S10",
        "the role can do nothing beyond",
        (
            *POLICIES,
            *BUCKET,
            "s3:GetEncryptionConfiguration",
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
        ),
        "of every action and resource that a statement allows, an example is evaluated against all of the role's"
        " policies: only the service's actions, reading, and the use of the bucket's key are allowed, on this bucket",
        "nothing shows: who has the role's session can do more than record",
        "leave the service's actions on the bucket and its objects in the role's policies, and nothing else",
        f"{_IAM}/best-practices.html#grant-least-privilege",
    ),
    Check(
        "S11",
        "the bucket isn't public",
        (
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketPolicyStatus",
            "s3:GetBucketAcl",
            "s3:GetBucketPolicy",
        ),
        "Block Public Access is on; or else neither S3's own word (GetBucketPolicyStatus), nor the policy, nor the ACL"
        " says that it is public, which is a warning still",
        "nothing shows: anybody can read recordings",
        f"aws s3api put-public-access-block --bucket BUCKET --public-access-block-configuration {{…}}: {_S3}"
        "/access-control-block-public-access.html",
        f"{_S3}/access-control-block-public-access.html",
    ),
    Check(
        "S12",
        "plain HTTP is refused",
        ("s3:GetBucketPolicy",),
        "the bucket's policy, evaluated for reads and writes without TLS by the role and by others, denies them",
        "nothing shows: a client that is set wrongly sends recordings in the clear",
        'add a Deny of s3:* to everybody where "aws:SecureTransport" is "false" to the bucket\'s policy',
        f"{_S3}/security-best-practices.html",
    ),
)
