"""When a cluster pays: what cluster-pruned would take with other networks and more workers, from a saved run.

`python -m results.cluster_model FILE.json` prints the table of a run that was made with --cluster. With what
one pass moves and costs (`extra_info["cluster"]`), W workers and a network of B bits a second:

    compute = worker_cpu / W                       each worker has a core of its own
    wire    = 8 max(bytes_sent, bytes_received) / B             the network goes both ways at once
    client  = cut + max(wire, receive_cpu) + copy  one thread cuts, waits for frames, and copies them
    T(W, B) = max(compute + client / tasks, client + worker_cpu / tasks)

The larger of the two sums is the bottleneck, the other has run meanwhile but for its share of one task: the
first frames come when a first excerpt is decoded, and the last are received when nothing is left to decode.
`worker_cpu` is CPU time of the threads that decoded, `receive_cpu` of this process as it waited for frames:
both hold on any network. Where the network is not the limit and W is large, T tends to cut + receive_cpu +
copy: the client is the bottleneck, and more workers gain nothing.

Assumed: frames come straight from the workers, and the client has a core of its own too. Not seen: latency
(some round trips for each task, of which two are out for each thread), other traffic, slower workers.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results.saved.identity import Entry
from results.told.recommendation import exact_entries, is_timed

MODELLED = "cluster-pruned"
GBITS = (1, 10, 40)
WORKERS = (4, 8, 16, 32, 64)
DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


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
        """What more of would shorten the pass."""
        if self.compute(workers) >= self.client(gbits):
            return "workers"
        return "network" if self.wire(gbits) > self.receive_cpu else "client"


def model_of(info: dict[str, Any]) -> ClusterModel:
    """The model of a saved benchmark's extra_info.

    Raises:
        KeyError: if it was not decoded on a cluster.
    """
    moved = info["cluster"]
    return ClusterModel(
        tasks=moved["tasks"],
        bytes_sent=moved["bytes_sent"],
        bytes_received=moved["bytes_received"],
        cut=moved["cut_seconds"],
        receive_cpu=moved["transfer_cpu_seconds"],
        copy=moved["copy_seconds"],
        worker_cpu=moved["worker_cpu_seconds"],
    )


def lines(entry: Entry, local: Entry | None) -> list[str]:
    """What there is to say of a run of cluster-pruned, and of the fastest way without a cluster beside it."""
    moved, model = entry["extra_info"]["cluster"], model_of(entry["extra_info"])
    measured, workers = float(entry["stats"]["median"]), int(moved["workers"])
    where = "on this machine" if moved["is_local"] else "elsewhere"
    told = [
        f"{MODELLED}, {workers} workers {where}: {measured:.2f} s measured, {model.tasks:.0f} tasks a pass",
        f"out {model.bytes_sent / 1e6:.1f} MB, back {model.bytes_received / 1e6:.1f} MB; transfer "
        f"{moved['transfer_seconds']:.2f} s, {model.receive_cpu:.2f} s of it work of this process",
        f"workers {model.worker_cpu:.2f} CPU s together; cut {model.cut:.2f} s, copied {model.copy:.2f} s",
        "",
    ]
    rows = [("workers", *(f"{gbits} Gbit/s" for gbits in GBITS))]
    for count in sorted({workers, *WORKERS}):
        cells = (f"{model.seconds(count, gbits):.2f} s {model.bottleneck(count, gbits)}" for gbits in GBITS)
        rows.append((str(count), *cells))
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    told += ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    told.append("predicted, with what is the bottleneck: workers, network, or client (its one thread)")
    if local is not None:
        seconds = local["stats"]["median"]
        told.append(f"without a cluster, in the same run: {local['extra_info']['strategy']} {seconds:.2f} s")
    return told


def main(argv: list[str]) -> int:
    """Print what a history file says of clusters; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m results.cluster_model", description=__doc__.splitlines()[0]
    )
    parser.add_argument("file", type=Path, help="a JSON file of a run with --cluster")
    arguments = parser.parse_args(argv)
    try:
        entries: list[Entry] = json.loads(arguments.file.read_text())["benchmarks"]
        timed = [entry for entry in entries if is_timed(entry)]
        found = [
            e
            for e in timed
            if e["extra_info"]["strategy"] == MODELLED and "tasks" in e["extra_info"]["cluster"]
        ]
        told = [line for entry in found for line in (*lines(entry, _fastest_local(entry, timed)), "")]
    except DAMAGED as error:
        parser.error(f"{arguments.file} is not a history of this suite ({error}); give a file from results/")
    if not told:
        parser.error(
            f"{arguments.file} has no {MODELLED} that was decoded on a cluster: make a run with --cluster, "
            "`make bench-cluster`, of a video that does not fall back"
        )
    print("\n".join(told[:-1]))  # noqa: T201
    return 0


def _fastest_local(entry: Entry, timed: list[Entry]) -> Entry | None:
    workload = entry["extra_info"].get("workload")
    local = [
        e
        for e in exact_entries(timed)
        if "cluster" not in e["extra_info"] and e["extra_info"].get("workload") == workload
    ]
    return min(local, key=lambda e: float(e["stats"]["median"]), default=None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
