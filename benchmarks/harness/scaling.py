"""Which settings `make bench-scaling` tries."""

from dataclasses import dataclass

from benchmarks.strategies import BASELINE, STRATEGIES


@dataclass(frozen=True)
class Setting:
    """A strategy with so many workers, and so many FFmpeg threads for each."""

    strategy: str
    workers: int
    ffmpeg_threads: int = 1

    def __str__(self) -> str:
        """Its id, such as threads-2 or threads-2x4."""
        threads = f"x{self.ffmpeg_threads}" if self.ffmpeg_threads > 1 else ""
        return f"{self.strategy}-{self.workers}{threads}"


def settings_for(cpus: int) -> list[Setting]:
    """The baseline, every parallel strategy at each worker count, and the grid of those that take threads.

    In the grid, workers times threads stay within twice the CPUs: more would only wait.
    """
    parallel = [name for name, strategy in STRATEGIES.items() if strategy.is_parallel]
    grid = [name for name in parallel if STRATEGIES[name].takes_ffmpeg_threads]
    counts = worker_counts(cpus)
    return [
        Setting(BASELINE, 1),
        *(Setting(name, workers) for name in parallel for workers in counts),
        *(
            Setting(name, workers, threads)
            for name in grid
            for workers in counts
            for threads in counts
            if threads > 1 and workers * threads <= 2 * cpus
        ),
    ]


def worker_counts(cpus: int) -> list[int]:
    """1, 2, 4 and so on up to the CPUs, the CPUs themselves, and one more."""
    doubled = [2**n for n in range(cpus.bit_length()) if 2**n <= cpus]
    return sorted({*doubled, cpus, cpus + 1})
