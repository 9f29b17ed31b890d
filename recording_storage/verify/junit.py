"""Results as JUnit XML, which CI systems show beside their tests: a suite for each destination, a case for each check.

What could not be decided is an error, what failed a failure; a warning passes and is written into the case's output.
The form is what pipelines read: https://docs.gitlab.com/ci/testing/unit_test_reports/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO, cast

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from recording_storage.results import Status

if TYPE_CHECKING:
    from recording_storage.results import Document, Result

NOT_IN_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""https://www.w3.org/TR/xml/#charsets"""


def write(document: Document, out: TextIO) -> None:
    """Write a document as JUnit XML."""
    whole = JUnitXml("recording-storage verify")
    for destination in document.destinations:
        suite = TestSuite(_text(destination.name))
        for result in document.results:
            if result.destination == destination.name:
                suite.add_testcase(_case(result))
        whole.add_testsuite(suite)
    out.write(cast("bytes", whole.tostring()).decode() + "\n")


def _case(result: Result) -> TestCase:
    case = TestCase(f"{result.id} {_text(result.title)}", _text(result.destination))
    said = _text("\n".join(filter(None, [result.evidence, result.mend, result.source])))
    if result.status in (Status.FAIL, Status.UNKNOWN):
        kind = Failure if result.status is Status.FAIL else Error
        trouble = kind(_text(result.evidence), result.id)
        trouble.text = said
        case.result = [trouble]
    elif result.status is Status.WARN:
        case.system_out = said
    return case


def _text(text: str) -> str:
    """A text without what XML can't hold."""
    return NOT_IN_XML.sub("\ufffd", text)
