"""What stacks make on Google Cloud Storage is green, with every setting; and who may not see all of it is told so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from recording_storage.rehearsal.gcs import GcsStage
from tests.support.live import Live
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CALLS = {
    "provider": "gcs",
    "project": "acme-prod",
    "location": "europe-west1",
    "workspace_id": "w-acme",
}
SETTINGS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "overwriting": ({"allow_overwrite": True}, {"G13": "warn"}),
    "more-audiences": ({"additional_audiences": ["https://recordings.example.com"]}, {}),
    "retention": ({"retention_days": 30, "readers": ["group:players@example.com"]}, {}),
    "deployed": ({"deploy_service_account": "deployer@acme-tools.iam.gserviceaccount.com"}, {}),
    "shared-pool": ({"existing_pool": True, "pool_id": "shared"}, {}),
    "elsewhere": ({"project": "acme-dev"}, {}),
}
"""Settings of a destination, and what isn't green of it."""


def example(name: str) -> dict[str, Any]:
    return YAML(typ="safe").load((ROOT / f"stacks/Pulumi.{name}.yaml").read_text())["config"]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    destinations = {name: CALLS | settings for name, (settings, _) in SETTINGS.items()}
    with Live(tmp_path_factory.mktemp("project") / "acme", {"destinations": destinations}) as live:
        yield live


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_known(many: Live, name: str) -> None:
    assert many.troubles(name) == SETTINGS[name][1]
    assert all(one.status.value == "pass" for one in many.record(name))


def test_many_are_read_together_as_each_is_alone(many: Live) -> None:
    found = many.verify(*(many.target(name) for name in SETTINGS))
    assert len(found) == 15 * len(SETTINGS)
    for name, (_, troubles) in SETTINGS.items():
        own = {one["id"]: one["status"] for one in found if one["destination"] == name}
        assert {id_: status for id_, status in own.items() if status != "pass"} == troubles


@pytest.mark.parametrize("stack", ["gcs", "gcs-kms"])
def test_every_example_is_green(tmp_path: Path, stack: str) -> None:
    with Live(tmp_path / "acme", example(stack)) as live:
        assert live.troubles("calls") == {}


def test_beside_a_service_account_of_somebody_elses(tmp_path: Path) -> None:
    """It is green for who owns all of it; whoever deploys it may not see all of the account's project."""
    with Live(tmp_path / "acme", example("gcs-existing")) as live:
        everything = live.sandbox.environment("proprietor", {})
        stage = live._scene.stages["gcs"]
        assert isinstance(stage, GcsStage)
        everything |= stage._assumed.proprietor.files(everything)
        assert live.troubles("calls", environment=everything) == {}
        found = {one["id"]: one for one in live.verify(live.target("calls")) if one["status"] != "pass"}
    unknown = dict.fromkeys(("G5", "G9", "G12", "G13"), "unknown")
    assert {id_: one["status"] for id_, one in found.items()} == unknown
    assert "let the caller have resourcemanager.projects.getIamPolicy" in found["G5"]["mend"]
    assert "let the caller have iam.serviceAccountKeys.list" in found["G12"]["mend"]
