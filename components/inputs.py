"""What a component computes from its inputs.

Each may be another resource's output, but most are plain values. Only outputs are waited for: one costs more than what
is computed from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pulumi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


def computed(inputs: Sequence[pulumi.Input[Any]], compute: Callable[[Sequence[Any]], T]) -> pulumi.Input[T]:
    """What `compute` makes of the inputs' values: at once where all are plain, otherwise when the others are known."""
    awaited = [index for index, one in enumerate(inputs) if not isinstance(one, str | int | None)]
    if not awaited:
        return compute(inputs)

    def whole(known: Sequence[Any]) -> T:
        values = list(inputs)
        for index, value in zip(awaited, known, strict=True):
            values[index] = value
        return compute(values)

    def alone(known: Any) -> T:
        return whole([known])

    first = inputs[awaited[0]]
    if len(awaited) == 1 and isinstance(first, pulumi.Output):
        return first.apply(alone)
    return pulumi.Output.all(*(inputs[index] for index in awaited)).apply(whole)
