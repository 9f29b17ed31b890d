"""Every example stack to its end under the real Pulumi engine; `test_rehearse` records to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from recording_storage import stackfile
from tests.support import upgrades
from tests.support.engine import MARKS, UNCHANGED
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from recording_storage.engine.driver import Engine

pytestmark = MARKS


def left(engine: Engine, stack: str) -> set[str]:
    """The cloud resources that the state has."""
    found = engine.exported("stack", "export", "--stack", stack)["deployment"].get("resources", [])
    return {one["urn"] for one in found if one["custom"] and not one["type"].startswith("pulumi:")}


@pytest.mark.parametrize("stack", stackfile.stacks(ROOT))
def test_an_example_lives_and_is_given_up_on_purpose_only(stack: str) -> None:
    config = stackfile.load(ROOT, stack).config
    destinations = cast("dict[str, dict[str, Any]]", config["recording-storage:destinations"])
    owned = [name for name, one in destinations.items() if not one.get("existing")]
    with upgrades.assumed(stack, ROOT) as engine:

        def deploy(command: str, *arguments: str) -> tuple[int, str]:
            done = engine.deploy(command, "--stack", stack, *arguments)
            return done.code, done.text

        for command, *arguments in (("preview",), ("up",), ("up", *UNCHANGED), ("refresh", *UNCHANGED)):
            code, text = deploy(command, *arguments)
            assert code == 0, text
        made = left(engine, stack)
        assert made
        if owned:
            refused = engine.run("destroy", "--yes", "--stack", stack)
            assert refused.code != 0
            assert "protected" in refused.text
            assert left(engine, stack) == made
            for name in owned:
                path = f"destinations.{name}.on_destroy"
                assert engine.run("config", "set", "--path", path, "delete", "--stack", stack).code == 0
            code, text = deploy("up")
            assert code == 0, text
            assert left(engine, stack) == made
        code, text = deploy("destroy")
        assert code == 0, text
        assert left(engine, stack) == set()
