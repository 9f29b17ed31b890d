"""What is computed from plain values and from outputs of other resources."""

from __future__ import annotations

from components.inputs import computed
from tests.support.registrations import run

PROGRAM = """
import asyncio
import pulumi
from components.inputs import computed
output = pulumi.Output.from_input
async def later():
    return "b"
for name, inputs in {
    "one": ["a", output("b"), 3, None],
    "several": [output("a"), "b", output(3), None],
    "awaitable": ["a", later(), 3, None],
    "dependent": [output("a").apply(lambda a: output(a)), "b", 3, None],
}.items():
    made = computed(inputs, lambda known: "-".join(str(one) for one in known))
    assert isinstance(made, pulumi.Output), name
    pulumi.export(name, made)
secret = computed(["a", pulumi.Output.secret("b")], "".join)
pulumi.export("secret", pulumi.Output.from_input(secret.is_secret()))
"""


def test_plain_values_are_computed_at_once() -> None:
    assert computed(["a", 1, None], list) == ["a", 1, None]


def test_no_inputs_are_computed_at_once() -> None:
    assert computed([], list) == []


def test_outputs_are_waited_for_and_keep_their_places() -> None:
    found = run({}, program=PROGRAM)
    assert found.error == ""
    assert {
        name: found.outputs[name] for name in ("one", "several", "awaitable", "dependent")
    } == dict.fromkeys(("one", "several", "awaitable", "dependent"), "a-b-3-None")


def test_what_is_computed_from_a_secret_is_one() -> None:
    assert run({}, program=PROGRAM).outputs["secret"] is True
