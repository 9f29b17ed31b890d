"""Run one command in a sandbox, as if it had been started without: its terminal, its signals, its exit code.

The command is this process's own child, in the same process group, so that a terminal and a pipeline work as ever. A
signal that the terminal sends reaches it by itself; one that is sent to this process alone is passed on. What the
command leaves running is ended after it, and where this process is killed, so is the command (both on Linux only).
"""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from recording_storage.sandbox import confined

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
    from types import FrameType

    from recording_storage.sandbox import Sandbox

PASSED_ON = (
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
WATCHED = (*PASSED_ON, signal.SIGCHLD)
FROM_TERMINAL = 0x80
"""`SI_KERNEL`: the terminal's signals go to the whole process group, so the command has them already."""
KILLED = 128
"""What is added to a signal's number for an exit code, as shells do."""
HIDDEN = (
    ".aws",
    ".azure",
    ".boto",
    ".config/gcloud",
    ".pulumi/credentials.json",
    ".terraform.d/credentials.tfrc.json",
    ".terraformrc",
)
"""In the caller's home: where credentials are that a program may find by the home's real path."""
SMALL = 4096


def hold_signals() -> list[int]:
    """Hold signals back until somebody waits for them, to the end of the process; gives those blocked before.

    Threads that are started from now on never take one, and nothing that is being cleaned up is interrupted.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    signal.signal(signal.SIGCHLD, _nothing)  # or some systems would throw it away
    return [int(one) for one in before]


@contextmanager
def interruptible() -> Generator[None]:
    """Let signals end the block, where no command runs yet that they could be meant for."""
    fatal = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_DFL]
    for one in fatal:
        signal.signal(one, _end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)


def run(sandbox: Sandbox, command: Sequence[str], environment: Mapping[str, str], mask: list[int]) -> int:
    """Run `command` with exactly `environment` until it ends; its exit code. Call it after `hold_signals`."""
    confined.adopt_orphans()
    try:
        try:
            child = _start(sandbox, command, environment, mask, confine=True)
        except _NotConfinedError as why:
            say(f"not confined ({why}): a program that ignores the proxy variables can reach other hosts")
            child = _start(sandbox, command, environment, mask, confine=False)
        return _wait(child)
    finally:
        _end_orphans()


class _NotConfinedError(Exception):
    """The message says why."""


def _start(
    sandbox: Sandbox,
    command: Sequence[str],
    environment: Mapping[str, str],
    mask: list[int],
    *,
    confine: bool,
) -> int:
    """Start the command; `_NotConfinedError` where it should have been confined and can't be."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.set_inheritable(True)
            job = confined.Job(
                channel=theirs.fileno(),
                confine=confine,
                port=sandbox.port,
                hide=list(_hidden(sandbox.folder / "nothing")) if confine else [],
                mask=mask,
            )
            script = [sys.executable, "-I", "-S", confined.__file__, json.dumps(job), *command]
            child = os.posix_spawn(sys.executable, script, dict(environment))
        said, descriptors, _, _ = socket.recv_fds(ours, SMALL, 1)
        report: confined.Report = json.loads(said or '{"open": "", "unhidden": ""}')
        if report["open"]:
            ours.close()
            os.waitpid(child, 0)
            raise _NotConfinedError(report["open"])
        if report["unhidden"]:
            say(f"your configuration folders can be read by their real paths ({report['unhidden']})")
        for descriptor in descriptors:
            sandbox.listen_also(socket.socket(fileno=descriptor))
        with suppress(BrokenPipeError):
            ours.sendall(b"!")
    return child


def say(message: str) -> None:
    """Tell the user, without getting into the command's output."""
    print(f"{confined.NAME}: {message}", file=sys.stderr, flush=True)


def _hidden(nothing: Path) -> Iterator[tuple[str, str]]:
    """What is laid over which of the caller's folders and files."""
    empty_folder, empty_file = nothing / "folder", nothing / "file"
    empty_folder.mkdir(parents=True, exist_ok=True)
    empty_file.touch()
    homes = {pwd.getpwuid(os.getuid()).pw_dir, os.environ.get("HOME", "")} - {""}
    for path in (Path(home) / name for home in sorted(homes) for name in HIDDEN):
        if path.exists():
            yield str(empty_folder if path.is_dir() else empty_file), str(path)


def _wait(child: int) -> int:
    """Pass signals on until the child has ended; its exit code."""
    while True:
        number, from_terminal = _next_signal()
        if number == signal.SIGCHLD:
            code = dict(_ended()).get(child)
            if code is not None:
                return code
        elif not from_terminal:
            os.kill(child, number)


def _next_signal() -> tuple[int, bool]:
    """The next signal, and whether the terminal sent it to the command as well."""
    if sys.platform == "linux":
        said = signal.sigwaitinfo(WATCHED)
        return said.si_signo, said.si_code == FROM_TERMINAL
    number = signal.sigwait(WATCHED)
    return number, number in (signal.SIGINT, signal.SIGQUIT) and sys.stdin.isatty()


def _ended() -> Iterator[tuple[int, int]]:
    """The children that have ended, with their exit codes."""
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            code = os.waitstatus_to_exitcode(found[1])
            yield found[0], code if code >= 0 else KILLED - code


def _end_orphans() -> None:
    """End what is left of the command: its orphans are this process's children."""
    while True:
        list(_ended())
        left = list(_children())
        if not any(_kill(pid) for pid in left):
            return
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)


def _kill(pid: int) -> bool:
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def _children() -> Iterable[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text(errors="replace").rpartition(")")[2].split()[1]) == os.getpid():
                yield int(stat.parent.name)


def _nothing(number: int, frame: FrameType | None) -> None:
    del number, frame


def _end(number: int, frame: FrameType | None) -> None:
    del frame
    raise SystemExit(KILLED + number)
