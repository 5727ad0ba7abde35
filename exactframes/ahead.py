"""Batches that are made one ahead, on a thread of their own, while the caller works on the last one."""

import os
import threading
import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from queue import SimpleQueue

import torch
from torch import Tensor

from exactframes.helpers import Helper, Orders, Stop

Batch = tuple[range, Tensor]
Made = Batch | Warning  # a warning is for the caller, before the next batch


@dataclass(frozen=True)
class _Failure:
    error: BaseException


class _Line:
    """Makes batches, and puts each result or error into a queue; raises nothing."""

    def __init__(self, batches: Generator[Made, None, None], stop: Stop) -> None:
        self.given: SimpleQueue[Made | _Failure | None] = SimpleQueue()  # None: the end
        self._batches, self._stop = batches, stop
        self._is_over = False  # nothing is left to stop: who still asks is told the end

    def make_one(self, is_inference: bool) -> None:
        """Make the next batch, with inference mode on or off."""
        try:
            if not self._is_over:
                self._stop.check()
            with torch.inference_mode(is_inference):
                self._give_next()
        except BaseException as error:  # noqa: BLE001  the caller raises it
            self.given.put(_Failure(error))
            self.given.put(None)

    def _give_next(self) -> None:
        self._is_over = True  # unless a batch comes of it
        while isinstance(made := next(self._batches, None), Warning):
            self.given.put(made)
        self._is_over = made is None
        self.given.put(made)

    def close(self) -> None:
        """Close the generator, and with it the file."""
        self._batches.close()
        self.given.put(None)


class Ahead(Iterator[Batch]):
    """The batches of a generator that runs in a thread. One batch is made ahead, and no more.

    Closing or freeing this object does not wait, in any thread: the garbage collector may do it in the very
    thread that makes the batches. That thread finishes its current order and ends by itself; it holds no
    reference to this object. If no thread can be started, the caller's thread makes all batches.
    """

    def __init__(self, batches: Generator[Made, None, None], stop: Stop) -> None:
        """Start nothing yet.

        Args:
            batches: what to give; a warning among them is issued in the caller's thread.
            stop: is set when nothing more is wanted; the generator should check it, and may raise its error.
        """
        self._line, self._stop = _Line(batches, stop), stop
        self._orders: Orders = SimpleQueue()
        self._beginning = threading.Lock()
        self._process: int | None = None  # the process that began it
        self._maker: Helper | None = None
        self._is_closed = False

    def __iter__(self) -> "Ahead":
        """Give itself."""
        return self

    def __next__(self) -> Batch:
        """Give the next batch, which is made already or is waited for.

        Raises:
            RuntimeError: if it was begun in another process.
            Exception: the error that making the batch raised, once; then there are no more batches. Any other
                error here has the same effect: a warning that the caller's filters make an error, or Ctrl-C.
        """
        is_stopped = self._stop.is_set  # looked at first: another thread may close this between the two
        if self._is_closed:
            raise StopIteration
        if is_stopped:
            self._stop.check()  # the process may have ended the thread, as it exits
        self._begin()
        try:
            self._order_one()
            while isinstance(given := self._line.given.get(), Warning):
                warnings.warn(given, stacklevel=2)
            return self._checked(given)
        except BaseException:
            given = None  # the error holds this frame
            self.close()
            raise

    def __del__(self) -> None:
        """End the thread, as close does."""
        self.close()

    def close(self) -> None:
        """Give nothing more, and end the thread."""
        if self._is_closed:
            return
        self._is_closed = self._stop.is_set = True
        if self._maker is not None:  # else nothing runs, and the generator is freed with this
            self._orders.put(self._line.close)
            self._orders.put(None)

    def _begin(self) -> None:
        """Start the thread, and order one batch more than the caller asks for."""
        with self._beginning:
            if self._process is None:
                self._process = os.getpid()
                maker = Helper("exactframes-ahead", self._orders, self._stop)
                if maker.begin():
                    self._maker = maker
                    self._order_one()
        if self._process != os.getpid():
            raise RuntimeError("these frames are being decoded in another process: make a new iterator here")

    def _order_one(self) -> None:
        line, is_inference = self._line, torch.is_inference_mode_enabled()
        if self._maker is None:
            line.make_one(is_inference)
        else:
            self._orders.put(lambda: line.make_one(is_inference))

    def _checked(self, given: Batch | _Failure | None) -> Batch:
        """Return the batch; raise if something else was given."""
        if isinstance(given, tuple):
            return _as_made_here(given)
        self.close()
        if self._maker is not None:
            self._maker.join()  # it has nothing left to do: no thread is listed afterwards
        if given is None:
            self._line.given.put(None)  # another thread may wait as well
            raise StopIteration
        try:
            raise given.error
        finally:
            del given  # the error holds this frame


def _as_made_here(batch: Batch) -> Batch:
    """The same batch, converted to this thread's inference mode, which may have changed meanwhile."""
    rows, frames = batch
    if frames.is_inference() == torch.is_inference_mode_enabled():
        return batch
    return rows, frames.clone()
