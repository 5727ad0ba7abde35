"""Threads of the library's own: nobody waits for them when something is freed, or when the process exits.

Those of concurrent.futures will not do: the interpreter joins them before it exits, however much they have
yet to do, and starts none once the main thread has ended.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from queue import SimpleQueue  # the garbage collector may call put() in any thread, at any time: see its docs
from typing import TypeVar

from exactframes.errors import StoppedError

EXIT_SECONDS = 10  # at most: threads that the process ends within TorchCodec's C++ would abort it
Order = Callable[[], object]
Orders = SimpleQueue[Order | None]  # None: the end
T = TypeVar("T")


class Stop:
    """Whether something is to end. No lock is taken, so that it can be set in any thread, at any time."""

    def __init__(self) -> None:
        """Let them go on."""
        self.is_set = False

    def check(self) -> None:
        """Look whether to go on.

        Raises:
            StoppedError: if not.
        """
        if self.is_set:
            raise StoppedError("no more frames are made: the iterator has been closed, or the process exits")

    def heeded(self, items: Iterable[T]) -> Iterator[T]:
        """Give these as long as they are to go on.

        Raises:
            StoppedError: else.
        """
        for item in items:
            self.check()
            yield item


class Helper(threading.Thread):
    """A thread that carries out orders until it is told to end."""

    def __init__(self, name: str, orders: Orders, stop: Stop) -> None:
        """Start nothing yet.

        Args:
            name: as threads are listed.
            orders: where they come from, one at a time; they raise nothing.
            stop: what the orders look at; is set where it is to end.
        """
        super().__init__(name=name, daemon=True)
        self._orders, self._stop_orders = orders, stop

    def begin(self) -> bool:
        """Start it, and tell whether that could be done."""
        if _EXIT.is_set:
            return False
        try:
            self.start()
        except RuntimeError:  # no more threads are to be had, or none at this late hour
            return False
        return True

    def run(self) -> None:
        """Carry out orders."""
        while (order := self._orders.get()) is not None:
            order()
            del order  # what it holds may be large, and the next may be long in coming

    def end(self) -> None:
        """Have it end as soon as it can, without waiting for that."""
        self._stop_orders.is_set = True
        self._orders.put(None)


class Crew:
    """Helpers for all workers but the caller; none is started before it has something to do.

    As a context it ends them on leaving. It may be freed, or be taken into a forked process, at any time.
    """

    def __init__(self, size: int) -> None:
        """Start nothing yet; there are at most so many."""
        self.stop = Stop()  # for the helpers: the caller's thread can go on without them
        self._size = size
        self._forget()

    def __enter__(self) -> "Crew":
        """Give it."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End all helpers, and wait for them, unless it is a generator that is being freed."""
        helpers = self._helpers
        self.end()
        if kind is not GeneratorExit:
            for helper in helpers:
                helper.join()

    def __del__(self) -> None:
        """End all helpers."""
        self.end()

    def share(self, order: Order, most: int) -> int:
        """Have this done by several helpers at once, each of them once; tells by how many.

        They may be fewer than asked for, even none: where the system gives no more threads.
        """
        if self.stop.is_set:
            return 0
        if self._process != os.getpid():  # they have not come along
            self._forget()
        while len(self._helpers) < min(most, self._size):
            helper = Helper(f"exactframes-{len(self._helpers) + 1}", self._orders, self.stop)
            if not helper.begin():
                break
            self._helpers.append(helper)
        count = min(most, len(self._helpers))
        for _ in range(count):
            self._orders.put(order)
        return count

    def end(self) -> None:
        """Have all helpers end when they have done what they are at, without waiting for that."""
        for _ in self._helpers:
            self._orders.put(None)
        self._forget()

    def _forget(self) -> None:
        self._helpers: list[Helper] = []
        self._orders: Orders = SimpleQueue()
        self._process = os.getpid()


_EXIT = Stop()


def _end_all() -> None:
    """End what is left when the process exits: no thread may be within TorchCodec when the interpreter goes.

    Then it would be ended by force, and C++ aborts the process for that.
    """
    _EXIT.is_set = True
    helpers = [thread for thread in threading.enumerate() if isinstance(thread, Helper)]
    for helper in helpers:
        helper.end()
    latest = time.monotonic() + EXIT_SECONDS
    for helper in helpers:
        with suppress(RuntimeError):  # it is about to be started
            helper.join(max(0.0, latest - time.monotonic()))


atexit.register(_end_all)
