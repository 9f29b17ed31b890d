"""The issue on a stack that isn't in the account as its file says: what differs, and what would make a recording fail.

Left out: opening and closing it, which is the pipeline's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.ci.artefacts import Findings, Unreadable
from recording_storage.ci.comment import changes, marker, troubles
from recording_storage.ci.markdown import Block, line, page
from recording_storage.results import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from recording_storage.ci.previews import Preview


def drifted(preview: Preview | Unreadable, verified: Findings | Unreadable) -> bool:
    """Whether anything differs, fails, or can't be told."""
    if isinstance(preview, Unreadable) or isinstance(verified, Unreadable):
        return True
    return bool(preview.changes) or not preview.held or not verified.held


def issue(
    stack: str,
    preview: Preview | Unreadable,
    verified: Findings | Unreadable,
    mask: Callable[[str], str],
) -> str:
    """The issue's text as Markdown; raises `CiError` for a name that none can have."""
    blocks = [
        Block(f"{marker(stack)}\n\nWhat is in the account isn't what the stack `{stack}` says."),
        Block("#### After a refresh"),
        *changes(preview, mask),
        Block("#### What `recording-storage verify` reads"),
        *_verified(verified, mask),
        Block("This text is replaced at the next look, and the issue closed when nothing differs any more."),
    ]
    return page(blocks)


def _verified(found: Findings | Unreadable, mask: Callable[[str], str]) -> list[Block]:
    if isinstance(found, Unreadable):
        return [Block("It could not be read:", [line(found.reason, mask)])]
    if found.error is not None:
        said = found.error.message.splitlines()
        return [Block("It could not be done:", [line(one, mask) for one in said])]
    passed = len(found.ended(Status.PASS, Status.WARN))
    trouble = found.ended(Status.FAIL, Status.UNKNOWN)
    blocks = [Block("**Failed, or unclear**", troubles(trouble, mask))] if trouble else []
    return [*blocks, Block(f"{passed} checks are as they should be.")]
