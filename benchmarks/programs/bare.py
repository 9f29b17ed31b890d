"""The least that a Pulumi program on AWS is: one bucket."""

import pulumi
import pulumi_aws as aws

bucket = aws.s3.Bucket("recordings")
pulumi.export("bucket", bucket.bucket)
