"""Google Cloud's policy languages: CEL, attribute mappings, roles, allow and deny policies."""

from __future__ import annotations


class Undecidable(Exception):  # noqa: N818 (an answer, not an error)
    """The answer rests on something that the evaluator doesn't know: neither yes nor no."""
