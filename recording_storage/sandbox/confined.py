"""Confine this process, say how far that went, and become the command.

Run as a script (`python -I -S confined.py JOB COMMAND…`) with the command's own environment, and with nothing but
the standard library. On Linux it enters a network namespace in which there is only loopback, and a mount namespace in
which the caller's configuration folders are empty. The socket at which the sandbox's proxy is asked in there is made
in there and handed out: whoever holds it may accept from outside the namespace, so nothing needs to be forwarded, and
the command takes this process's place.

Leaves out namespaces of processes and users' own rights beyond their namespace: the command may do with the caller's
files what the caller may, but for the folders named in the job.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import sys
from typing import TYPE_CHECKING, NoReturn, TypedDict

if TYPE_CHECKING:
    import ctypes

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""As shells say it."""
NAME = "recording-storage sandbox"

_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
_MS_BIND, _MS_REC, _MS_SLAVE = 0x1000, 0x4000, 0x80000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_IFREQ = "16sh22x"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_BACKLOG = 128


class Job(TypedDict):
    """What the sandbox asks for."""

    channel: int
    """The file descriptor of a socket: a `Report` goes out, and one byte comes in when the command may start."""
    confine: bool
    port: int
    """Where the proxy listens, inside and outside alike."""
    hide: list[tuple[str, str]]
    """What is laid over which path: an empty folder or file of the sandbox's."""
    mask: list[int]
    """The signals that the caller had blocked."""


class Report(TypedDict):
    """How far the confinement went; each reason is empty where it holds."""

    open: str
    """Why other hosts can be reached by programs that ignore the proxy."""
    unhidden: str
    """Why the caller's configuration folders can be read by their real paths."""


def adopt_orphans() -> None:
    """Be the parent of whatever the command leaves running; only Linux knows how."""
    if sys.platform == "linux":
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def main() -> NoReturn:
    """Carry out the job, or end with what the sandbox is to know."""
    job: Job = json.loads(sys.argv[1])
    channel = socket.socket(fileno=job["channel"])
    report = Report(open="", unhidden="")
    listeners: list[socket.socket] = []
    if job["confine"]:
        try:
            _enter_namespaces()
            listeners = [_listen(job["port"])]
        except OSError as error:
            # A half-made namespace can't be left: the sandbox starts another one of these without.
            report["open"] = error.strerror or str(error)
        else:
            report["unhidden"] = _hide(job["hide"])
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # after the namespaces, which reset it
    socket.send_fds(channel, [json.dumps(report).encode()], [one.fileno() for one in listeners])
    if channel.recv(1) == b"":
        sys.exit(0)
    channel.close()
    for listener in listeners:
        listener.close()
    _become(sys.argv[2:], job["mask"])


def _enter_namespaces() -> None:
    if sys.platform != "linux":
        raise OSError("network namespaces are Linux's")
    user, group = os.getuid(), os.getgid()
    libc = _libc()
    _check(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWNS), "unshare")
    # The caller's own ids, so that files belong to whom they should.
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = fcntl.ioctl(any_socket, _SIOCGIFFLAGS, struct.pack(_IFREQ, b"lo", 0))
        _, flags = struct.unpack(_IFREQ, asked)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack(_IFREQ, b"lo", flags | _IFF_UP))


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", port))
    listener.listen(_BACKLOG)
    return listener


def _hide(hide: list[tuple[str, str]]) -> str:
    """Lay nothing over what is to be hidden; the reason where that fails."""
    libc = _libc()
    try:
        _check(libc.mount(None, b"/", None, _MS_REC | _MS_SLAVE, None), "mount")
        for nothing, path in hide:
            bound = libc.mount(os.fsencode(nothing), os.fsencode(path), None, _MS_BIND, None)
            _check(bound, f"mount over {path}")
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _become(command: list[str], mask: list[int]) -> NoReturn:
    # Python ignores these, and what it ignores the command would ignore.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        os.execvp(command[0], command)  # noqa: S606 (no shell is wanted)
    except (FileNotFoundError, NotADirectoryError):
        _end(NOT_FOUND, f"{command[0]}: command not found")
    except (OSError, ValueError) as error:
        _end(NOT_EXECUTABLE, f"{command[0]}: {getattr(error, 'strerror', None) or error}")


def _end(code: int, message: str) -> NoReturn:
    print(f"{NAME}: {message}", file=sys.stderr, flush=True)
    os._exit(code)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:  # noqa: PTH123 (pathlib takes long to import)
        file.write(text)


def _libc() -> ctypes.CDLL:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    text, number = ctypes.c_char_p, ctypes.c_ulong
    libc.mount.argtypes = (text, text, text, number, ctypes.c_void_p)
    libc.prctl.argtypes = (ctypes.c_int, number, number, number, number)
    return libc


def _prctl(option: int, value: int) -> None:
    _libc().prctl(option, value, 0, 0, 0)


def _check(result: int, what: str) -> None:
    """Raise what the C library means."""
    if result != 0:
        import ctypes

        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
