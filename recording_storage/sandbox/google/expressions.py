"""Expressions in CEL as Google takes or refuses them when something is stored."""

from __future__ import annotations

from recording_storage.evaluation.google import Undecidable, cel
from recording_storage.sandbox.google.errors import invalid
from recording_storage.sandbox.rest import Undecided


def check(expression: str, variables: frozenset[str], others: frozenset[str] = frozenset()) -> None:
    """Raise `GoogleError` where Google refuses to store an expression over `variables`; `Undecided`."""
    try:
        cel.check(expression, variables, others)
    except cel.Malformed as error:
        raise invalid(str(error)) from None
    except Undecidable as unknown:
        raise Undecided(str(unknown)) from None


def check_condition(expression: str) -> None:
    """Raise `GoogleError` where Google refuses to store the condition of a binding."""
    check(expression, cel.BINDING_VARIABLES, cel.BINDING_OTHERS)
