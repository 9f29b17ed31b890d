"""What Amazon STS, S3 and KMS say, and the recording service of them."""

from __future__ import annotations

from typing import Final

from recording_storage.explain.symptoms import Rank, Symptom

_TAVUS: Final = (
    "https://docs.tavus.io/sections/conversational-video-interface/quickstart/conversation-recordings"
)
_AWS: Final = "https://docs.aws.amazon.com"
_ASSUME: Final = f"{_AWS}/STS/latest/APIReference/API_AssumeRole.html"
_DENIED: Final = f"{_AWS}/IAM/latest/UserGuide/troubleshoot_access-denied.html"
_S3_DENIED: Final = f"{_AWS}/AmazonS3/latest/userguide/troubleshoot-403-errors.html"
_S3_ERRORS: Final = f"{_AWS}/AmazonS3/latest/API/ErrorResponses.html"
_KMS: Final = f"{_AWS}/AmazonS3/latest/userguide/UsingKMSEncryption.html"
_KEY_STATES: Final = f"{_AWS}/kms/latest/developerguide/key-state.html"

_KEY: Final = r"\bkms:(GenerateDataKey|Decrypt|Encrypt|ReEncrypt|DescribeKey)"
_BY_S3: Final = (
    r"AccessDenied\)? when calling the (PutObject|CreateMultipartUpload|UploadPart|CompleteMultipartUpload|"
    r"AbortMultipartUpload|List\w+|GetObject\w*|HeadObject|HeadBucket)\b"
)
_OPERATION: Final = (
    r"\b(PutObject|CreateMultipartUpload|UploadPart|CompleteMultipartUpload|AbortMultipartUpload|GetObject|"
    r"ListObjects(V2)?|ListObjectVersions|ListParts|ListMultipartUploads): (AccessDenied|403)\b"
)

S3_SYMPTOMS: Final = (
    Symptom(
        "unable to assume role with given parameters",
        r"unable to assume role with (the )?given parameters",
        "s3",
        "The recording service could not assume the role as it created the room, so this conversation isn't recorded.",
        ("S1", "S2"),
        _TAVUS,
        "A",
        "Mend the role, and create the conversation again.",
    ),
    Symptom(
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role",
        r"DurationSeconds exceeds the MaxSessionDuration",
        "s3",
        "A session was asked for that is longer than the role allows.",
        ("S1",),
        _ASSUME,
        "B",
    ),
    Symptom(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        r"session limit for roles assumed by role chaining",
        "s3",
        "Somebody who is a role already asked for more than an hour: a try of your own, not the recording service.",
        (),
        _ASSUME,
        "B",
        "Chained roles get an hour at most, whatever the role allows, so such a try proves nothing about the service.",
    ),
    Symptom(
        "… is not authorized to perform: sts:AssumeRole …, with an explicit deny",
        r"sts:AssumeRole\b.*explicit deny in a (service|resource) control policy",
        "s3",
        "A policy of your organisation denies that the role is assumed.",
        ("S6",),
        _DENIED,
        "A",
    ),
    Symptom(
        "… is not authorized to perform: sts:AssumeRole",
        r"not authorized to perform: sts:AssumeRole|AccessDenied\)? when calling the AssumeRole|AssumeRole: "
        r"AccessDenied",
        "s3",
        "STS let nobody assume the role: its trust doesn't let the service in, or there is no such role.",
        ("S2", "S6"),
        _DENIED,
        "A",
        rank=Rank.KIND,
    ),
    Symptom(
        "… with an explicit deny in a resource-based policy",
        r"explicit deny in a resource-based policy",
        "s3",
        "A Deny in the bucket's (or the key's) policy hits the service.",
        ("S6", "S4"),
        _DENIED,
        "A",
    ),
    Symptom(
        "… with an explicit deny in a service control policy, a resource control policy, a permissions boundary or "
        "a VPC endpoint policy",
        r"explicit deny in an? (service control|resource control|permissions boundary|VPC endpoint)",
        "s3",
        "A Deny from beyond the role and the bucket hits the service.",
        ("S6",),
        _DENIED,
        "A",
    ),
    Symptom(
        "… because no service control policy, resource control policy or permissions boundary allows the … action",
        r"because no (service control policy|resource control policy|permissions boundary|VPC endpoint policy) allows",
        "s3",
        "A limit from beyond the role leaves the action out.",
        ("S6",),
        _DENIED,
        "A",
    ),
    Symptom(
        "… with an explicit deny in an identity-based policy",
        r"explicit deny in an identity-based policy",
        "s3",
        "A Deny among the role's own policies hits the service.",
        ("S6", "S3", "S4"),
        _DENIED,
        "A",
    ),
    Symptom(
        "… is not authorized to perform: kms:GenerateDataKey, or kms:Decrypt",
        rf"{_KEY}|KMS\.AccessDenied",
        "s3",
        "The role, or the key's policy, doesn't let the service use the key that encrypts the bucket.",
        ("S4",),
        _KMS,
        "A",
        "Uploads in parts take both kms:GenerateDataKey and kms:Decrypt.",
    ),
    Symptom(
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are "
        "not allowed to access",
        r"refers to a customer master key that does not exist",
        "s3",
        "S3 can't use the key that encrypts the bucket: it isn't there, or it is closed to the role.",
        ("S4",),
        _KMS,
        "B",
    ),
    Symptom(
        "KMS.DisabledException",
        r"KMS\.?DisabledException|:key/[\w-]+ is disabled",
        "s3",
        "The key that encrypts the bucket is disabled.",
        ("S4",),
        _KEY_STATES,
        "A",
        "Enabled again, it is as it was: aws kms enable-key --key-id KEY.",
    ),
    Symptom(
        "KMS.KMSInvalidStateException (… is pending deletion)",
        r"KMSInvalidStateException|:key/[\w-]+ is pending (deletion|import)",
        "s3",
        "The key that encrypts the bucket is about to be deleted, or without its material.",
        ("S4",),
        _KEY_STATES,
        "A",
        "With the key all that it encrypted is lost. Until then: aws kms cancel-key-deletion, aws kms enable-key.",
    ),
    Symptom(
        "KMS.NotFoundException",
        r"KMS\.?NotFoundException|KMS\.NotFound",
        "s3",
        "The key that the bucket names isn't there: deleted, of another region, or an alias that leads nowhere.",
        ("S4",),
        _KMS,
        "A",
    ),
    Symptom(
        "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters",
        r"(Content-MD5|x-amz-checksum-)[^.]{0,60} HTTP header is required",
        "s3",
        "The bucket locks every object for a time (Object Lock), takes none without a checksum, and got none.",
        ("S5",),
        f"{_AWS}/AmazonS3/latest/API/API_PutObject.html",
        "A",
    ),
    Symptom(
        "NoSuchBucket",
        r"\bNoSuchBucket\b",
        "s3",
        "There is no bucket of that name.",
        ("S3",),
        _S3_ERRORS,
        "A",
    ),
    Symptom(
        "PermanentRedirect, IllegalLocationConstraintException, AuthorizationHeaderMalformed",
        r"\bPermanentRedirect\b|IllegalLocationConstraint|AuthorizationHeaderMalformed|region '[\w-]+' is wrong|"
        r"must be addressed using the specified endpoint",
        "s3",
        "The bucket is in another region than the one that the service was told.",
        ("S3",),
        _S3_ERRORS,
        "A",
        "bucket_region in recording_storage must be the region that the bucket was made in.",
    ),
    Symptom(
        "… is not authorized to perform: s3:… because no identity-based policy allows the s3:… action",
        r"because no (identity|resource)-based policy allows the s3:",
        "s3",
        "Nothing allows the service what it tried: an action is missing, or the bucket's ARN, or its objects' (/*).",
        ("S3",),
        _S3_DENIED,
        "A",
    ),
    Symptom(
        "AccessDenied, from S3",
        rf"not authorized to perform: s3:|{_BY_S3}|{_OPERATION}",
        "s3",
        "S3 refused what the service tried in the bucket.",
        ("S3", "S6", "S4"),
        _S3_DENIED,
        "A",
        "Who is in another account isn't told why. Where the role looks right, look for a Deny, and at the key.",
        Rank.KIND,
    ),
    Symptom(
        "AccessDenied",
        r"\bAccess ?Denied\b",
        "s3",
        "AWS refused something, and didn't say what.",
        ("S2", "S3", "S6", "S4"),
        _S3_DENIED,
        "A",
        rank=Rank.GENERAL,
    ),
)
"""Rows for S3. AWS says which kind of policy refused within one account or organisation only."""
