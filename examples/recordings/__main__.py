"""A team's own program: two destinations, in the places for which it makes the providers itself."""

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp

from components.gcs import GcsDestination
from components.s3 import S3Destination

config = pulumi.Config()
account, project = config.require("account"), config.require("google_project")

amazon = aws.Provider("amazon", region="eu-west-1", allowed_account_ids=[account])
google = gcp.Provider("google", project=project, add_pulumi_attribution_label=False)

calls = S3Destination(
    "calls",
    {"region": "eu-west-1", "account_id": account, "retention_days": 90},
    pulumi.ResourceOptions(providers=[amazon]),
)
meetings = GcsDestination(
    "meetings",
    {"project": project, "location": "europe-west1", "workspace_id": config.require("workspace_id")},
    pulumi.ResourceOptions(providers=[google]),
)

pulumi.export(
    "calls", {"conversation_properties": calls.conversation_properties, "bucket_arn": calls.bucket_arn}
)
pulumi.export("meetings", {"conversation_properties": meetings.conversation_properties})
