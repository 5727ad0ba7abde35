"""PyTorch's DataLoader: the stream as a data set, answered by worker processes that live on."""

import os
import signal
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks.loads.records import Answered, Keep, LoadError
from benchmarks.ways import Way
from benchmarks.ways.answering import Answerer
from fixtures.requests import RequestStream

Item = tuple[Tensor, Answered]


class Requests(Dataset[Item]):
    """A stream as a data set; each process that answers makes its decoders when the first request comes."""

    def __init__(self, way: Way, stream: RequestStream, workers: int) -> None:
        """Open nothing yet: decoders do not travel."""
        self._way, self._stream = way, stream
        self._room = stream.room // max(1, workers)
        self._answerer: Answerer | None = None

    def __len__(self) -> int:
        """How many requests."""
        return len(self._stream.requests)

    def __getitem__(self, number: int) -> Item:
        """The frames of a request, and what is noted of it."""
        if self._answerer is None:
            self._answerer = Answerer(self._way, self._stream, self._room)
        is_first = not self._answerer.answered
        started = time.perf_counter()
        frames = self._answerer.answer(self._stream.requests[number])
        ended = time.perf_counter()
        noted = Answered(
            number=number,
            due=started,
            started=started,
            ended=ended,
            caller=os.getpid(),
            is_first=is_first,
            decoders_open=self._answerer.decoders_open,
        )
        return frames, noted

    def close(self) -> None:
        """Close what is open in this process."""
        if self._answerer is not None:
            self._answerer.close()


class Loader:
    """A DataLoader over the stream, one request an item, in order."""

    def __init__(self, way: Way, stream: RequestStream, workers: int, context: str | None) -> None:
        """Start nothing yet.

        Args:
            way: that opens videos.
            stream: the requests.
            workers: processes; 0 answers in this one.
            context: fork or spawn; None without workers.
        """
        self._requests = Requests(way, stream, workers)
        self._loader: Any = DataLoader(
            self._requests,
            batch_size=None,
            num_workers=workers,
            multiprocessing_context=context,
            persistent_workers=workers > 0,
            collate_fn=_as_it_is,
        )

    def take(self, keep: Keep) -> Sequence[Answered]:
        """One pass; workers are started by the first one.

        Raises:
            LoadError: if a worker dies.
        """
        found = []
        with _told(self), warnings.catch_warnings():
            # Python warns of a fork beside threads; ours hold no lock then.
            warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
            for frames, noted in self._loader:
                found.append(_with(noted, keep(noted.number, frames)))
        return found

    def close(self) -> None:
        """End the workers."""
        iterator, self._loader._iterator = self._loader._iterator, None
        for worker in _shut_down(iterator):
            worker.kill()
            worker.join()
        self._requests.close()

    def how_a_worker_ended(self) -> str | None:
        """How a worker has ended of itself; None if none has."""
        for worker in getattr(self._loader._iterator, "_workers", ()):
            with suppress(RuntimeError):  # PyTorch's handler of SIGCHLD may raise at any time
                worker.join(0.1)  # one that was killed is gone within this time
            if worker.exitcode:
                code = worker.exitcode
                return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"
        return None


@contextmanager
def _told(loader: Loader) -> Iterator[None]:
    """Turn the death of a worker into one sentence, and leave none of the others behind.

    The first sign of it is PyTorch's RuntimeError, or a connection that breaks while frames are handed over.
    """
    try:
        yield
    except BaseException as error:
        is_sign = isinstance(error, RuntimeError | OSError | EOFError)
        how = loader.how_a_worker_ended() if is_sign else None
        loader.close()
        if how:
            raise LoadError(f"a DataLoader worker ended in the midst of a pass: it {how}") from error
        raise


def _shut_down(iterator: Any) -> Sequence[Any]:
    """Have the workers end; gives those that may live on."""
    if not hasattr(iterator, "_shutdown_workers"):  # no pass was taken, or there are no workers
        return ()
    # PyTorch's handler of SIGCHLD raises for a worker that has died, in the midst of this too.
    with suppress(RuntimeError):
        iterator._shutdown_workers()
    return tuple(iterator._workers)


def _as_it_is(item: Any) -> Any:
    return item


def _with(noted: Answered, kept: Any) -> Answered:
    return replace(noted, kept=kept)
