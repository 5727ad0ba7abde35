"""A row for each way under each load: the view of requests is made from these rows."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from results.page.digits import finite, significant
from results.page.rows import proof_of
from results.saved.history import SavedRun
from results.schema import Record, Requests

STEP = 1.05  # a bucket's upper bound over its lower one, as in the schema
LOADS = {  # the words for a load; another load is called by its name
    "closed": "closed: each caller asks again at once",
    "fork": "fork: DataLoader workers that are forked",
    "spawn": "spawn: DataLoader workers that start anew",
    "open": "open: arrivals at random times",
    "log": "log: arrivals as in a log",
}
NUMBERS = {"fork": "in num_workers", "spawn": "in num_workers", "open": "% of what TorchCodec can take"}


def request_rows(run: SavedRun) -> list[dict[str, Any]]:
    """A row for each way of a run that answered requests, latencies in ms; a run of strategies has none.

    Raises:
        one of UNREADABLE: if a distribution is damaged.
    """
    return [_row(record, record.requests) for record in run.records if record.requests]


def _row(record: Record, requests: Requests) -> dict[str, Any]:
    stream, load, number = (*record.workload.split("-", 2), "", "")[:3]
    return {
        "workload": record.workload,
        "stream": stream,
        "load": LOADS.get(load, load),
        "asked_by": f"{number} {NUMBERS.get(load, 'caller' if number == '1' else 'callers')}",
        "name": record.strategy,
        "callers": requests.callers,
        **_rates(record, requests),
        **{name: finite(1000 * getattr(requests, name)) for name in ("p50", "p90", "p95", "p99", "largest")},
        "cpu": finite(1000 * requests.cpu_seconds),
        "read": finite(requests.bytes_read, 1e6),
        "first": finite(requests.first_seconds, 1e-3),
        "decoders": requests.decoders_open,
        "proof": proof_of(record),
        "fallback": record.fallback or "",
        **_shares(requests.distribution),
    }


def _rates(record: Record, requests: Requests) -> Mapping[str, float | None]:
    """Requests a second that a way answers, or that arrive: in an open load a way answers no more."""
    if requests.arrivals is not None:
        none = dict.fromkeys(("rate", "slowest", "fastest", "of_limit"))
        return {**none, "arrivals": finite(requests.arrivals)}
    return {
        "rate": significant(requests.requests / record.seconds),
        "slowest": significant(requests.requests / max(record.rounds)),
        "fastest": significant(requests.requests / min(record.rounds)),
        "of_limit": finite(record.of_limit),
        "arrivals": None,
    }


def _shares(distribution: Sequence[Sequence[int]]) -> Mapping[str, list[float]]:
    """The share of requests that took no longer than a latency, at points where it begins or ends to grow."""
    latency: list[float] = []
    share: list[float] = []
    counts = dict(sorted((int(bucket), int(count)) for bucket, count in distribution))
    total, before = sum(counts.values()), 0
    for (bucket, count), below in zip(counts.items(), accumulate(counts.values()), strict=True):
        if count < 0:
            raise ValueError(f"{count} latencies")
        if bucket - 1 not in counts:
            latency.append(significant(1000 * STEP**bucket))
            share.append(significant(before / total))
        latency.append(significant(1000 * STEP ** (bucket + 1)))
        share.append(significant(below / total))
        before = below
    return {"latency": latency, "share": share}
