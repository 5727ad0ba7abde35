"""When a cluster pays: what cluster-pruned would take with other networks and more workers, from a saved run.

With what one pass moves and costs (schema.ClusterUse), W workers and a network of B bits a second:

    compute = worker_cpu / W                       each worker has a core of its own
    wire    = 8 max(bytes_sent, bytes_received) / B             the network goes both ways at once
    client  = cut + max(wire, receive_cpu) + copy  one thread cuts, waits for frames, and copies them
    T(W, B) = max(compute + client / tasks, client + worker_cpu / tasks)

The larger of the two sums is the bottleneck. The other side works at the same time, except for one task: the
first frames come when a first excerpt is decoded, and the last are received when nothing is left to decode.
`worker_cpu` is CPU time of the threads that decoded, `receive_cpu` CPU time of this process while it waited
for frames: both are the same on any network. If the network is fast and W is large, T approaches cut +
receive_cpu + copy: the client is the bottleneck, and more workers gain nothing.

Assumed: frames come straight from the workers, and the client has a core of its own too. Not seen: latency
(some round trips for each task, of which two are out for each thread), other traffic, slower workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from results.schema import ClusterUse, Record
from results.told.recommendation import exact_records
from results.told.tables import Row, text_table

MODELLED = "cluster-pruned"
GBITS = (1, 10, 40)
WORKERS = (4, 8, 16, 32, 64)


@dataclass(frozen=True, kw_only=True)
class ClusterModel:
    """What one pass costs, wherever it runs."""

    tasks: float
    bytes_sent: float
    bytes_received: float
    cut: float  # seconds
    receive_cpu: float  # seconds
    copy: float  # seconds
    worker_cpu: float  # seconds, of all workers together

    def compute(self, workers: int) -> float:
        """Seconds that workers decode."""
        return self.worker_cpu / workers

    def wire(self, gbits: float) -> float:
        """Seconds that the bytes take at so many gigabits a second."""
        return 8 * max(self.bytes_sent, self.bytes_received) / (gbits * 1e9)

    def client(self, gbits: float) -> float:
        """Seconds of the client's one thread."""
        return self.cut + max(self.wire(gbits), self.receive_cpu) + self.copy

    def seconds(self, workers: int, gbits: float) -> float:
        """The wall time of a pass."""
        compute, client = self.compute(workers), self.client(gbits)
        return max(compute + client / self.tasks, client + self.worker_cpu / self.tasks)

    def bottleneck(self, workers: int, gbits: float) -> str:
        """What limits the pass: more of it would make the pass shorter."""
        if self.compute(workers) >= self.client(gbits):
            return "workers"
        return "network" if self.wire(gbits) > self.receive_cpu else "client"


def model_of(moved: ClusterUse) -> ClusterModel | None:
    """The model of what was measured; None if the workers were not used."""
    figures = {
        "tasks": moved.tasks,
        "bytes_sent": moved.bytes_sent,
        "bytes_received": moved.bytes_received,
        "cut": moved.cut_seconds,
        "receive_cpu": moved.transfer_cpu_seconds,
        "copy": moved.copy_seconds,
        "worker_cpu": moved.worker_cpu_seconds,
    }
    known = {name: figure for name, figure in figures.items() if figure is not None}
    return ClusterModel(**known) if len(known) == len(figures) else None


def lines(records: Sequence[Record]) -> list[str]:
    """The figures and the model of each cluster-pruned that ran on a cluster, as lines; none without one."""
    told: list[str] = []
    for record in records:
        if record.strategy != MODELLED or not (record.times and record.cluster):
            continue
        if model := model_of(record.cluster):
            told += [*([""] if told else []), *_of_one(record, record.cluster, model)]
            if local := _fastest_local(record, records):
                told.append(f"without a cluster, in the same run: {local.strategy} {local.seconds:.2f} s")
    return told


def _of_one(record: Record, moved: ClusterUse, model: ClusterModel) -> list[str]:
    workers, where = moved.workers, "on this machine" if moved.is_local else "elsewhere"
    told = [
        f"{MODELLED}, {workers} workers {where}: {record.seconds:.2f} s measured, "
        f"{model.tasks:.0f} tasks a pass",
        f"out {model.bytes_sent / 1e6:.1f} MB, back {model.bytes_received / 1e6:.1f} MB; transfer "
        f"{moved.transfer_seconds or 0.0:.2f} s, {model.receive_cpu:.2f} s of it work of this process",
        f"workers {model.worker_cpu:.2f} CPU s together; cut {model.cut:.2f} s, copied {model.copy:.2f} s",
        "",
    ]
    rows: list[Row] = [("workers", *(f"{gbits} Gbit/s" for gbits in GBITS))]
    for count in sorted({workers, *WORKERS}):
        cells = (f"{model.seconds(count, gbits):.2f} s {model.bottleneck(count, gbits)}" for gbits in GBITS)
        rows.append((str(count), *cells))
    legend = "predicted, with what is the bottleneck: workers, network, or client (its one thread)"
    return [*told, *text_table(rows, left=()), legend]


def _fastest_local(record: Record, records: Sequence[Record]) -> Record | None:
    same = [other for other in records if other.workload == record.workload and other.cluster is None]
    return next(iter(exact_records(same)), None)
