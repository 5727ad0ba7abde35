"""The library's own threads: nothing waits for them when an object is freed, or when the process exits.

The threads of concurrent.futures do not serve: the interpreter joins them before it exits, however much they
have left to do, and it starts none once the main thread has ended.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from queue import SimpleQueue  # put() may be called in any thread at any time, even by the garbage collector
from typing import TypeVar

from exactframes.errors import StoppedError

EXIT_SECONDS = 10  # at most: a thread that is ended by force within TorchCodec's C++ aborts the process
Order = Callable[[], object]
Orders = SimpleQueue[Order | None]  # None: the end
T = TypeVar("T")


class Stop:
    """A flag: something shall end. Setting it takes no lock, so that any thread may do it at any time."""

    def __init__(self) -> None:
        """Begin unset."""
        self.is_set = False

    def check(self) -> None:
        """Check that the work may go on.

        Raises:
            StoppedError: if it may not.
        """
        if self.is_set:
            raise StoppedError("no more frames are made: the iterator has been closed, or the process exits")

    def heeded(self, items: Iterable[T]) -> Iterator[T]:
        """Give these items until the flag is set.

        Raises:
            StoppedError: once it is set.
        """
        for item in items:
            self.check()
            yield item


class Helper(threading.Thread):
    """A thread that carries out orders until it is told to end."""

    def __init__(self, name: str, orders: Orders, stop: Stop) -> None:
        """Start nothing yet.

        Args:
            name: the thread's name.
            orders: where orders come from, one at a time; an order raises nothing.
            stop: the flag that the orders check; it is set when the thread shall end.
        """
        super().__init__(name=name, daemon=True)
        self._orders, self._stop_orders = orders, stop

    def begin(self) -> bool:
        """Start it, and return whether that was possible."""
        if _EXIT.is_set:
            return False
        try:
            self.start()
        except RuntimeError:  # the system gives no more threads, or the interpreter is ending
            return False
        return True

    def run(self) -> None:
        """Carry out orders."""
        while (order := self._orders.get()) is not None:
            order()
            del order  # it may hold much memory, and the next may take long to come

    def end(self) -> None:
        """Have it end as soon as it can; wait for nothing."""
        self._stop_orders.is_set = True
        self._orders.put(None)


class Crew:
    """Helpers for all workers but the caller; none is started before it has something to do.

    As a context it ends them on leaving. It may be freed, or inherited by a forked process, at any time.
    """

    def __init__(self, size: int) -> None:
        """Start no helper yet; there will be at most so many."""
        self.stop = Stop()  # for the helpers alone: the caller's thread can go on without them
        self._size = size
        self._forget()

    def __enter__(self) -> "Crew":
        """Return the crew itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End all helpers, and wait for them, unless a generator is being freed."""
        helpers = self._helpers
        self.end()
        if kind is not GeneratorExit:
            for helper in helpers:
                helper.join()

    def __del__(self) -> None:
        """End all helpers."""
        self.end()

    def share(self, order: Order, most: int) -> int:
        """Have several helpers do this at once, each of them once; return how many do.

        They may be fewer than asked for, even none, if the system gives no more threads.
        """
        if self.stop.is_set:
            return 0
        if self._process != os.getpid():  # a forked process has none of them
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
        """Have all helpers end after their current order; wait for nothing."""
        for _ in self._helpers:
            self._orders.put(None)
        self._forget()

    def _forget(self) -> None:
        self._helpers: list[Helper] = []
        self._orders: Orders = SimpleQueue()
        self._process = os.getpid()


_EXIT = Stop()


def _end_all() -> None:
    """End the remaining helpers when the process exits.

    A thread that was within TorchCodec then would be ended by force, and C++ aborts the process for that.
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
