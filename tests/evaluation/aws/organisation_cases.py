"""What the documentation states of service control policies: they limit an account's principals, and give nothing."""

from __future__ import annotations

from policy_case import (
    AWAY,
    BUCKET,
    HOME,
    KEY,
    ROLE,
    ROLE_ARN,
    Case,
    allow,
    deny,
    root,
)

SCP = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html"
EFFECTS = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html"
EVERYTHING = allow("*")
IN_EUROPE = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}

ORGANISATION_CASES = [
    Case("organisation allows too", SCP, "allowed", identity=[allow()], organisation=[[EVERYTHING]]),
    Case(
        "organisation gives nothing",
        EFFECTS,
        "denied",
        organisation=[[EVERYTHING]],
        says="no statement of the caller's",
    ),
    Case(
        "organisation is silent",
        SCP,
        "denied",
        identity=[allow()],
        organisation=[[allow("sqs:*")]],
        says="no statement of the organisation's policies allows it",
    ),
    Case(
        "organisation denies",
        SCP,
        "explicit deny",
        identity=[allow()],
        organisation=[[EVERYTHING, deny("s3:GetObject")]],
        says="explicit deny in the organisation's policies",
    ),
    Case(
        "one level is silent",
        SCP,
        "denied",
        identity=[allow()],
        organisation=[[EVERYTHING], [allow("sqs:*")]],
    ),
    Case(
        "another level is silent",
        SCP,
        "denied",
        identity=[allow()],
        organisation=[[allow("sqs:*")], [EVERYTHING]],
    ),
    Case(
        "organisation limits what a bucket policy gives",
        EFFECTS,
        "denied",
        who=ROLE,
        attached=[allow(Principal={"AWS": ROLE_ARN})],
        organisation=[[allow("sqs:*")]],
    ),
    Case(
        "organisation limits who reaches another account",
        EFFECTS,
        "denied",
        owner=AWAY,
        identity=[allow()],
        attached=[allow(Principal={"AWS": HOME})],
        organisation=[[allow("sqs:*")]],
    ),
    Case(
        "organisation limits what a grant gives",
        EFFECTS,
        "denied",
        who=ROLE,
        action="kms:Decrypt",
        resource=KEY,
        kind="key",
        attached=[allow("kms:*", Principal={"AWS": root(HOME)})],
        grants=[True],
        organisation=[[allow("s3:*")]],
    ),
    Case(
        "organisation's condition is met",
        SCP,
        "allowed",
        identity=[allow()],
        context={"aws:RequestedRegion": ["eu-west-1"]},
        organisation=[[allow("s3:*", f"{BUCKET}/*", Condition=IN_EUROPE)]],
    ),
    Case(
        "organisation's condition isn't met",
        SCP,
        "denied",
        identity=[allow()],
        context={"aws:RequestedRegion": ["us-east-1"]},
        organisation=[[allow("s3:*", f"{BUCKET}/*", Condition=IN_EUROPE)]],
    ),
    Case(
        "organisation's condition isn't known",
        SCP,
        "undecidable",
        identity=[allow()],
        unknown=frozenset({"aws:requestedregion"}),
        organisation=[[allow("s3:*", f"{BUCKET}/*", Condition=IN_EUROPE)]],
    ),
]
