"""The strategies: ways of decoding a workload's frames, all with bit-identical results.

A strategy is a function `(workload, workers) -> frames`, where frames is a uint8 tensor [N, C, H, W]
in the order of `workload.indices`. To add one, write the function and one line below: it is then proven,
timed, compared and reported.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from benchmarks.strategies.joblib_workers import processes, shared_processes, threads
from benchmarks.strategies.on_a_cluster import cluster_processes, cluster_pruned
from benchmarks.strategies.one_decoder import ffmpeg_threads, sequential
from benchmarks.strategies.pruned import pruned, pruned_processes, pruned_threads
from benchmarks.strategies.stages import pruned_stages, stages, stages_threads
from exactframes.in_place import HAS_STAGES, STAGES_SINCE


class Strategy(NamedTuple):
    """A way of decoding a workload."""

    decode: Callable[..., Tensor]  # (workload, workers), and ffmpeg_threads= where it takes them
    prunes: bool = False  # whether it decodes only what the plan keeps
    is_parallel: bool = True  # whether the number of workers matters
    takes_ffmpeg_threads: bool = False  # for each worker


BASELINE = "sequential"  # the strategy that all others are proven against and compared with

STAGES: dict[str, Strategy] = {  # among the others where TorchCodec has its low-level API
    "stages": Strategy(stages, is_parallel=False),
    "stages-threads": Strategy(stages_threads),
    "pruned-stages": Strategy(pruned_stages, prunes=True),
}
LEFT_OUT = None if HAS_STAGES else f"{', '.join(STAGES)}, whose low-level API comes with {STAGES_SINCE}"

STRATEGIES: dict[str, Strategy] = {
    "sequential": Strategy(sequential, is_parallel=False),
    "ffmpeg-threads": Strategy(ffmpeg_threads),
    "processes": Strategy(processes),
    "threads": Strategy(threads, takes_ffmpeg_threads=True),
    "shared-processes": Strategy(shared_processes),
    "pruned": Strategy(pruned, prunes=True, is_parallel=False),
    "pruned-threads": Strategy(pruned_threads, prunes=True, takes_ffmpeg_threads=True),
    "pruned-processes": Strategy(pruned_processes, prunes=True),
    **(STAGES if HAS_STAGES else {}),
}

CLUSTER_STRATEGIES: dict[str, Strategy] = {  # with --cluster, beside the others; the harness binds client=
    "cluster-processes": Strategy(cluster_processes),
    "cluster-pruned": Strategy(cluster_pruned, prunes=True),
}
