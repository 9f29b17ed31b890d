"""Run a Pulumi program without the Pulumi CLI: its own `__main__.py`, each resource really made.

`python -m recording_storage.program` reads one `Job` (a line of JSON) from standard input and writes events as
lines of JSON: `made` for each resource, then `outputs`, or `failed`, and `{"done": true}`. It holds whatever
credentials its environment has, so the sandbox starts it in an environment of its own.

It proves wiring and content, and refuses inputs that the provider's Python SDK wouldn't take
(`resources.schema`). It has no diff, no state and no update: the Pulumi CLI does.
"""

from __future__ import annotations

import json
import logging
import os
import runpy
import sys
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

import pulumi
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _sync_await
from typing_extensions import override

from components import adoption
from recording_storage import resources
from recording_storage.resources import imports
from recording_storage.wire import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from recording_storage.resources import Properties

PROVIDER_PREFIX = "pulumi:providers:"
THINGS = {
    "Bucket": "bucket",
    "WorkloadIdentityPool": "workload identity pool",
    "WorkloadIdentityPoolProvider": "provider",
}
"""What is adopted by its own id, where others are settings of it."""


@dataclass(frozen=True)
class Job:
    """What to run: a project's folder, and the stack's configuration as the CLI hands it to a program."""

    folder: str
    project: str
    stack: str
    organization: str
    config: dict[str, str]
    environment: dict[str, str]
    """Variables beside those that the process has already: the owner's credentials."""


class ResourceError(Exception):
    """A resource could not be made; the message says which and why."""


class Cloud(mocks.Mocks):
    """Makes each registered resource, with the clients that its provider's configuration gives."""

    def __init__(self, job: Job, tell: Callable[[dict[str, Any]], None]) -> None:
        self._job = job
        self._tell = tell
        self._configured: dict[str, tuple[resources.Provider, Properties]] = {}
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @override
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = cast("Properties", plain(args.inputs))
        if args.typ.startswith(PROVIDER_PREFIX):
            id_ = f"{args.name}-id"
            try:
                self._configured[id_] = _configured(args.typ.removeprefix(PROVIDER_PREFIX), inputs)
            except Exception as error:
                raise ResourceError(f"{args.typ} {args.name}: {error}") from error
            return id_, inputs
        if not args.custom:
            return "", inputs
        try:
            provider, clients = self._provider(args.typ.partition(":")[0], args.provider)
            kind = resources.check(provider, args.typ, inputs)
            if args.resource_id:
                made, state = _adopted(kind, clients, args, inputs)
            else:
                made, state = kind.create(clients, inputs)
        except Exception as error:
            raise ResourceError(f"{args.typ} {args.name}: {error}") from error
        self._tell({"event": "made", "type": args.typ, "name": args.name, "id": made, "inputs": inputs})
        return made, state

    @override
    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        provider, clients = self._provider(args.token.partition(":")[0], args.provider)
        return provider.invoke(clients, args.token, cast("Properties", plain(args.args))), []

    def _provider(self, package: str, reference: str | None) -> tuple[resources.Provider, Any]:
        id_ = (reference or "").rpartition("::")[2] or f"default {package}"
        with self._lock:
            if id_ not in self._configured:
                prefix = f"{package}:"
                own = {k.removeprefix(prefix): v for k, v in self._job.config.items() if k.startswith(prefix)}
                try:
                    self._configured[id_] = _configured(package, own)
                except resources.InputsError as error:
                    raise ValueError(f"the stack's configuration of {package}: {error}") from error
            provider, config = self._configured[id_]
            if id_ not in self._clients:
                self._clients[id_] = provider.configure(config)
            return provider, self._clients[id_]


def _configured(package: str, config: Properties) -> tuple[resources.Provider, Properties]:
    """A package's provider, and its configuration, which its SDK would take."""
    provider = resources.provider(package)
    resources.check_config(package, config)
    return provider, config


def _adopted(
    kind: resources.ResourceType, clients: Any, args: mocks.MockResourceArgs, inputs: Properties
) -> tuple[str, Properties]:
    """The id and the state of what exists and is as `inputs` ask for."""
    found = imports.find(kind, clients, str(args.resource_id))
    if found is None:
        thing = args.typ.rpartition(":")[2]
        raise LookupError(
            f"adopt: there is no {THINGS[thing]} {args.resource_id}"
            if thing in THINGS
            else f"adopt: {args.resource_id} has no {thing}"
        )
    there = kind.settled(adoption.read_back(found[1], found[1]), found[1])
    differs = adoption.difference(there, kind.settled(inputs, found[1]))
    if differs:
        raise ValueError(differs)
    return found


def run(job: Job, tell: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Run the job's program in this process, once; the stack's outputs."""
    folder = Path(job.folder)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    os.environ.update(job.environment)
    os.environ["PULUMI_CONFIG"] = json.dumps(job.config)
    logger = logging.getLogger("pulumi program")
    logger.addHandler(_Forward(tell))
    logger.propagate = False
    mocks.set_mocks(
        Cloud(job, tell),
        project=job.project,
        stack=job.stack,
        preview=False,
        logger=logger,
        organization=job.organization,
    )
    pulumi.runtime.set_all_config(job.config)

    async def whole() -> dict[str, Any]:
        await run_pulumi_func(
            lambda: cast("None", runpy.run_path(str(folder / "__main__.py"), run_name="__main__"))
        )
        root = settings.get_root_resource()
        exported = pulumi.Output.from_input(cast("Any", root).outputs)
        return cast("dict[str, Any]", await exported.future(with_unknowns=False))

    return json.loads(json.dumps(_sync_await(whole())))


class _Forward(logging.Handler):
    """What the program says through `pulumi.log`."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(logging.INFO)
        self._tell = tell

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._tell({"event": "log", "level": record.levelname.lower(), "message": record.getMessage()})


def _explained(error: BaseException, folder: str) -> str:
    """The failure in one sentence; for an error of the program itself, with the line that raised it."""
    chain: list[BaseException] = []  # Pulumi ties causes and contexts into circles
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    for cause in chain:
        if isinstance(cause, ResourceError | pulumi.RunError):
            return str(cause)
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(folder) and "site-packages" not in frame.filename
    ]
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _protocol() -> TextIO:
    """The channel to the parent: standard output as it was, while the program's prints go to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    return channel


def main() -> None:
    """Read a job, run it, tell of it."""
    channel = _protocol()
    lock = threading.Lock()

    def tell(event: dict[str, Any]) -> None:
        with lock:
            channel.write(json.dumps(event) + "\n")

    line = sys.stdin.readline()
    if not line:
        return  # whoever started this has gone
    job = Job(**json.loads(line))
    try:
        tell({"event": "outputs", "outputs": run(job, tell)})
    except BaseException as error:
        tell({"event": "failed", "message": _explained(error, job.folder)})
    tell({"done": True})
    channel.flush()
    os._exit(0)  # threads of a failed program may still wait for values that never come


if __name__ == "__main__":
    main()
