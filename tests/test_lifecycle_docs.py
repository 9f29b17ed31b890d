"""The pages before the first `up` and on teardown: what they show is done, in their order, in the sandbox."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from recording_storage.sandbox import Sandbox
from tests.support.engine import MARKS, Stack
from tests.support.engine_aws import AwsHouse
from tests.support.permissions import FOLDER, filled
from tests.support.permissions_aws import Deployer, statements
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FIRST_UP, TEARDOWN = ROOT / "docs/before_the_first_up.md", ROOT / "docs/teardown.md"
SECONDS = 180
SECRET = "4dabf18193072939515e22adb298388d"
"""How a value that the CLI has encrypted is marked in a state:
https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go"""
STATE_BUCKET = "pulumi-state-acme"


def shown(page: Path) -> list[tuple[str, str]]:
    """The page's commands in their order, each with what is shown after it."""
    blocks = re.findall(r"^```console\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    found = [one.partition("\n") for block in blocks for one in re.split(r"^\$ ", block, flags=re.M)[1:]]
    return [(line, said) for line, _, said in found]


def carried_out(line: str, folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


def test_the_policy_is_made_as_the_page_says(tmp_path: Path) -> None:
    if shutil.which("aws") is None:
        pytest.skip("aws is not on PATH")
    shutil.copytree(FOLDER, tmp_path / "docs/permissions")
    lines = [one for one in shown(FIRST_UP) if "aws_up" in one[0]]
    assert len(lines) == 2
    with Sandbox() as sandbox:
        deployer = Deployer(sandbox)
        for line, said in lines:
            assert carried_out(line, tmp_path, deployer.environment) == said
    made = (tmp_path / "aws_up.json").read_text()
    assert not re.search(r"ACCOUNT|STACK", made)
    assert made == filled("aws_up.json", ACCOUNT="111122223333", STACK="acme")


def test_every_document_is_named_on_the_page_and_every_statement_explained() -> None:
    page = FIRST_UP.read_text()
    for document in FOLDER.iterdir():
        assert f"permissions/{document.name}" in page, document.name
    explained = set(re.findall(r"`([A-Z][A-Za-z]+)`", page))
    for name in ("aws_preview.json", "aws_up.json"):
        for statement in statements((FOLDER / name).read_text()):
            assert statement["Sid"] in explained, statement["Sid"]


# --- with the CLI --------------------------------------------------------------------------------


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def house(sandbox: Sandbox, tmp_path: Path) -> AwsHouse:
    return AwsHouse(sandbox, tmp_path)


@pytest.mark.engine
@MARKS[1]
def test_state_is_kept_in_a_bucket_by_who_may_do_nothing_else(sandbox: Sandbox, house: AwsHouse) -> None:
    if shutil.which("aws") is None:
        pytest.skip("aws is not on PATH")
    lines = [
        line
        for line, _ in shown(FIRST_UP)
        if line.startswith(("aws s3api", "pulumi login", "export", "pulumi stack init"))
    ]
    assert len(lines) == 5
    environment = {k: v for k, v in house.engine._environment.items() if k != "PULUMI_BACKEND_URL"}
    carried_out("; ".join(lines[:2]), house.engine.folder, environment)
    deployer = Deployer(sandbox)
    deployer.may(filled("aws_state.json", STATE_BUCKET=STATE_BUCKET))
    environment |= {
        name: deployer.environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }
    carried_out("; ".join(lines[2:]), house.engine.folder, environment)
    kept = house.account.s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]
    assert ".pulumi/stacks/recording-storage/acme.json" in {one["Key"] for one in kept}


@pytest.mark.engine
@MARKS[1]
def test_the_state_holds_no_secret(house: AwsHouse) -> None:
    stack = Stack(house, "acme")
    stack.configure(calls={"create_kms_key": True})
    stack.up()
    state: Any = house.engine.exported("stack", "export", "--stack", "acme")
    text = json.dumps(state["deployment"]["resources"])
    assert "arn:aws:iam::111122223333:role/recordings-acme-calls-" in text
    assert SECRET not in text
    environment = house.engine._environment
    assert environment["AWS_SECRET_ACCESS_KEY"] not in text
    assert environment["AWS_ACCESS_KEY_ID"] not in text


@pytest.mark.engine
@MARKS[1]
def test_storage_is_given_up_line_by_line(house: AwsHouse) -> None:
    stack = Stack(house, "acme")
    stack.configure(calls={}, demos={"on_destroy": "retain"})
    stack.up()
    calls, demos = stack.destination("calls"), stack.destination("demos")
    with pytest.raises(AssertionError, match=r"cannot be deleted\s+because it is protected"):
        carried_out("pulumi destroy -s acme --yes", house.engine.folder, house.engine._environment)
    calls.assert_lives()
    demos.assert_lives()
    lines = [line for line, _ in shown(TEARDOWN)]
    give_up, remove, rest = lines[:3], lines[3:5], lines[5:]
    folder, environment = house.engine.folder, house.engine._environment
    assert "[retain]" in "".join(carried_out(line, folder, environment) for line in remove)
    demos.assert_retained()
    calls.assert_lives()
    for line in give_up[:2]:
        carried_out(line, folder, environment)
    calls.assert_lives()
    carried_out(give_up[2], folder, environment)
    calls.assert_gone()
    for line in rest:
        carried_out(line, folder, environment)
    assert (folder / "stacks/Pulumi.acme.yaml").exists()
    assert "acme" not in carried_out("pulumi stack ls", folder, environment)
