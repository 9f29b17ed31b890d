"""`python -m recording_storage.verify`: verifies what a job on standard input names, for who is in a sandbox.

A job is a line of JSON, `{"targets": […], "only": […] or null}`; the answers are a line for each result and a last one,
`{"done": true}`. A job without targets only imports what its `providers` need.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from recording_storage.verify import load, verify
from recording_storage.verify.targets import Target

TARGETS = TypeAdapter(list[Target])

for line in sys.stdin:
    job: dict[str, Any] = json.loads(line)
    for provider in job.get("providers", ()):
        load(provider)
    if job.get("targets"):
        for result in verify(
            TARGETS.validate_python(job["targets"]), lambda _: None, job.get("only")
        ).results:
            print(json.dumps(asdict(result) | {"status": result.status.value}), flush=True)
    print(json.dumps({"done": True}), flush=True)
