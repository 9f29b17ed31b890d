"""The examples' programs, without the Pulumi CLI: what a team's own registers."""

from __future__ import annotations

import re

from tests.support.projects import ROOT
from tests.support.registrations import Run
from tests.support.registrations import run as register

EXAMPLES = ROOT / "examples"
PAGE = (EXAMPLES / "README.md").read_text()
RECORDINGS = (EXAMPLES / "recordings" / "__main__.py").read_text()
CONFIG = {"account": "111122223333", "google_project": "acme-prod", "workspace_id": "w-acme"}


def registered() -> Run:
    return register(CONFIG, stack="prod", program=RECORDINGS)


def test_a_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", PAGE)
    assert targets
    for target in targets:
        assert (EXAMPLES / target).exists(), target


def test_every_resource_is_made_with_the_programs_own_providers() -> None:
    found = registered()
    assert found.error == ""
    used = {
        (one.type.partition(":")[0], one.provider)
        for one in found.registrations
        if one.type.startswith(("aws:", "gcp:"))
    }
    assert used == {("aws", "amazon"), ("gcp", "google")}


def test_both_destinations_hand_over_the_properties_of_a_conversation() -> None:
    outputs = registered().outputs
    assert {
        name: one["conversation_properties"]["recording_storage"]["provider"] for name, one in outputs.items()
    } == {"calls": "s3", "meetings": "gcs"}
