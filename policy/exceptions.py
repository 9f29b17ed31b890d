"""Which findings an exception covers, and which exceptions cover nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from policy.resources import Resource
    from policy.rules import Finding
    from policy.settings import Excepted


def covers(exception: Excepted, finding: Finding) -> bool:
    """Whether it is of the finding's rule, for its resource or a component that it is in."""
    return exception.rule == finding.rule.id and finding.resource.named({exception.resource})


def remaining(found: Iterable[Finding], exceptions: Sequence[Excepted]) -> list[Finding]:
    """What no exception covers."""
    return [one for one in found if not any(covers(exception, one) for exception in exceptions)]


def unused(
    exceptions: Iterable[Excepted], found: Sequence[Finding], stack: Sequence[Resource]
) -> Iterator[str]:
    """Say which exceptions cover nothing in this stack; one by a URN of another stack is that one's business."""
    stacks = {_stack(one.urn) for one in stack}
    for exception in exceptions:
        if any(covers(exception, one) for one in found):
            continue
        if exception.resource.startswith("urn:") and _stack(exception.resource) not in stacks:
            continue
        yield (
            f"the exception to {exception.rule} for {exception.resource} covers nothing in this stack: remove it, or "
            f'write its URN, so that it is of one stack only (its reason: "{exception.reason}")'
        )


def _stack(urn: str) -> str:
    return "::".join(urn.split("::")[:2])
