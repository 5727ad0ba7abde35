"""The strategies: ways of decoding a workload's frames, all with bit-identical results.

A strategy is a function `(workload, workers) -> frames`, where frames is a uint8 tensor [N, C, H, W]
in the order of `workload.indices`. To add one, write the function and one line below: it is then proven,
timed, compared and reported.
"""

from collections.abc import Callable

from torch import Tensor

from benchmarks.strategies.joblib_workers import processes, shared_processes, threads
from benchmarks.strategies.one_decoder import ffmpeg_threads, sequential
from benchmarks.strategies.pruned import pruned, pruned_processes, pruned_threads
from fixtures.workload import Workload

Strategy = Callable[[Workload, int], Tensor]

BASELINE = "sequential"  # the strategy that all others are proven against and compared with

STRATEGIES: dict[str, Strategy] = {
    "sequential": sequential,
    "ffmpeg-threads": ffmpeg_threads,
    "processes": processes,
    "threads": threads,
    "shared-processes": shared_processes,
    "pruned": pruned,
    "pruned-threads": pruned_threads,
    "pruned-processes": pruned_processes,
}
