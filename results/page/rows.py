"""One benchmark of one run as a tidy row: what every chart and table of the page is made from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from results.page.digits import finite, significant, with_noise
from results.saved.history import Run, Sample, name_of
from results.saved.identity import Entry
from results.told.recommendation import settings_of
from results.told.report import add_rates
from results.told.scaling_model import predict

WHOLE_FILE = "limit-all-frames"  # what a peer, which names no limit, is measured against


@dataclass(frozen=True, kw_only=True)
class Row:
    """Times in seconds, memory in GB (1e9 bytes); None where the run does not tell."""

    workload: str
    strategy: str
    name: str  # the strategy, and its setting where a run has several
    kind: str  # "strategy", "peer" or "limit"
    workers: int
    threads: int  # of FFmpeg, for each worker
    is_scaling: bool
    is_measured: bool  # or predicted by results/told/scaling_model.py
    seconds: float  # median of the rounds
    rounds: tuple[float, ...]
    time: str  # median and standard deviation, with the digits that the noise allows
    cpu: float | None
    peak: float | None
    decoded: float | None  # share of the file's packets
    proof: str
    fallback: str  # why it fell back, or nothing
    speedup: float | None  # over sequential
    gain: float | None  # over the same strategy with one worker and one thread
    of_limit: float | None  # share of the limit's speed
    relative: float | None  # times as long as the limit of the same run
    sample: Sample


def rows_of(run: Run, entries: list[Entry]) -> list[Row]:
    """The rows of one run, measured ones first, then predicted ones.

    Raises:
        KeyError, TypeError, ValueError, AttributeError or ZeroDivisionError: if it is no run of this suite.
    """
    add_rates(entries)
    limits = {_workload(e): _median(e) for e in entries if e["extra_info"]["strategy"] == WHOLE_FILE}
    alone = {_key(e): _median(e) for e in entries if settings_of(e) == (1, 1)}
    rows = [_row(run, entry, limits.get(_workload(entry)), alone.get(_key(entry))) for entry in entries]
    return rows + _predicted(rows, entries)


def _row(run: Run, entry: Entry, limit: float | None, alone: float | None) -> Row:
    info, sample = entry["extra_info"], run.samples[name_of(entry["extra_info"])]
    workers, threads = settings_of(entry)
    is_scaling = "ffmpeg_threads" in info
    cost, packets = info.get("cost") or {}, info.get("packets")
    of_limit = finite(info.get("of_limit"))
    relative = 1 / of_limit if of_limit else sample.seconds / limit if limit else None
    return Row(
        workload=_workload(entry),
        strategy=sample.strategy,
        name=f"{sample.strategy} {workers} x {threads}" if is_scaling else sample.strategy,
        kind=sample.kind,
        workers=workers,
        threads=threads,
        is_scaling=is_scaling,
        is_measured=True,
        seconds=significant(sample.seconds),
        rounds=tuple(map(significant, sample.rounds)),
        time=with_noise(sample.seconds, sample.rounds),
        cpu=finite(cost.get("cpu_seconds")),
        peak=finite(cost.get("peak_bytes"), 1e9),
        decoded=finite(packets["decoded"], packets["in_file"]) if packets else None,
        proof=_proof(info, sample.kind),
        fallback=str(info.get("fallback") or ""),
        speedup=finite(info.get("speedup")),
        gain=finite(alone, sample.seconds),
        of_limit=of_limit,
        relative=None if sample.kind == "limit" else finite(relative),
        sample=sample,
    )


def _predicted(rows: Iterable[Row], entries: list[Entry]) -> list[Row]:
    """Rows for more workers than were measured."""
    made = []
    for one in [row for row in rows if row.is_scaling and (row.workers, row.threads) == (1, 1)]:
        same = [e for e in entries if _key(e) == (one.workload, one.strategy)]
        for workers, seconds in predict(same).items():
            fields = vars(one) | {"name": f"{one.strategy} {workers} x 1", "workers": workers, "rounds": ()}
            fields |= dict.fromkeys(("cpu", "peak", "decoded", "of_limit", "relative"))
            faster = one.seconds / seconds if seconds else None
            fields |= {"seconds": significant(seconds), "gain": finite(faster), "is_measured": False}
            fields |= {"time": f"{seconds:.3g} s", "proof": "predicted"}
            fields["speedup"] = finite(one.speedup * faster) if one.speedup and faster else None
            made.append(Row(**fields))
    return made


def _proof(info: dict[str, Any], kind: str) -> str:
    proof = info.get("proof")
    if kind == "limit":
        return "no frames kept"
    if not proof:
        return "not proven"
    if proof.get("differing_frames"):
        return f"±{proof['max_difference']} on {proof['differing_frames'] / proof['frames']:.0%}"
    return "fell back, exact" if info.get("fallback") else "exact"


def _workload(entry: Entry) -> str:
    return str(entry["extra_info"].get("workload", "default"))


def _key(entry: Entry) -> tuple[str, str]:
    return _workload(entry), str(entry["extra_info"]["strategy"])


def _median(entry: Entry) -> float:
    return float(entry["stats"]["median"])
