"""The cluster of a session: it is started or connected to here, and its workers are checked."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.across import CLUSTER_ACROSS
from benchmarks.strategies.on_a_cluster import UNSEEN
from exactframes.cluster.connecting import MESSAGES_KEPT
from exactframes.cluster.fitness import require_fit, workers_of
from exactframes.cluster.remote import is_seen
from exactframes.cluster.traffic import traffic_of
from exactframes.errors import ClusterError
from fixtures.settings import Settings
from results.schema import ClusterUse

if TYPE_CHECKING:
    from distributed import Client, Security

CONNECT_SECONDS = 5
BY_PATH = ("cluster-processes", CLUSTER_ACROSS)  # they open videos on the workers
WORKER_TTL = "30s"  # after so long without an answer, one of our workers counts as lost


@dataclass
class Cluster:
    """A cluster with workers that are fit for the work."""

    address: str
    security: "Security | None"
    workers: int
    threads: int
    is_local: bool  # whether this session has started it on this machine
    clients: dict[str, "Client"] = field(
        default_factory=dict
    )  # one for each strategy, so that its traffic is counted separately

    def client(self, name: str) -> "Client":
        """The connected client of a strategy."""
        if name not in self.clients:
            self.clients[name] = _client(self.address, self.security)
        return self.clients[name]

    def why_not(self, name: str, videos: Iterable[Path]) -> str | None:
        """Why a strategy that opens these videos on the workers cannot be measured; None if it can be."""
        if name not in BY_PATH:
            return None
        client = self.client(name)
        seen = [client.run(is_seen, str(video.resolve()), on_error="return") for video in videos]
        blind = {worker for sees in seen for worker, answer in sees.items() if answer is not True}
        if not blind:
            return None
        return f"{name} was not measured: {len(blind)} workers do not see a video; it {UNSEEN}"

    @property
    def identity(self) -> dict[str, object]:
        """The fields in which runs on different clusters differ; they hold no address."""
        return {"cluster_workers": self.workers, "cluster_is_local": self.is_local}

    def use(self, name: str, frames: int) -> ClusterUse:
        """What a pass over so many frames moves on average, and how many tasks ran again in all passes."""
        total = traffic_of(self.client(name)).as_dict()
        passes = total["frames"] / frames if frames else 0.0
        kept = ("tasks_again", "longest_task_seconds", "is_direct")
        mean = {key: total[key] if key in kept else total[key] / passes for key in total} if passes else {}
        return ClusterUse(workers=self.workers, threads=self.threads, is_local=self.is_local, **mean)


@contextmanager
def open_cluster(settings: Settings) -> Iterator[Cluster]:
    """The cluster of --cluster, while the context lasts.

    Raises:
        ClusterError: if no scheduler answers, or its workers are not fit for the work.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is reported in a sentence
    if isinstance(settings.cluster, int):
        with _local(settings.cluster) as address:
            yield from _connected(address, None, is_local=True)
    else:
        assert settings.cluster is not None
        yield from _connected(settings.cluster, _security(settings), is_local=False)


def _connected(address: str, security: "Security | None", *, is_local: bool) -> Iterator[Cluster]:
    client = _client(address, security)
    clients = {"": client}
    try:
        require_fit(client, address)
        found = workers_of(client).values()
        threads = sum(worker["nthreads"] for worker in found)
        yield Cluster(address, security, len(found), threads, is_local, clients)
    finally:
        for one in clients.values():
            one.close(timeout=CONNECT_SECONDS)


@contextmanager
def _local(workers: int) -> Iterator[str]:
    import dask
    from distributed import LocalCluster

    # A LocalCluster's scheduler runs in this process, on a thread; its workers are processes of one thread.
    options = {
        "distributed.scheduler.worker-ttl": WORKER_TTL,
        "distributed.admin.low-level-log-length": MESSAGES_KEPT,
    }
    with (
        dask.config.set(options),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield str(cluster.scheduler_address)


def _client(address: str, security: "Security | None") -> "Client":
    import dask
    from distributed import Client

    try:
        with dask.config.set({"distributed.comm.timeouts.connect": CONNECT_SECONDS}):
            return Client(address, security=security, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ClusterError(
            f"--cluster {address}: no scheduler answers there within {CONNECT_SECONDS} s ({reason}): "
            "start one, `dask scheduler`, or look at the address and the network between"
        ) from error


def _security(settings: Settings) -> "Security | None":
    from distributed import Security

    if settings.cluster_security is None:
        return None
    pem = str(settings.cluster_security)
    return Security(tls_ca_file=pem, tls_client_cert=pem, tls_client_key=pem, require_encryption=True)
