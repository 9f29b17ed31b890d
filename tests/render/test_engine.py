"""A stack that the real Pulumi CLI has brought up, rendered by its name."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.support.engine import MARKS
from tests.support.projects import command

pytestmark = MARKS


def test_a_stack_is_rendered_from_the_states_outputs() -> None:
    render = f"{Path(sys.executable).with_name('recording-storage')} render --stack local"
    script = (
        f"pulumi stack output recording_storage --json; printf '\\036'; {render}; printf '\\036'; "
        f"{render} --destination support"
    )
    done = command("sandbox", "--engine", "pulumi", "--stack", "local", "--", "bash", "-c", script)
    assert done.code == 0, done.out + done.err
    output, default, support = (json.loads(one) for one in done.out.split("\x1e"))
    assert default == output
    assert support["provider"] == "azure_blob"
