"""Everything that the documentation states, in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from account_cases import ACCOUNT_CASES
from element_cases import ELEMENT_CASES
from federated_cases import FEDERATED_CASES
from key_cases import KEY_CASES
from organisation_cases import ORGANISATION_CASES
from shape_cases import SHAPES
from value_cases import OPERATOR_CASES, VALUE_CASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy_case import Evaluator

CASES = [
    *ACCOUNT_CASES,
    *ELEMENT_CASES,
    *FEDERATED_CASES,
    *KEY_CASES,
    *ORGANISATION_CASES,
    *VALUE_CASES,
    *OPERATOR_CASES,
]


def differences(evaluator: Evaluator) -> Iterator[str]:
    """Name the cases for which an evaluator differs from the documentation."""
    for case in CASES:
        words, reason = evaluator.outcome(case)
        if words != case.expect or case.says not in reason:
            yield case.name
    yield from (reading.name for reading in SHAPES if evaluator.read(reading) != reading.expect)
