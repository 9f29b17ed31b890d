"""Reads of live clouds, all at the same time and each made once.

A read is a `Future`: who needs its value waits for it, and is told there what went wrong. A read may begin others and
wait for them. Leaves out how a cloud is asked.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")
P = ParamSpec("P")

AT_A_TIME = 64
"""Calls under way at most: what more would do is make a cloud throttle its caller."""


class Reads:
    """The reads of one run, of all its destinations."""

    def __init__(self, at_a_time: int = AT_A_TIME) -> None:
        self._slots = threading.Semaphore(at_a_time)
        self._shared: dict[Hashable, Future[object]] = {}
        self._lock = threading.Lock()

    def begin(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a read in a thread of its own; what it raises is raised where its result is asked for."""
        future: Future[T] = Future()
        self._start(future, read, *args, **kwargs)
        return future

    def once(self, key: Hashable, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a read that destinations share, or give the one that is under way."""
        made: Future[T] = Future()
        with self._lock:
            found: Future[T] = self._shared.setdefault(key, made)  # pyright: ignore[reportAssignmentType, reportArgumentType]
        if found is made:  # outside of the lock: a thread takes a while to start, and many may be waiting
            self._start(made, read, *args, **kwargs)
        return found

    @staticmethod
    def _start(future: Future[T], read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> None:
        def run() -> None:
            try:
                future.set_result(read(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=run, daemon=True).start()

    def call(self, ask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Make one call of a cloud's, when there is a slot for it. It must not wait for another read."""
        with self._slots:
            return ask(*args, **kwargs)
