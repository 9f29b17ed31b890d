"""Tokens against federated credentials."""

from __future__ import annotations

from typing import Any

import pytest

from recording_storage.evaluation.azure import federation
from recording_storage.evaluation.azure.federation import Credential, Difference, Presented

TOKEN = Presented("https://issuer.example.com", "api://AzureADTokenExchange", "w-acme")


def credential(**said: Any) -> Credential:
    usual = {"issuer": TOKEN.issuer, "subject": TOKEN.subject, "audiences": (TOKEN.audience,)}
    return Credential(**({"name": "one"} | usual | said))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("said", "differences"),
    [
        ({}, {}),
        ({"subject": "W-Acme"}, {"subject": Difference.CASE}),
        ({"subject": "w-acme "}, {"subject": Difference.SPACE}),
        ({"subject": "w-*"}, {"subject": Difference.VALUE}),
        ({"issuer": f"{TOKEN.issuer}/"}, {"issuer": Difference.SLASH}),
        ({"issuer": "https://Issuer.example.com"}, {"issuer": Difference.CASE}),
        ({"audiences": ("api://azureadtokenexchange",)}, {"audience": Difference.CASE}),
        ({"audiences": ("x", TOKEN.audience)}, {}),
        ({"audiences": ()}, {"audience": Difference.VALUE}),
        (
            {"issuer": "https://x", "subject": "W-ACME"},
            {"issuer": Difference.VALUE, "subject": Difference.CASE},
        ),
    ],
)
def test_how_a_credential_differs(said: dict[str, Any], differences: dict[str, Difference]) -> None:
    assert credential(**said).differences(TOKEN) == differences


def test_the_nearest_differs_least() -> None:
    others = [
        credential(subject="w-demos"),
        credential(subject="W-ACME"),
        credential(issuer="https://x", subject="y"),
    ]
    far = [federation.distance(one.differences(TOKEN)) for one in others]
    assert far[1] < far[0] < far[2]


@pytest.mark.parametrize(
    "said",
    [
        {"name": "one", "issuer": TOKEN.issuer, "subject": TOKEN.subject, "audiences": [TOKEN.audience]},
        {
            "name": "one",
            "properties": {"issuer": TOKEN.issuer, "subject": TOKEN.subject, "audiences": [TOKEN.audience]},
        },
    ],
)
def test_graph_and_resource_manager_say_the_same(said: dict[str, Any]) -> None:
    assert federation.read(said) == credential()


def test_an_expression_is_kept() -> None:
    said = {"claimsMatchingExpression": {"value": "claims['sub'] matches 'w-*'", "languageVersion": 1}}
    assert federation.read(said).expression == "claims['sub'] matches 'w-*'"
