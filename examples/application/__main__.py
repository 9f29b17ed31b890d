"""An application's program: where it records to, and what it may play, it reads from the recordings' stack."""

import pulumi
import pulumi_aws as aws

recordings = pulumi.StackReference(f"{pulumi.get_organization()}/recordings/{pulumi.get_stack()}")
calls = recordings.require_output("calls")

lambda_function = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
player = aws.iam.Role(
    "player",
    name=f"player-{pulumi.get_stack()}",
    assume_role_policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [lambda_function]}),
)
play = {
    "Effect": "Allow",
    "Action": "s3:GetObject",
    "Resource": pulumi.Output.concat(calls["bucket_arn"], "/*"),
}
aws.iam.RolePolicy(
    "player-play",
    name="play",
    role=player.name,
    policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": [play]}),
)

pulumi.export("player", player.name)
pulumi.export(
    "conversation",
    {
        "replica_id": pulumi.Config().require("replica_id"),
        "properties": calls["conversation_properties"],
    },
)
