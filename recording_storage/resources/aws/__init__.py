"""AWS resources through boto3: what the destinations are made of, and what a team adds beside them.

Leaves out every type that no destination needs; a program that registers one is told so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.resources import Provider
from recording_storage.resources.aws import iam, kms, s3
from recording_storage.resources.aws.clients import Clients

if TYPE_CHECKING:
    from recording_storage.resources import Properties


def _caller_identity(clients: Clients, args: Properties) -> Properties:
    found = clients.get("sts").get_caller_identity()
    return {
        "id": found["Account"],
        "accountId": found["Account"],
        "arn": found["Arn"],
        "userId": found["UserId"],
    }


PROVIDER = Provider(
    types={
        "aws:s3/bucket:Bucket": s3.Bucket(),
        "aws:s3/bucketVersioning:BucketVersioning": s3.VERSIONING,
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": s3.PUBLIC_ACCESS_BLOCK,
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": s3.OWNERSHIP,
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": s3.ENCRYPTION,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": s3.LIFECYCLE,
        "aws:s3/bucketPolicy:BucketPolicy": s3.POLICY,
        "aws:iam/role:Role": iam.Role(),
        "aws:iam/rolePolicy:RolePolicy": iam.RolePolicy(),
        "aws:iam/policy:Policy": iam.ManagedPolicy(),
        "aws:kms/key:Key": kms.Key(),
    },
    functions={
        "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
        "aws:s3/getBucket:getBucket": s3.get_bucket,
    },
    configure=Clients,
)
