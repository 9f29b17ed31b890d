"""A policy pack that has something against every bucket and role: what a preview says then is recorded beside it."""

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)


def no_bucket(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.resource_type == "aws:s3/bucket:Bucket":
        report(f"the bucket {args.props.get('bucket')} is refused: write another", None)


def no_role(args: ResourceValidationArgs, report: ReportViolation) -> None:
    if args.resource_type == "aws:iam/role:Role":
        report("arn:aws:iam::111122223333:role/somebody could do it", None)


PolicyPack(
    "sample",
    policies=[
        ResourceValidationPolicy("no-bucket", "Buckets are refused.", no_bucket, EnforcementLevel.MANDATORY),
        ResourceValidationPolicy("no-role", "Roles are seen to.", no_role, EnforcementLevel.ADVISORY),
        ResourceValidationPolicy("nothing", "Nothing is said.", lambda _args, _report: None),
    ],
)
