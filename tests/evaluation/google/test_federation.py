"""Whom a provider's mapping and condition let in."""

from __future__ import annotations

from typing import Any

import pytest

from recording_storage.evaluation.google import Undecidable
from recording_storage.evaluation.google.federation import NotLetIn, identify

POOL = "projects/1/locations/global/workloadIdentityPools/p"
MAPPING = {"google.subject": "assertion.sub"}
CLAIMS: dict[str, Any] = {"iss": "https://i.example", "sub": "w-1", "aud": "a", "groups": ["g"], "n": 5}


def test_whoever_is_let_in_is_an_identity_of_the_pool() -> None:
    mapping = MAPPING | {"google.groups": "assertion.groups", "attribute.who": "'x' + assertion.sub"}
    who = identify(POOL, mapping, 'google.subject == "w-1" && attribute.who == "xw-1"', CLAIMS)
    assert who.member == f"principal://iam.googleapis.com/{POOL}/subject/w-1"
    assert (who.attributes, who.groups) == ((("who", "xw-1"),), ("g",))


@pytest.mark.parametrize(
    ("mapping", "condition", "error", "because"),
    [
        (MAPPING, 'google.subject == "w-2"', "unauthorized_client", 'is false for the subject "w-1"'),
        (MAPPING, "assertion.tenant == 'x'", "unauthorized_client", 'fails for the subject "w-1"'),
        (MAPPING, "assertion.sub", "unauthorized_client", "is w-1 for"),
        ({"google.subject": "assertion.email"}, "", "invalid_grant", "can't be evaluated"),
        ({"google.subject": "assertion.n"}, "", "invalid_grant", "gives 5"),
        ({"google.subject": "assertion.aud.extract('b{x}')"}, "", "invalid_grant", "gives ''"),
    ],
)
def test_whoever_is_not_let_in_is_told_why(
    mapping: dict[str, str], condition: str, error: str, because: str
) -> None:
    with pytest.raises(NotLetIn) as caught:
        identify(POOL, mapping, condition, CLAIMS)
    assert caught.value.error == error
    assert because in caught.value.because


def test_sizes_have_limits() -> None:
    with pytest.raises(NotLetIn, match="128 bytes"):
        identify(POOL, MAPPING, "", CLAIMS | {"sub": "x" * 128})
    with pytest.raises(NotLetIn, match="8192 bytes"):
        identify(POOL, MAPPING | {"attribute.x": "assertion.iss"}, "", CLAIMS | {"iss": "x" * 9000})


@pytest.mark.parametrize(
    "mapping",
    [
        {},
        MAPPING | {"attribute.n": "assertion.n"},
        MAPPING | {"google.groups": "assertion.sub"},
    ],
)
def test_what_google_says_nothing_about_is_undecidable(mapping: dict[str, str]) -> None:
    with pytest.raises(Undecidable):
        identify(POOL, mapping, "", CLAIMS)
