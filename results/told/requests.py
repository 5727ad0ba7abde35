"""The table of a run of requests: a block for each stream and load, a row for each way; and what to use."""

from collections.abc import Iterable, Sequence

from results.schema import Record
from results.told.request_snippets import Setting, request_snippet
from results.told.snippets import with_python
from results.told.tables import Row, markdown_table, text_table

COLUMNS = (
    "way", "req/s", "fps", "limit", "p50 ms", "p90", "p95", "p99", "max", "CPU ms", "read",
    "mem", "first ms", "open", "proof",
)  # fmt: skip
LEGEND = (
    "req/s: requests a second, of an open load those that arrive; limit: share of FFmpeg's speed on the same",
    "packets; p50 .. max: latency from when a request was due; CPU, MB read: a request, of all processes;",
    "mem: MB by which their memory grows; first: the first request of a fresh caller; open: decoders that",
    "stay open. Loads: closed-N, N callers ask again at once; fork-N, spawn-N: DataLoader workers; open-P:",
    "arrivals at P % of TorchCodec's best.",
)
LEFT = (0, len(COLUMNS) - 1)


def is_of_requests(records: Iterable[Record]) -> bool:
    """Whether these are benchmarks of requests."""
    return any(record.kind == "request" for record in records)


def is_one_of_requests(record: Record) -> bool:
    """Whether this is a way to answer requests, or the limit beside them."""
    return record.kind == "request" or bool(record.identity and "load" in record.identity.work)


def request_table(records: Sequence[Record]) -> list[str]:
    """The table with its legend and what it recommends, as lines of at most 110 characters."""
    lines = text_table([COLUMNS, *(_row(record) for record in records)], left=LEFT, gap=" ")
    found = [lines[0]]
    for number, record in enumerate(records):
        if not number or record.workload != records[number - 1].workload:
            found.append(f"{record.workload}:")
        found.append(lines[1 + number])
    return [*found, *LEGEND, *_recommendations(records)]


def request_table_in_markdown(records: Sequence[Record]) -> list[str]:
    """The rows of the same table in Markdown."""
    rows = [("load", *COLUMNS), *((record.workload, *_row(record)) for record in records)]
    return markdown_table(rows, left=(0, 1, len(COLUMNS)))


def requests_a_second(record: Record) -> float | None:
    """Requests that are answered in a second; None if that was not timed."""
    return record.requests.requests / record.seconds if record.requests and record.times else None


def _row(record: Record) -> Row:
    found = record.requests
    if record.times is None or (found is None and record.kind != "limit"):
        result = "not measured" if record.fallback else "FAILED"
        return (record.strategy, *["-"] * (len(COLUMNS) - 2), result)
    of_limit = f"{record.of_limit:.0%}" if record.of_limit and record.kind != "limit" else "-"
    frames = f"{record.frames / record.seconds:.0f}"
    if found is None:
        return ("limit", "-", frames, *["-"] * (len(COLUMNS) - 3))
    latencies = (found.p50, found.p90, found.p95, found.p99, found.largest)
    return (
        record.strategy,
        f"{found.requests / record.seconds:.3g}",
        frames,
        of_limit,
        *(_milliseconds(seconds) for seconds in latencies),
        _milliseconds(found.cpu_seconds),
        "-" if found.bytes_read is None else f"{found.bytes_read / 1e6:.2f}",
        f"{record.cost.extra_bytes / 1e6:.0f}" if record.cost else "-",
        "-" if found.first_seconds is None else _milliseconds(found.first_seconds),
        str(found.decoders_open),
        _proof(record),
    )


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f}" if seconds < 0.1 else f"{1000 * seconds:.0f}"


def _proof(record: Record) -> str:
    proof = record.proof
    if proof is None:
        return "FAILED"
    if proof.differing_frames:
        return f"±{proof.max_difference} on {proof.differing_frames / proof.frames:.0%}"
    return "exact"


def _recommendations(records: Sequence[Record]) -> list[str]:
    """For each stream the best exact way, and the Python for it; nothing where there was no choice."""
    streams = dict.fromkeys(stream_of(record.workload) for record in records)
    return [line for stream in streams for line in stream_recommendation(records, stream)]


def stream_recommendation(records: Iterable[Record], stream: str) -> list[str]:
    """For one stream the best exact way, and the Python for it; nothing where there was no choice."""
    own = [r for r in records if stream_of(r.workload) == stream and r.is_exact and r.times and r.requests]
    return _recommendation(stream, own)


def _recommendation(stream: str, records: Sequence[Record]) -> list[str]:
    """By throughput of the load with the most exact ways; and by p95 where requests arrive by themselves."""
    closed = [record for record in records if record.requests and record.requests.arrivals is None]
    loads = list(dict.fromkeys(record.workload for record in closed))
    if not loads:
        return []
    widest = max(loads, key=lambda load: sum(record.workload == load for record in closed))
    ranked = sorted((r for r in closed if r.workload == widest), key=lambda record: record.seconds)
    if len(ranked) < 2:
        return []
    best, second = ranked[:2]
    rate, gain = requests_a_second(best), second.seconds / best.seconds
    sentence = f"{stream}: {best.strategy} answers most on {widest}, {rate:.3g} requests a second, "
    sentence += f"{gain:.2f} times {second.strategy}."
    opened = [record for record in records if record.requests and record.requests.arrivals is not None]
    if opened:
        quick = min(opened, key=lambda record: record.requests.p95 if record.requests else 0.0)
        assert quick.requests is not None
        p95 = _milliseconds(quick.requests.p95)
        sentence += f" Of {quick.workload} the shortest p95 is that of {quick.strategy}, {p95} ms."
    return with_python(sentence, request_snippet(best.strategy, setting_of(best)), 110)


def setting_of(record: Record) -> Setting:
    """What a snippet has to know of the work."""
    work = record.identity.work if record.identity else {}
    size = str(work.get("output_size", ""))
    width, _, height = size.partition("x")
    return Setting(
        is_bytes=bool(work.get("is_bytes")),
        by_time=bool(work.get("by_time")),
        serves=bool(work.get("serves")),
        size=(int(height), int(width)) if size else None,
        room=int(work.get("room", 16)),
        workers=record.requests.callers if record.requests else 1,
    )


def stream_of(workload: str) -> str:
    """The stream of a workload of requests, such as clips of clips-closed-1."""
    return workload.partition("-")[0]
