"""Physical names: legal for any input, stable, and distinct where their seeds are."""

import re
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components import aws, gcp, naming

SCOPE = naming.Scope("organization", "recording-storage", "acme")
WORDS = st.text(max_size=90)


def test_a_name_is_readable_and_the_same_on_every_run() -> None:
    assert naming.bucket_name(SCOPE, "calls", "123456789012", "eu-west-1") == "acme-calls-yq3unn"
    assert naming.role_name(SCOPE, "calls", "123456789012", "eu-west-1") == "recordings-acme-calls-yq3unn"


def test_a_name_does_not_depend_on_pythons_hash_seed() -> None:
    program = (
        "from components import naming; "
        "scope = naming.Scope('organization', 'recording-storage', 'acme'); "
        "print(naming.bucket_name(scope, 'calls', '123456789012', 'eu-west-1'))"
    )
    names = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert names == {"acme-calls-yq3unn\n"}


@pytest.mark.parametrize(
    "other",
    [
        naming.bucket_name(
            naming.Scope("other", "recording-storage", "acme"), "calls", "123456789012", "eu-west-1"
        ),
        naming.bucket_name(
            naming.Scope("organization", "other", "acme"), "calls", "123456789012", "eu-west-1"
        ),
        naming.bucket_name(SCOPE, "calls", "210987654321", "eu-west-1"),
    ],
)
def test_organisation_project_and_account_tell_equal_names_apart(other: str) -> None:
    assert other.startswith("acme-calls-")
    assert other != naming.bucket_name(SCOPE, "calls", "123456789012", "eu-west-1")


def test_two_seeds_whose_words_join_alike_differ() -> None:
    assert naming.physical_name("a", seed=("ab", "c"), limit=63) != naming.physical_name(
        "a", seed=("a", "bc"), limit=63
    )


def test_long_words_are_shortened_the_suffix_never() -> None:
    long = naming.bucket_name(SCOPE, "calls-" + "x" * 57, "123456789012", "eu-west-1")
    assert len(long) == naming.BUCKET_LIMIT
    assert re.fullmatch(r"acme-calls-x+-[a-z2-7]{6}", long)


def test_long_names_that_shorten_alike_stay_distinct() -> None:
    one, two = (naming.bucket_name(SCOPE, "x" * 62 + last, "123456789012", "eu-west-1") for last in "ab")
    assert one[:-6] == two[:-6]
    assert one != two


@given(stack=WORDS, destination=WORDS, account=WORDS)
@example(stack="xn--foo", destination="calls", account="")
@example(stack="xn", destination="-foo", account="")
@example(stack="sthree", destination="configurator", account="")
@example(stack="sthree", destination="", account="")
@example(stack="amzn-s3-demo", destination="", account="")
@example(stack="prod", destination="a--ol-s3", account="")
@example(stack="192.168", destination="5.4", account="")
@example(stack="", destination="", account="")
@example(stack="e" * 90, destination="é" * 90, account="")
def test_every_name_is_legal(stack: str, destination: str, account: str) -> None:
    scope = naming.Scope("organization", "recording-storage", stack)
    bucket = naming.bucket_name(scope, destination, account, "eu-west-1")
    role = naming.role_name(scope, destination, account, "eu-west-1")
    assert aws.bucket_name_breaches(bucket) == ()
    assert aws.bucket_name_notes(bucket) == ()
    assert aws.role_name_breaches(role) == ()
    for name in (bucket, role):
        assert re.fullmatch(r"[a-z](-?[a-z0-9])*-[a-z2-7]{6}", name)
    assert bucket[-6:] == role[-6:]


@given(stack=WORDS, destination=WORDS, project=WORDS)
@example(stack="gcp", destination="calls", project="")
@example(stack="goog", destination="calls", project="")
@example(stack="", destination="", project="")
@example(stack="e" * 90, destination="é" * 90, project="")
def test_every_name_on_google_cloud_is_legal(stack: str, destination: str, project: str) -> None:
    scope = naming.Scope("organization", "recording-storage", stack)
    place = (scope, destination, project, "EU")
    bucket, pool = naming.gcs_bucket_name(*place), naming.pool_id(*place)
    account = naming.service_account_id(*place)
    if "google" not in bucket and "g00gle" not in bucket:  # which the configuration is told of
        assert gcp.bucket_name_breaches(bucket) == ()
    assert gcp.pool_id_breaches(pool) == ()
    assert gcp.service_account_id_breaches(account) == ()
    assert bucket[-6:] == pool[-6:] == account[-6:]


def test_a_name_on_google_cloud_is_the_same_on_every_run() -> None:
    place = (SCOPE, "calls", "acme-prod", "EU")
    assert naming.gcs_bucket_name(*place) == "acme-calls-2kogch"
    assert naming.pool_id(*place) == "acme-calls-2kogch"
    assert naming.service_account_id(*place) == "rec-acme-calls-2kogch"


@given(words=st.lists(WORDS, max_size=4), limit=st.integers(min_value=24, max_value=64))
def test_a_name_keeps_within_any_limit(words: list[str], limit: int) -> None:
    assert len(naming.physical_name(*words, seed=words, limit=limit)) <= limit
