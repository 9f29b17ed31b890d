"""Play the recording service on a stack in the sandbox: assume its role, record, and try what must be refused."""

import json
import os
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

storage = json.loads(Path(os.environ["RECORDING_STORAGE_OUTPUTS"]).read_text())["recording_storage"]
bucket, region = storage["bucket_name"], storage["bucket_region"]
service = boto3.Session(profile_name="recording-service", region_name=region)


def recorder(external_id: str) -> Any:
    """Assume the role, as the service does; gives an S3 client."""
    session = service.client("sts").assume_role(
        RoleArn=storage["assume_role_arn"],
        RoleSessionName="recorder",
        ExternalId=external_id,
        DurationSeconds=43200,
    )["Credentials"]
    return boto3.client(
        "s3",
        region_name=region,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )


s3 = recorder("tavus")
s3.put_object(Bucket=bucket, Key="c93a7ead335b/call.mp4", Body=b"a recording")
print("written")
for attempt in (
    lambda: s3.delete_object(Bucket=bucket, Key="c93a7ead335b/call.mp4"),
    lambda: recorder("not-tavus"),
):
    try:
        attempt()
    except ClientError as error:
        print(error.operation_name, error.response.get("Error", {}).get("Code"))
