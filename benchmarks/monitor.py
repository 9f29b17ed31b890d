"""Run a Pulumi program without the engine: `python benchmarks/monitor.py PROGRAM`, its configuration on standard input.

Each registration is answered at once and only counted. Prints as JSON how many there were, and when the first one came:
by the clock that all of a machine's processes share, and in seconds of CPU time. Imports little, so that what is
measured is the program.
"""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pulumi.runtime import mocks, set_all_config
from pulumi.runtime.stack import run_pulumi_func

if TYPE_CHECKING:
    from pulumi.runtime.proto import resource_pb2

PROJECT = "recording-storage"
ACCOUNT = "111122223333"


class Cloud(mocks.Mocks):
    """Has whatever is asked for."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """What was asked for, and what AWS adds to it."""
        inputs = cast("dict[str, Any]", args.inputs)
        if args.typ == "aws:s3/bucket:Bucket":
            name = inputs.get("bucket", args.name)
            computed = {"bucket": name, "arn": f"arn:aws:s3:::{name}", "bucketRegion": inputs.get("region")}
            return name, inputs | computed
        if args.typ == "aws:iam/role:Role":
            return inputs["name"], inputs | {"arn": f"arn:aws:iam::{ACCOUNT}:role/{inputs['name']}"}
        return args.name, inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """Whose account it is, the only thing that is asked."""
        assert args.token.endswith(":getCallerIdentity"), args.token
        return {"accountId": ACCOUNT}, []


class Monitor(mocks.MockMonitor):
    """Counts what is registered beside the stack itself."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.first: dict[str, float] = {}
        self.counts = {"resources": 0, "components": 0}

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> Any:  # noqa: N802 (gRPC's)
        """Count it."""
        if request.type != "pulumi:pulumi:Stack":
            if not self.first:
                self.first = {"at": time.monotonic(), "cpu": time.process_time()}
            self.counts["resources" if request.custom else "components"] += 1
        return super().RegisterResource(request)


def main() -> None:
    """Run the program once."""
    program = Path(sys.argv[1])
    config = cast("dict[str, str]", json.load(sys.stdin))
    sys.path[0] = str(program.parent)
    os.environ["PULUMI_CONFIG"] = json.dumps(config)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    monitor = Monitor(cloud := Cloud())
    mocks.set_mocks(
        cloud, project=PROJECT, stack="acme", preview=False, monitor=monitor, organization="organization"
    )
    set_all_config(config)

    def run() -> None:
        runpy.run_path(str(program), run_name="__main__")

    loop.run_until_complete(run_pulumi_func(run))
    loop.close()
    print(json.dumps({"first": monitor.first, **monitor.counts}))


if __name__ == "__main__":
    main()
