"""The AWS stand-in: S3, IAM and STS."""
