"""Benchmarks of requests made up for tests."""

import copy
from typing import Any

from results.schema import Entry
from results.tests.made_runs import IDENTITY


def made_entry(way: str, workload: str, rounds: list[float], **fields: Any) -> Entry:
    """A way that took so long in each round; fields of `Requests` or of the record replace made-up ones."""
    requests = {
        "requests": 10, "callers": 2, "p50": 0.05, "p90": 0.08, "p95": 0.09, "p99": 0.2, "largest": 0.3,
        "distribution": [[-60, 20], [-30, 10]], "p95_rounds": [0.09, 0.1, 0.08], "cpu_seconds": 0.06,
        "bytes_read": 150_000.0, "first_seconds": 0.09, "decoders_open": 2,
    }  # fmt: skip
    requests |= {name: value for name, value in fields.items() if name in {*requests, "arrivals", "is_peer"}}
    identity = copy.deepcopy(IDENTITY)
    identity["work"] |= fields.get("work", {})
    info = {
        "strategy": way, "kind": "request", "workers": 2, "frames": 80, "workload": workload,
        "proof": fields.get("proof", {"frames": 80, "digest": "cc"}), "requests": requests,
        "cost": {"cpu_seconds": 0.6, "peak_bytes": 2 * 10**9, "extra_bytes": 1_234_000_000},
        "interleaved": True, **identity,
    }  # fmt: skip
    middle = sorted(rounds)[len(rounds) // 2]
    return {"extra_info": info, "stats": {"median": middle, "stddev": 0.0, "data": rounds}}
