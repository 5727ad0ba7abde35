"""Decode only the packets that the requested frames need: `pruned`, `pruned-threads`, `pruned-processes`.

The file is planned and cut as part of the work, and its time is the strategy's. Where there is no plan, or
an excerpt does not give the planned frames, `sequential` decodes; where packets cannot be cut, the same
kind of worker decodes unpruned. A FallbackWarning tells why.
"""

import warnings
from collections.abc import Iterable

from joblib import Parallel, delayed
from torch import Tensor

from benchmarks.pruning.excerpt import Excerpt, WrongFrameError, cut, decode_excerpt
from benchmarks.pruning.packets import CannotCutError, PlanDeclinedError
from benchmarks.pruning.plan import make_plan
from benchmarks.strategies.joblib_workers import shared_processes, threads
from benchmarks.strategies.one_decoder import sequential
from benchmarks.strategies.output import new_output, open_output, shared_output, write_rows
from fixtures.workload import Workload

# Runs for each worker: enough that workers finish together and hold few frames of their own at a time,
# few enough that opening a decoder for each (7 ms) costs little.
RUNS_PER_WORKER = 16


class FallbackWarning(UserWarning):
    """Frames were decoded without pruning; the message gives the reason."""


def pruned(workload: Workload, workers: int) -> Tensor:  # noqa: ARG001  every strategy has this shape
    """Excerpts one after the other, on one thread."""
    output = new_output(workload)
    try:
        excerpts = cut(workload, make_plan(workload, RUNS_PER_WORKER))
        _require_all(workload, (_decode(excerpt, output) for excerpt in excerpts))
    except (PlanDeclinedError, WrongFrameError) as reason:
        _warn(reason)
        return sequential(workload, 1)
    return output.permute(0, 3, 1, 2)


def pruned_threads(workload: Workload, workers: int, ffmpeg_threads: int = 1) -> Tensor:
    """Excerpts handed to threads as they get free; each writes into its rows of one output."""
    output = new_output(workload)
    try:
        plan = make_plan(workload, RUNS_PER_WORKER * workers)
        run = Parallel(n_jobs=workers, backend="threading", batch_size=1)
        done = run(delayed(_decode)(excerpt, output, ffmpeg_threads) for excerpt in cut(workload, plan))
        _require_all(workload, done)
    except (PlanDeclinedError, WrongFrameError) as reason:
        _warn(reason)
        return (threads if isinstance(reason, CannotCutError) else sequential)(workload, workers)
    return output.permute(0, 3, 1, 2)


def pruned_processes(workload: Workload, workers: int) -> Tensor:
    """Excerpts handed to loky processes, which write into one output in shared memory."""
    try:
        plan = make_plan(workload, RUNS_PER_WORKER * workers)
        run = Parallel(n_jobs=workers, backend="loky", batch_size=1)
        with shared_output(workload) as (output, path):
            done = run(delayed(_decode_into)(excerpt, workload, path) for excerpt in cut(workload, plan))
            _require_all(workload, done)
            return output.permute(0, 3, 1, 2)
    except (PlanDeclinedError, WrongFrameError) as reason:
        _warn(reason)
        return (shared_processes if isinstance(reason, CannotCutError) else sequential)(workload, workers)


def _decode(excerpt: Excerpt, output: Tensor, ffmpeg_threads: int = 1) -> int:
    decoded = decode_excerpt(excerpt, ffmpeg_threads)
    return sum(write_rows(output, rows, frames) for rows, frames in decoded)


def _decode_into(excerpt: Excerpt, workload: Workload, path: str) -> int:
    return _decode(excerpt, open_output(workload, path))


def _require_all(workload: Workload, written: Iterable[int]) -> None:
    """The output begins uninitialised: a row that nobody wrote would be silent damage."""
    rows = sum(written)
    if rows != len(workload.indices):
        raise WrongFrameError(f"the plan covered {rows} of {len(workload.indices)} frames")


def _warn(reason: Exception) -> None:
    warnings.warn(FallbackWarning(str(reason)), stacklevel=3)
