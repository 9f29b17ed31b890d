"""The comment on a change to a stack: what changes, what was proven, what was refused, what the policies said.

It says first what stands on the base branch's own code, with nothing of the change but its stack files, and apart from
that what the change's own run reported, which the change's code could have written itself (docs/pull_requests.md).
Left out: posting it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from recording_storage.ci import CiError
from recording_storage.ci.artefacts import Findings, Unreadable
from recording_storage.ci.markdown import LONGEST_LINE, Block, line, page, wrapped
from recording_storage.ci.stacks import NAME
from recording_storage.results import Kind, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from recording_storage.ci.artefacts import Found, Place
    from recording_storage.ci.previews import Preview, Violation

    Mask = Callable[[str], str]

COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
SIGNS: Final = {
    "create": "+",
    "delete": "-",
    "update": "~",
    "replace": "±",
    "create-replacement": "+",
    "delete-replaced": "-",
    "import": "=",
    "discard": "x",
}
WORST: Final = ("delete", "delete-replaced", "replace", "create-replacement", "discard", "discard-replaced")
"""Operations that may lose something: said first."""
WIDEST: Final = 48
"""What is longer doesn't push the others' columns aside."""
MARKS: Final = {Status.FAIL: "FAILED", Status.UNKNOWN: "UNCLEAR", Status.WARN: "warning"}


@dataclass(frozen=True)
class Said:
    """All that a comment is made of; what is None wasn't asked for, and what is `Unreadable` should be there."""

    stack: str
    commit: str | None = None
    proven: Findings | Unreadable | None = None
    """The base branch's rehearsal of the change's stack file."""
    policies: Preview | Unreadable | None = None
    """The base branch's preview of it in the sandbox, under the base branch's policy pack."""
    rehearsal: Findings | Unreadable | None = None
    """The change's own rehearsal."""
    preview: Preview | Unreadable | None = None
    """The change's own preview, of the real stack."""
    verified: Findings | Unreadable | None = None
    """What was read of the account, after `up`."""
    code: Sequence[str] | None = None
    """The files of code that the change changes; None where nobody looked."""


def marker(stack: str) -> str:
    """The first line of a stack's comment, by which it is found again; GitHub and GitLab don't show it."""
    if not NAME.fullmatch(stack):
        raise CiError(f"{stack!r} is no name of a stack that a pipeline takes")
    return f"<!-- recording-storage: {stack} -->"


def comment(said: Said, mask: Mask) -> str:
    """The comment as Markdown; raises `CiError` for a name that none can have."""
    if said.commit is not None and not COMMIT.fullmatch(said.commit):
        raise CiError(f"{said.commit!r} is no commit's hash")
    head = [marker(said.stack), f"### Recording storage: `{said.stack}`", _verdict(said)]
    blocks = [Block("\n\n".join(head))]
    if said.proven is not None or said.policies is not None:
        blocks.append(Block(f"#### From the base branch's code{_of(said.commit)}"))
        blocks += found_out(said.proven, mask) + policies(said.policies, mask)
    if said.rehearsal is not None or said.preview is not None:
        blocks.append(Block(f"#### From the change's own run\n\n{_worth(said)}", _code(said, mask)))
        blocks += changes(said.preview, mask) + policies(said.preview, mask)
        if _same(said.proven, said.rehearsal):
            blocks.append(Block("Its rehearsal ended as the one above did."))
        else:
            blocks += found_out(said.rehearsal, mask)
    return page(blocks + found_out(said.verified, mask))


def _of(commit: str | None) -> str:
    return f", on the stack file of `{commit[:12]}`" if commit else ""


def _verdict(said: Said) -> str:
    """One line a part: what a reader in a hurry needs."""
    rows = [
        ("Rehearsed", _row(said.proven, _rehearsed)),
        ("Policies", _row(said.policies, _judged)),
        ("Rehearsed by the change", _row(said.rehearsal, _rehearsed)),
        ("Previewed by the change", _row(said.preview, _previewed)),
        ("Verified in the account", _row(said.verified, _rehearsed)),
    ]
    rows = [(name, ended) for name, ended in rows if ended]
    if not rows:
        return "Nothing was handed over."
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {ended} |" for name, ended in rows)])


T = TypeVar("T")


def _row(part: T | Unreadable | None, ended: Callable[[T], str]) -> str:
    """How a part ended, in words of ours and numbers; nothing where it wasn't asked for."""
    if part is None:
        return ""
    return "❓ nothing to read" if isinstance(part, Unreadable) else ended(part)


def _rehearsed(part: Findings) -> str:
    if part.error is not None:
        return f"{_mark(part.held)} could not be done"
    words = [
        f"{part.count(kind)} {kind.value}"
        for kind in (Kind.PROVEN, Kind.REFUSED, Kind.VERIFIED)
        if part.count(kind)
    ]
    failed, unclear = len(part.ended(Status.FAIL)), len(part.ended(Status.UNKNOWN))
    words += [f"**{failed} failed**"] if failed else []
    return f"{_mark(part.held)} {', '.join([*words, f'{unclear} inconclusive'])}"


def _judged(part: Preview) -> str:
    """What the policies said of a preview, in words of ours and numbers."""
    words = [f"{part.passed} without objection"] if part.packs else ["none looked at it"]
    words += [f"**{len(part.refused)} refused**"] if part.refused else []
    words += [f"{len(part.advised)} advised"] if part.advised else []
    words += [f"**{len(part.errors)} errors**"] if part.errors else []
    return f"{_mark(part.held and bool(part.packs))} {', '.join(words)}"


def _previewed(part: Preview) -> str:
    """What a preview would change, in words of ours and numbers."""
    words = [f"{number} to {operation}" for operation, number in sorted(_operations(part).items())]
    words += [f"{part.same} unchanged"] if part.same else []
    words += [f"**{len(part.refused)} refused by a policy**"] if part.refused else []
    words += [] if part.packs else ["no policy looked at it"]
    words += [f"**{len(part.errors)} errors**"] if part.errors else []
    words += [] if part.ended else ["it didn't succeed"]
    return f"{_mark(part.held)} {', '.join(words)}"


def _mark(held: bool) -> str:
    return "✅" if held else "❌"


def _operations(preview: Preview) -> Counter[str]:
    """How many of which operation; those that the engine doesn't have are no words of ours."""
    return Counter(one.operation if one.operation in SIGNS else "change" for one in preview.changes)


def _worth(said: Said) -> str:
    """How far the change's own run can be believed, as the base branch sees it."""
    if said.code is None:
        return "Its code could have written this itself."
    if not said.code:
        return "The change has stack files only: all code that ran is the base branch's."
    return (
        "**The change has code that ran to produce this, and could have written it itself.** "
        "Read these files before you believe it:"
    )


def _code(said: Said, mask: Mask) -> list[str]:
    return [line(one, mask) for one in said.code or ()]


def _same(one: Findings | Unreadable | None, other: Findings | Unreadable | None) -> bool:
    """Whether two rehearsals ended alike in everything."""
    if not isinstance(one, Findings) or not isinstance(other, Findings):
        return False
    return one.error == other.error and _endings(one) == _endings(other)


def _endings(part: Findings) -> set[tuple[str, str, Status]]:
    return {(result.destination, result.id, result.status) for result in part.results}


def changes(preview: Preview | Unreadable | None, mask: Mask) -> list[Block]:
    """What would change in the account."""
    if preview is None:
        return []
    if isinstance(preview, Unreadable):
        return [Block("**What changes** could not be read:", [line(preview.reason, mask)])]
    blocks = [Block("**What changes**", _listed(preview, mask))]
    if not preview.changes:
        blocks = [Block("**What changes**: nothing.")]
    if preview.errors:
        blocks.append(Block("**What went wrong**", _paragraphs(preview.errors, mask)))
    if preview.warnings:
        blocks.append(Block("Warnings", _paragraphs(preview.warnings, mask), folded=True))
    return blocks


def _listed(preview: Preview, mask: Mask) -> list[str]:
    ordered = sorted(preview.changes, key=lambda one: one.operation not in WORST)
    rows = [(line(one.operation, mask), line(one.name, mask), one) for one in ordered]
    operations = min(max((len(operation) for operation, _, _ in rows), default=0), WIDEST)
    names = min(max((len(name) for _, name, _ in rows), default=0), WIDEST)
    lines: list[str] = []
    for operation, name, one in rows:
        lead = f"{SIGNS.get(one.operation, '?')} {operation.ljust(operations)} {name.ljust(names)} "
        lines.append(f"{lead} {line(one.type, mask)}"[:LONGEST_LINE])
        if one.properties:
            lines += wrapped(", ".join(one.properties), mask, "    ")
    return lines


def _paragraphs(messages: Iterable[str], mask: Mask) -> list[str]:
    return [
        text
        for message in messages
        for part in message.splitlines()
        if part.strip()
        for text in wrapped(part, mask)
    ]


def policies(preview: Preview | Unreadable | None, mask: Mask) -> list[Block]:
    """What the policies said."""
    if preview is None:
        return []
    if isinstance(preview, Unreadable):
        return [Block("**What the policies said** could not be read:", [line(preview.reason, mask)])]
    if not preview.packs and not preview.violations:
        return [Block("**Policies**: none looked at it.")] if not preview.errors else []
    if not preview.violations:
        return [Block(f"**Policies**: {preview.passed} without objection.")]
    blocks = [
        Block(f"**{heading}**", [text for one in found for text in _violation(one, mask)])
        for heading, found in (
            ("Refused by a policy", preview.refused),
            ("Advised by a policy", preview.advised),
        )
        if found
    ]
    return [*blocks, Block(f"Without objection: {preview.passed}.")]


def _violation(one: Violation, mask: Mask) -> list[str]:
    return [line(f"{one.policy}  {one.resource}", mask), *wrapped(one.message, mask, "  ")]


def found_out(found: Findings | Unreadable | None, mask: Mask) -> list[Block]:
    """What was proven, what was refused, and what isn't as it should be, first."""
    if found is None:
        return []
    if isinstance(found, Unreadable):
        return [Block("**What was found** could not be read:", [line(found.reason, mask)])]
    if found.error is not None:
        said = found.error.message.splitlines()
        return [Block("**It could not be done**", [line(one, mask) for one in said])]
    blocks: list[Block] = []
    if trouble := found.ended(Status.FAIL, Status.UNKNOWN):
        blocks.append(Block("**Failed, or unclear**", troubles(trouble, mask)))
    if warnings := found.ended(Status.WARN):
        blocks.append(Block("Warnings", troubles(warnings, mask), folded=True))
    passed = found.ended(Status.PASS)
    blocks += [
        Block(heading, _by_destination(passed, kind, mask), folded=kind is not Kind.PROVEN)
        for heading, kind in (
            ("**What was proven**", Kind.PROVEN),
            ("What was refused, as it must be", Kind.REFUSED),
            ("What was read and found right", Kind.VERIFIED),
        )
        if any(one.kind == kind.value for one in passed)
    ]
    if made := [text for place in found.destinations for text in _made(place, mask)]:
        blocks.append(Block("What was made, and what can't be proven", made, folded=True))
    return blocks


def troubles(results: Iterable[Found], mask: Mask) -> list[str]:
    """Results that aren't as they should be: on what evidence, and how to mend them."""
    lines: list[str] = []
    for one in results:
        about = f"{one.destination}: " if one.destination else ""
        should = " should have been refused" if one.kind == Kind.REFUSED.value else ""
        lines.append(line(f"{MARKS[one.status]} {about}{one.title}{should} [{one.id}]", mask))
        for label in ("evidence", "mend"):
            if text := getattr(one, label):
                lines += wrapped(text, mask, f"  {label:<10}")
    return lines


def _by_destination(results: Sequence[Found], kind: Kind, mask: Mask) -> list[str]:
    titles: dict[str, list[str]] = {}
    for one in results:
        if one.kind == kind.value:
            titles.setdefault(one.destination, []).append(one.title)
    width = max(map(len, titles), default=0)
    lead = min(width, 24)
    return [
        text
        for name, said in titles.items()
        for text in wrapped(" · ".join(said), mask, f"{line(name or 'whole', mask)[:24].ljust(lead)}  ")
    ]


def _made(place: Place, mask: Mask) -> list[str]:
    lines = [line(f"{place.name}: {place.title}", mask)]
    for one in place.made:
        lines += wrapped(f"{one.name}: {', '.join(one.properties)}", mask, f"  {line(one.kind, mask)[:24]} ")
    if place.unproven:
        lines += wrapped(", ".join(place.unproven), mask, "  unproven ")
    for one in place.to_do:
        lines += wrapped(one, mask, "  to do ")
    return lines
