"""Connects one call to a cluster, with a client of its own and the options that it needs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from exactframes.cluster.fitness import can_reach, require_fit, workers_of
from exactframes.cluster.link import CONNECT_SECONDS, Link, silent, told_if_lost
from exactframes.cluster.traffic import traffic_of
from exactframes.errors import ClusterError

if TYPE_CHECKING:
    from distributed import Client

TCP_SECONDS = 12.0  # how long a connection may be silent; distributed refuses less than 11
MESSAGES_KEPT = 10  # for distributed's developers, of each connection; excerpts are among them
OPTIONS = {
    "distributed.comm.timeouts.connect": CONNECT_SECONDS,
    "distributed.comm.timeouts.tcp": TCP_SECONDS,
    "distributed.admin.large-graph-warning-threshold": "1GiB",  # an excerpt is meant to be in its task
    "distributed.admin.low-level-log-length": MESSAGES_KEPT,
}


class _Options:
    """Sets options while any call lasts: distributed reads them only from the whole process's settings."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls = 0
        self.set: Any = None

    @contextmanager
    def held(self) -> Iterator[None]:
        import dask

        with self.lock:
            if self.calls == 0:
                self.set = dask.config.set(OPTIONS)
            self.calls += 1
        try:
            yield
        finally:
            with self.lock:
                self.calls -= 1
                if self.calls == 0:
                    self.set.__exit__(None, None, None)


_OPTIONS = _Options()


@contextmanager
def connect(client: "Client") -> Iterator[Link]:
    """Make a client besides the caller's. When it closes, the scheduler releases all that was ours.

    Raises:
        ValueError: if it is no distributed.Client, or an asynchronous one.
        ClusterError: if the scheduler does not answer.
        RefusedError: if the workers are not fit for the work.
    """
    from distributed import Client

    address = _address_of(client)
    with _OPTIONS.held():
        with told_if_lost(address):
            own = Client(
                address,
                security=client.security,
                timeout=CONNECT_SECONDS,
                set_as_default=False,
                direct_to_workers=can_reach(workers_of(client)),
                name="exactframes",
            )
        try:
            with told_if_lost(address):
                require_fit(own, address)
                traffic = traffic_of(client)
                traffic.is_direct = bool(own.direct_to_workers)
                threads = sum(worker["nthreads"] for worker in workers_of(own).values())
                link = Link(own, address, max(1, threads), traffic)  # 1: the last worker may just be replaced
            own.subscribe_topic("all", link.note_lost)
            try:
                yield link
            finally:
                if own.status == "running":  # else the scheduler would report our own leaving to us
                    own.unsubscribe_topic("all")
        finally:
            own.close(timeout=CONNECT_SECONDS)


def _address_of(client: "Client") -> str:
    """The scheduler's address; checks that the client can be used."""
    from distributed import Client

    if not isinstance(client, Client):
        raise ValueError(f"client: give a distributed.Client, not {type(client).__name__}")
    if client.asynchronous:
        raise ValueError("client: give one that is not asynchronous, or call in a thread (asyncio.to_thread)")
    if client.status == "connecting" and client.scheduler is not None:  # once more: it has lost its scheduler
        raise ClusterError(silent(str(client.scheduler.address)))
    if client.status != "running" or client.scheduler is None:
        raise ClusterError(f"the client is {client.status}: give one that is connected to a scheduler")
    return str(client.scheduler.address)
