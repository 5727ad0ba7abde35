"""The table of several workloads or videos: a row for each, and a conclusion on all of them."""

import re
import textwrap
from collections import Counter
from collections.abc import Sequence

from results.schema import BASELINE, NEEDED_FRAMES, Record
from results.told.recommendation import exact_records, set_recommendation, ways_over_all
from results.told.tables import Row, text_table

LEGEND = (
    "Speed-up over sequential; limit: FFmpeg on the packets that are needed, nothing converted or kept.",
    "proc.: processes; thr.: threads; *: fell back, not pruned; FAILED: wrong frames, or an error.",
)
SET_LEGEND = (
    *LEGEND[:-1],
    "proc.: processes; thr.: threads; f-, s-, p-: ffmpeg-, shared-, pruned-; *: fell back, not pruned;",
    "FAILED: wrong frames, or an error. across: each worker decodes whole videos, the longest first.",
)
LONGEST_NAME = 11  # of a workload, beside longer heads


def is_set(records: Sequence[Record]) -> bool:
    """Whether the run measures several videos of the user's."""
    return any(record.is_of_set for record in records)


def workloads_of(records: Sequence[Record]) -> list[str]:
    """The workloads of a run, each once, in order."""
    return list(dict.fromkeys(record.workload for record in records))


def matrix(records: Sequence[Record]) -> list[Row]:
    """A row for each workload, the heading first: each strategy's speed-up over `sequential`."""
    records = [record for record in records if record.kind != "across"]
    workloads = workloads_of(records)
    names = dict.fromkeys(r.strategy for r in records if r.strategy != BASELINE and r.kind != "limit")
    rows: list[Row] = [("workload", BASELINE, *_heads(list(names), workloads), "limit")]
    for workload in workloads:
        by_name = {record.strategy: record for record in records if record.workload == workload}
        baseline = by_name.get(BASELINE)
        seconds = f"{baseline.seconds:.2f} s" if baseline and baseline.times else "-"
        rows.append((workload, seconds, *(_cell(by_name.get(name)) for name in (*names, NEEDED_FRAMES))))
    return rows


def _heads(names: Sequence[str], workloads: Sequence[str]) -> list[str]:
    heads = [name.replace("processes", "proc.").replace("threads", "thr.") for name in names]
    if max(map(len, workloads), default=0) > LONGEST_NAME:
        heads = [re.sub("^([a-z])[a-z]*-", r"\1-", head) for head in heads]
    return heads


def _cell(record: Record | None) -> str:
    if record is None or (not record.times and record.kind == "limit"):
        return "-"
    if not record.times:
        return "FAILED"
    mark = "*" if record.fallback else ""
    return f"{record.speedup:.2f}x{mark}" if record.speedup else f"{record.seconds:.2f} s{mark}"


def conclusion(records: Sequence[Record]) -> list[str]:
    """On how many workloads each exact way is the fastest; for a set, the time of each for all videos."""
    within = [record for record in records if record.kind != "across"]
    workloads = workloads_of(within)
    ranked = [exact_records([r for r in within if r.workload == workload]) for workload in workloads]
    wins = Counter(exact[0].strategy for exact in ranked if exact)
    counts = ", ".join(f"{name} on {count}" for name, count in wins.most_common())
    kind = "videos" if is_set(records) else "workloads"
    lines = textwrap.wrap(f"Fastest exact way, of {len(workloads)} {kind}: {counts}.", 100) if wins else []
    if not is_set(records):
        return lines
    return [*lines, *_all_videos(records, next((r.videos for r in records if r.videos), len(workloads)))]


def _all_videos(records: Sequence[Record], videos: int) -> list[str]:
    """The time that each exact way takes for all videos, and what to do with a set like this."""
    ways = ways_over_all(records, videos)
    if not ways:
        return []
    baseline = next((way.seconds for way in ways if way.name == BASELINE), None)
    rows: list[Row] = [(f"all {videos} videos", "total s", "speed-up", "videos/s", "frames/s")]
    for way in ways:
        speedup = f"{baseline / way.seconds:.2f}x" if baseline else "-"
        rates = (f"{videos / way.seconds:.2f}", f"{way.frames / way.seconds:.0f}")
        rows.append((way.name + "*" * way.fell_back, f"{way.seconds:.3f}", speedup, *rates))
    return ["", *text_table(rows), *set_recommendation(ways, videos, baseline)]
