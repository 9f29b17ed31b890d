"""Policies on their own: whether they are stored, and whether S3 calls them public."""

from __future__ import annotations

import json

from policy_case import (
    ACTION,
    ASSUME,
    AWAY,
    CALLER,
    EFFECT,
    GRAMMAR,
    HOME,
    IAM,
    NOT_PRINCIPAL,
    OPERATORS,
    PRINCIPAL,
    RESOURCE,
    SID,
    VERSION,
    Reading,
    allow,
    deny,
    held,
    public,
    stored,
    trust,
    without,
)

ACCESS_POINTS = "arn:aws:s3:us-west-2:123456789012:accesspoint/*"
ALLOW_TWICE = f'{{"Statement": {json.dumps(allow())}, "Statement": {json.dumps(allow())}}}'
SHAPES = [
    stored("identity policy", GRAMMAR, "stored", allow()),
    Reading("single statement as text", GRAMMAR, "stored", json.dumps({"Statement": allow()}), "identity"),
    Reading("not JSON", GRAMMAR, "malformed", "{", "identity"),
    Reading("element twice", GRAMMAR, "malformed", ALLOW_TWICE, "identity"),
    Reading("no statement", GRAMMAR, "malformed", {"Version": "2012-10-17", "Statement": []}, "identity"),
    stored("unknown version", VERSION, "malformed", allow(), Version="2012-10-18"),
    stored("unknown element of the policy", GRAMMAR, "malformed", allow(), Owner="x"),
    stored("unknown element", GRAMMAR, "malformed", allow(Conditions={})),
    stored("Id in an identity policy", GRAMMAR, "malformed", allow(), Id="x"),
    stored("Id in a bucket policy", GRAMMAR, "stored", allow(Principal="*"), "resource", Id="x"),
    stored("no Effect", EFFECT, "malformed", without(allow(), "Effect")),
    stored("Effect in lower case", EFFECT, "malformed", {**allow(), "Effect": "allow"}),
    stored("no Action", ACTION, "malformed", without(allow(), "Action")),
    stored("Action and NotAction", GRAMMAR, "malformed", allow(NotAction="s3:*")),
    stored("action without a service", ACTION, "malformed", allow("GetObject")),
    stored("no Resource", RESOURCE, "malformed", without(allow(), "Resource")),
    stored("resource that is no ARN", RESOURCE, "malformed", allow(resource="recordings/*")),
    stored("wildcard service", RESOURCE, "malformed", allow(resource="arn:aws:*:::recordings")),
    stored("Principal in an identity policy", PRINCIPAL, "malformed", allow(Principal="*")),
    stored("Sid with a space", SID, "malformed", allow(Sid="a b")),
    stored("Sid with a space in a bucket policy", SID, "stored", allow(Sid="a b", Principal="*"), "resource"),
    Reading("Sid twice", SID, "malformed", {"Statement": [allow(Sid="a"), deny(Sid="a")]}, "identity"),
    stored("no Principal", PRINCIPAL, "malformed", allow(), "resource"),
    stored(
        "partial wildcard in a principal",
        PRINCIPAL,
        "malformed",
        allow(Principal={"AWS": f"arn:aws:iam::{HOME}:user/*"}),
        "resource",
    ),
    stored(
        "wildcard session",
        PRINCIPAL,
        "malformed",
        allow(Principal={"AWS": f"arn:aws:sts::{HOME}:assumed-role/writer/*"}),
        "resource",
    ),
    stored("principal that was deleted", PRINCIPAL, "stored", trust({"AWS": "AROAEXAMPLE12345678"}), "trust"),
    stored("principal that is no ARN", PRINCIPAL, "malformed", allow(Principal={"AWS": "ana"}), "resource"),
    stored("unknown principal type", PRINCIPAL, "malformed", allow(Principal={"User": "x"}), "resource"),
    stored("principal as bare account", PRINCIPAL, "malformed", allow(Principal=HOME), "resource"),
    stored("NotPrincipal with Allow", NOT_PRINCIPAL, "malformed", allow(NotPrincipal=CALLER), "resource"),
    stored(
        "NotPrincipal in a trust policy",
        NOT_PRINCIPAL,
        "malformed",
        {**without(trust("*"), "Principal"), "Effect": "Deny", "NotPrincipal": CALLER},
        "trust",
    ),
    stored("trust policy", GRAMMAR, "stored", trust(CALLER), "trust"),
    stored(
        "trust policy with a resource",
        f"{IAM}troubleshoot_roles.html",
        "malformed",
        trust(CALLER, Resource="*"),
        "trust",
    ),
    stored(
        "trust policy without a principal", GRAMMAR, "malformed", without(trust("*"), "Principal"), "trust"
    ),
    stored(
        "trust policy for another service",
        ASSUME,
        "malformed",
        {**trust(CALLER), "Action": "s3:GetObject"},
        "trust",
    ),
    stored("unknown operator", OPERATORS, "malformed", allow(Condition={"StringMatches": {"a:x": "1"}})),
    stored("NullIfExists", OPERATORS, "malformed", allow(Condition={"NullIfExists": {"a:x": "true"}})),
    stored(
        "operator in another case", OPERATORS, "undecidable", allow(Condition={"stringequals": {"a:x": "1"}})
    ),
    stored("Null on a set", OPERATORS, "undecidable", allow(Condition={"ForAnyValue:Null": {"a:x": "true"}})),
    stored("condition that is no object", GRAMMAR, "malformed", allow(Condition=["x"])),
    public("everyone", "public", allow(Principal="*")),
    public("everyone, written long", "public", allow(Principal={"AWS": ["*"]})),
    public("a fixed principal", "stored", allow(Principal={"AWS": AWAY})),
    public("a service", "stored", allow(Principal={"Service": "cloudtrail.amazonaws.com"})),
    public("one public statement of several", "public", allow(Principal={"AWS": AWAY}), allow(Principal="*")),
    public("a public Deny is not a grant", "stored", deny(Principal="*")),
    public("wildcard VPC", "public", held("StringLike", "aws:SourceVpc", "vpc-*")),
    public("fixed VPC", "stored", held("StringEquals", "aws:SourceVpc", "vpc-91237329")),
    public("fixed VPC, if there is one", "public", held("StringEqualsIfExists", "aws:SourceVpc", "vpc-1")),
    public("any other VPC", "public", held("StringNotEquals", "aws:SourceVpc", "vpc-1")),
    public(
        "set of values that may be empty",
        "public",
        held("ForAllValues:StringEquals", "aws:SourceVpc", "vpc-1"),
    ),
    public("organization", "stored", held("StringEquals", "aws:PrincipalOrgID", "o-1")),
    public("variable", "public", held("StringEquals", "aws:SourceAccount", "${aws:PrincipalAccount}")),
    public("addresses", "stored", held("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "10.0.0.0/8"])),
    public(
        "very many addresses", "public", held("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "0.0.0.0/1"])
    ),
    public("very many IPv6 addresses", "public", held("IpAddress", "aws:SourceIp", "2001::/31")),
    public("IPv6 addresses", "stored", held("IpAddress", "aws:SourceIp", "2001:db8::/32")),
    public(
        "access points of an account", "stored", held("StringLike", "s3:DataAccessPointArn", ACCESS_POINTS)
    ),
    public(
        "access points of any account",
        "public",
        held("StringLike", "s3:DataAccessPointArn", ACCESS_POINTS.replace("123456789012", "*")),
    ),
    public("user id", "stored", held("StringEquals", "aws:userid", "AIDAEXAMPLE")),
    public("any session of a role id", "public", held("StringLike", "aws:userid", "AROAEXAMPLE:*")),
    public("a key that isn't listed", "public", held("StringEquals", "aws:UserAgent", "x")),
]
