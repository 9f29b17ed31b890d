"""The application's player in the sandbox, tried by whoever owns the account: it plays a recording, and writes none.

`python player.py ROLE OUTPUT KEY`; the output is a destination's on S3, as JSON. The role is Lambda's, which isn't
in a sandbox, so the owner lets itself assume it.
"""

from __future__ import annotations

import json
import sys

import boto3
from botocore.exceptions import ClientError

name, output, key = sys.argv[1:]
bucket = json.loads(output)["bucket_arn"].rpartition(":")[2]
iam = boto3.client("iam")
role = iam.get_role(RoleName=name)["Role"]
owner = {"Effect": "Allow", "Principal": {"AWS": role["Arn"].split(":")[4]}, "Action": "sts:AssumeRole"}
iam.update_assume_role_policy(
    RoleName=name, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [owner]})
)
given = boto3.client("sts", region_name="us-east-1").assume_role(
    RoleArn=role["Arn"], RoleSessionName="player"
)
s3 = boto3.client(
    "s3",
    region_name="eu-west-1",
    aws_access_key_id=given["Credentials"]["AccessKeyId"],
    aws_secret_access_key=given["Credentials"]["SecretAccessKey"],
    aws_session_token=given["Credentials"]["SessionToken"],
)
print(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())
try:
    s3.put_object(Bucket=bucket, Key=key, Body=b"another")
except ClientError as error:
    print(error.operation_name, error.response.get("Error", {}).get("Code"))
