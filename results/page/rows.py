"""A row for each benchmark of each run: every chart and table of the page is made from these rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from results.page.digits import finite, significant, with_noise
from results.saved.history import SavedRun
from results.schema import ALL_FRAMES, Record
from results.told.requests import is_one_of_requests
from results.told.scaling_model import predict


@dataclass(frozen=True, kw_only=True)
class Row:
    """Times are in seconds, memory in GB (1e9 bytes); None: the run does not say."""

    workload: str
    strategy: str
    name: str  # the strategy, with its setting if a run has several; or with the figure judged, its p95
    kind: str  # "strategy", "peer", "limit" or "request"
    workers: int
    threads: int  # of FFmpeg, for each worker
    is_scaling: bool
    is_of_requests: bool  # shown in a view of its own (request_rows.py), and in the history
    is_measured: bool  # else predicted by results/told/scaling_model.py
    seconds: float  # median of the rounds
    rounds: tuple[float, ...]
    time: str  # median and standard deviation, with the digits that the noise allows
    cpu: float | None
    peak: float | None
    decoded: float | None  # share of the file's packets
    proof: str
    fallback: str  # why it fell back; "" if it did not
    speedup: float | None  # over sequential
    gain: float | None  # over the same strategy with one worker and one thread
    of_limit: float | None  # share of the limit's speed
    relative: float | None  # times as long as the limit of the same run
    record: Record


def rows_of(run: SavedRun) -> list[Row]:
    """The rows of one run, measured ones first, then predicted ones."""
    records = list(run.benchmarks.values())
    limits = {r.workload: r.seconds for r in records if r.strategy == ALL_FRAMES}  # peers name no limit
    alone = {_key(record): record.seconds for record in records if record.setting == (1, 1)}
    rows = [
        _row(record, name.removeprefix(record.name), limits.get(record.workload), alone.get(_key(record)))
        for name, record in run.benchmarks.items()
    ]
    return rows + _predicted(rows, records)


def _row(record: Record, judged: str, limit: float | None, alone: float | None) -> Row:
    """Make a row; `judged` is "" if its times are those of the benchmark, else such as ", p95".

    Raises:
        ValueError: if they are not times.
    """
    if not record.seconds > 0:
        raise ValueError(f"{record.name}{judged} took {record.seconds} s")
    (workers, threads), cost, packets = record.setting, record.cost, record.packets
    of_limit = None if judged else finite(record.of_limit)  # the limit has no percentiles to compare with
    relative = 1 / of_limit if of_limit else record.seconds / limit if limit else None
    return Row(
        workload=record.workload,
        strategy=record.strategy,
        name=(f"{record.strategy} {workers} x {threads}" if record.is_scaling else record.strategy) + judged,
        kind="strategy" if record.kind == "across" else record.kind,
        workers=workers,
        threads=threads,
        is_scaling=record.is_scaling,
        is_of_requests=is_one_of_requests(record),
        is_measured=True,
        seconds=significant(record.seconds),
        rounds=tuple(map(significant, record.rounds)),
        time=with_noise(record.seconds, record.rounds),
        cpu=finite(record.cpu_seconds),
        peak=finite(cost.peak_bytes, 1e9) if cost else None,
        decoded=finite(packets.decoded, packets.in_file) if packets else None,
        proof=proof_of(record),
        fallback=record.fallback or "",
        speedup=finite(record.speedup),
        gain=finite(alone, record.seconds),
        of_limit=of_limit,
        relative=None if record.kind == "limit" else finite(relative),
        record=record,
    )


def _predicted(rows: Iterable[Row], records: Sequence[Record]) -> list[Row]:
    """Predicted rows for more workers than were measured."""
    made = []
    for one in [row for row in rows if row.is_scaling and (row.workers, row.threads) == (1, 1)]:
        same = [record for record in records if _key(record) == (one.workload, one.strategy)]
        for workers, seconds in predict(same).items():
            fields = vars(one) | {"name": f"{one.strategy} {workers} x 1", "workers": workers, "rounds": ()}
            fields |= dict.fromkeys(("cpu", "peak", "decoded", "of_limit", "relative"))
            faster = one.seconds / seconds if seconds else None
            fields |= {"seconds": significant(seconds), "gain": finite(faster), "is_measured": False}
            fields |= {"time": f"{seconds:.3g} s", "proof": "predicted"}
            fields["speedup"] = finite(one.speedup * faster) if one.speedup and faster else None
            made.append(Row(**fields))
    return made


def proof_of(record: Record) -> str:
    """The words for a proof."""
    proof = record.proof
    if record.kind == "limit":
        return "no frames kept"
    if not proof:
        return "not proven"
    if proof.differing_frames:
        return f"±{proof.max_difference} on {proof.differing_frames / proof.frames:.0%}"
    return "fell back, exact" if record.fallback else "exact"


def _key(record: Record) -> tuple[str, str]:
    return record.workload, record.strategy
