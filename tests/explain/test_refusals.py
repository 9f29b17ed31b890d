"""What the stand-ins really refuse, as a rehearsal's intruder is refused: each is known, and names its cause."""

from __future__ import annotations

from typing import Any, Final

import pytest

from recording_storage.explain import explain
from recording_storage.explain.events import read
from tests.support.projects import command

LIKELIEST: Final = {
    ("calls", "another-account"): "S2",
    ("calls", "no-external-id"): "S2",
    ("calls", "external-id-wrong"): "S2",
    ("calls", "external-id-in-another-case"): "S2",
    ("calls", "another-bucket"): "S3",
    ("calls", "anonymous"): "S3",
    ("meetings", "another-workspace"): "G4",
    ("meetings", "workspace-in-another-case"): "G4",
    ("meetings", "another-issuer"): "G10",
    ("meetings", "another-key"): "G10",
    ("meetings", "another-audience"): "G3",
    ("meetings", "expired"): "",
    ("meetings", "another-service-account"): "G5",
    ("meetings", "another-bucket"): "G6",
    ("meetings", "overwrite"): "",
    ("meetings", "disabled-provider"): "G2",
    ("meetings", "deleted-provider"): "G2",
    ("support", "another-workspace"): "Z1",
    ("support", "workspace-in-another-case"): "Z2",
    ("support", "another-issuer"): "Z1",
    ("support", "issuer-with-slash"): "Z1",
    ("support", "another-key"): "Z3",
    ("support", "another-audience"): "Z1",
    ("support", "expired"): "",
    ("support", "another-tenant"): "Z10",
    ("support", "deleted-credential"): "Z1",
    ("support", "another-container"): "Z6",
    ("support", "shared-key"): "",
    ("support", "anonymous"): "",
}
"""By destination and refusal the likeliest cause; empty: none that can be looked at."""
PROVIDERS: Final = {"calls": "s3", "meetings": "gcs", "support": "azure_blob"}


@pytest.fixture(scope="module")
def refusals() -> dict[tuple[str, str], str]:
    results: list[dict[str, Any]] = command("rehearse", "-f", "json").document["results"]
    return {
        (one["destination"], one["id"].removeprefix("refused.")): one["evidence"]
        for one in results
        if one["id"].startswith("refused.")
    }


@pytest.mark.parametrize(("refusal", "cause"), LIKELIEST.items(), ids=["-".join(one) for one in LIKELIEST])
def test_a_real_refusal_names_its_cause(
    refusals: dict[tuple[str, str], str], refusal: tuple[str, str], cause: str
) -> None:
    (event,) = read(refusals[refusal], "it")
    told = explain(event)
    assert told.symptoms, f"not known: {event.words}"
    assert told.provider == PROVIDERS[refusal[0]]
    assert (told.checks[0] if told.checks else "") == cause
