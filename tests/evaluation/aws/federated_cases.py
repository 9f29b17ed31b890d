"""Who comes with an identity provider's token: what the documentation states of trust policies for them."""

from __future__ import annotations

from typing import Any

from policy_case import HOME, IAM, Case, Json, assume, root

FEDERATED = f"{IAM}reference_policies_elements_principal.html#principal-federated-web-identity"
TRUST = f"{IAM}id_roles_create_for-idp_oidc.html"
HOST = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{HOME}:oidc-provider/{HOST}"
SUBJECT = "repo:acme/recordings:environment:production"
PIPELINE = ("", "", None, PROVIDER)
ACTION = "sts:AssumeRoleWithWebIdentity"


def let_in(principal: Any, *subjects: str, **more: Any) -> Json:
    condition = {"StringEquals": {f"{HOST}:sub": list(subjects or (SUBJECT,))}}
    return {"Effect": "Allow", "Action": ACTION, "Principal": principal, "Condition": condition, **more}


def exchange(name: str, page: str, expect: str, *statements: Json, subject: str = SUBJECT) -> Case:
    context = {f"{HOST}:sub": [subject]}
    return assume(name, page, expect, statements, who=PIPELINE, action=ACTION, context=context)


FEDERATED_CASES = [
    exchange("the provider and the subject are named", TRUST, "allowed", let_in({"Federated": PROVIDER})),
    exchange(
        "one of several subjects",
        TRUST,
        "allowed",
        let_in({"Federated": PROVIDER}, "repo:acme/recordings:pull_request", SUBJECT),
    ),
    exchange(
        "another subject",
        TRUST,
        "denied",
        let_in({"Federated": PROVIDER}),
        subject="repo:acme/recordings:pull_request",
    ),
    exchange(
        "a subject in another case",
        TRUST,
        "denied",
        let_in({"Federated": PROVIDER}),
        subject="repo:Acme/recordings:environment:production",
    ),
    exchange(
        "another provider", FEDERATED, "denied", let_in({"Federated": PROVIDER.replace(HOST, "gitlab.com")})
    ),
    exchange("an account isn't a provider", FEDERATED, "denied", let_in({"AWS": root(HOME)})),
    exchange("everybody", FEDERATED, "undecidable", let_in("*")),
    exchange(
        "a deny goes first",
        TRUST,
        "explicit deny",
        let_in({"Federated": PROVIDER}),
        let_in({"Federated": PROVIDER}, Effect="Deny"),
    ),
    exchange(
        "AssumeRole alone",
        FEDERATED,
        "denied",
        let_in({"Federated": PROVIDER}, Action="sts:AssumeRole"),
    ),
]
