"""What a preview of the Pulumi CLI says: what would change, what went wrong, and what the policies found.

Two forms are read: the digest that `pulumi preview --json` prints, which has nothing of policies
(https://github.com/pulumi/pulumi/issues/18851), and the events that it prints, one a line, with
`PULUMI_ENABLE_STREAMING_JSON_PREVIEW=true`, which have. Values of properties are left out: their names say what would
change, and values identify accounts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from recording_storage.ci.artefacts import Unreadable, parse, text
from recording_storage.engine.driver import UNCHANGING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

REFUSING: Final = frozenset({"mandatory", "remediate"})
"""The enforcement levels under which a violation ends the preview; the others advise.
https://www.pulumi.com/docs/iac/packages-and-automation/crossguard/core-concepts/#enforcement-levels"""
SAID: Final = frozenset({"error", "warning"})
HALVES: Final = frozenset({"create-replacement", "delete-replaced", "discard-replaced"})
_NO_MORE: Final = "preview failed"
"""What the engine says last of any failure."""


@dataclass(frozen=True)
class Change:
    """What would happen to a resource; `properties` are the names of those that differ."""

    operation: str
    type: str
    name: str
    properties: tuple[str, ...] = ()


@dataclass(frozen=True)
class Violation:
    """What a policy has against a resource."""

    policy: str
    pack: str
    level: str
    resource: str
    message: str

    @property
    def refuses(self) -> bool:
        """Whether it ends the preview."""
        return self.level in REFUSING


@dataclass
class Preview:
    """What a preview says."""

    changes: list[Change] = field(default_factory=list[Change])
    same: int = 0
    """How many resources would stay as they are."""
    errors: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])
    violations: list[Violation] = field(default_factory=list[Violation])
    packs: tuple[str, ...] = ()
    """The policy packs that looked at it, to its end."""
    passed: int = 0
    """How many policies found nothing at all."""
    ended: bool = False
    """Whether it came to its end, and succeeded there as far as it says."""
    config: dict[str, Any] = field(default_factory=dict[str, Any])
    """The stack's configuration, as it was used."""

    @property
    def refused(self) -> list[Violation]:
        """The violations that end the preview."""
        return [one for one in self.violations if one.refuses]

    @property
    def advised(self) -> list[Violation]:
        """The violations that only advise."""
        return [one for one in self.violations if not one.refuses]

    @property
    def held(self) -> bool:
        """Whether it succeeded, and nothing was refused."""
        return self.ended and not self.errors and not self.refused


def preview(path: Path) -> Preview | Unreadable:
    """The preview that a file holds, in either form."""
    content = text(path)
    if isinstance(content, Unreadable):
        return content
    if not content.strip():
        return Unreadable("it is empty")
    first = parse(content.lstrip().split("\n", 1)[0])
    if isinstance(first, dict) and "sequence" in first:
        return _of_events(content)
    digest = parse(content)
    if isinstance(digest, Unreadable):
        return digest
    return _of_digest(found) if (found := _mapping(digest)) else Unreadable("it is no preview")


def _of_digest(digest: Mapping[str, Any]) -> Preview:
    found = Preview(config=_mapping(digest.get("config")))
    for step in _items(digest.get("steps")):
        _note(found, step, _mapping(step.get("newState") or step.get("oldState")).get("type"))
    for said in _items(digest.get("diagnostics")):
        _hear(found, said)
    found.changes = _whole(found.changes)
    found.ended = "changeSummary" in digest and not found.errors
    return found


def _of_events(content: str) -> Preview | Unreadable:
    found, refreshing = Preview(), set[str]()
    passed, failed = set[tuple[str, str]](), set[tuple[str, str]]()
    for line in content.splitlines():
        event = parse(line)
        if not isinstance(event, dict):
            return Unreadable("a line of it is no event")
        event = cast("dict[str, Any]", event)
        if "preludeEvent" in event:
            found.config = _mapping(_mapping(event["preludeEvent"]).get("config"))
        for kind in ("resourcePreEvent", "resOutputsEvent"):
            step = _mapping(_mapping(event.get(kind)).get("metadata"))
            if not step:
                continue
            urn = _text(step.get("urn"))
            if kind == "resourcePreEvent" and step.get("op") == "refresh":
                refreshing.add(urn)
            elif kind == "resourcePreEvent" or (urn in refreshing and step.get("op") not in UNCHANGING):
                refreshing.discard(urn)
                _note(found, step, step.get("type"))
        if "diagnosticEvent" in event:
            _hear(found, _mapping(event["diagnosticEvent"]))
        if "policyEvent" in event:
            found.violations.append(_violation(_mapping(event["policyEvent"])))
        for kind in ("policyAnalyzeSummaryEvent", "policyAnalyzeStackSummaryEvent"):
            summary = _mapping(event.get(kind))
            pack = _text(summary.get("policyPackName"))
            passed |= {(pack, _text(one)) for one in _list(summary.get("passed"))}
            failed |= {(pack, _text(one)) for one in _list(summary.get("failed"))}
        if "summaryEvent" in event:
            summary = _mapping(event["summaryEvent"])
            found.ended = summary.get("result", "succeeded") == "succeeded"
            packs = _mapping(summary.get("PolicyPacks"))
            found.packs = tuple(sorted(name.partition("|")[0] for name in packs))
    found.changes = _whole(found.changes)
    found.passed = len(passed - failed - {(one.pack, one.policy) for one in found.violations})
    return found


def _note(found: Preview, step: Mapping[str, Any], type_: object) -> None:
    """Take note of what would happen to one resource; a later word on it stands for an earlier one."""
    operation, urn = _text(step.get("op")), _text(step.get("urn"))
    if operation in UNCHANGING:
        found.same += operation == "same"
        return
    differing = _mapping(step.get("detailedDiff")) or dict.fromkeys(
        map(_text, _list(step.get("diffs") or step.get("diffReasons")))
    )
    change = Change(operation, _text(type_), urn.rpartition("::")[2], tuple(sorted(differing)))
    if change not in found.changes:
        found.changes.append(change)


def _whole(changes: list[Change]) -> list[Change]:
    """The changes without the two halves of those that replace a resource."""
    replaced = {(one.type, one.name) for one in changes if one.operation == "replace"}
    return [one for one in changes if one.operation not in HALVES or (one.type, one.name) not in replaced]


def _hear(found: Preview, said: Mapping[str, Any]) -> None:
    severity, message = said.get("severity"), _text(said.get("message")).strip()
    if severity not in SAID or not message or message == _NO_MORE:
        return
    message = message.removeprefix("error: ").removeprefix("warning: ")
    about = _text(said.get("urn")).rpartition("::")[2]
    line = f"{about}: {message}" if about else message
    heard = found.errors if severity == "error" else found.warnings
    if line not in heard:
        heard.append(line)


def _violation(event: Mapping[str, Any]) -> Violation:
    return Violation(
        policy=_text(event.get("policyName")),
        pack=_text(event.get("policyPackName")),
        level=_text(event.get("enforcementLevel")),
        resource=_text(event.get("resourceUrn")).rpartition("::")[2],
        message=_text(event.get("message")).strip(),
    )


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _items(value: object) -> Iterator[dict[str, Any]]:
    for one in _list(value):
        yield _mapping(one)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ("" if value is None else json.dumps(value))
