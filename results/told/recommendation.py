"""What a run of one workload recommends: the fastest exact way, and the lines of Python that use it."""

from collections.abc import Sequence
from dataclasses import dataclass

from results.schema import BASELINE, Record
from results.told.snippets import snippet, with_python

WIDTH = 100  # of a line in a terminal


def exact_records(records: Sequence[Record]) -> list[Record]:
    """The benchmarks that were timed and proven exact, fastest first, without those that fell back."""
    exact = [record for record in records if record.times and record.is_exact and not record.fallback]
    return sorted(exact, key=lambda record: record.seconds)


def recommendation(records: Sequence[Record]) -> list[str]:
    """One sentence that a person can act on, and the Python for it; nothing if there was no choice."""
    exact = exact_records(records)
    if len(exact) < 2:
        return []
    best = exact[0]
    is_gain = best.speedup and best.strategy != BASELINE
    gain = f", {best.speedup:.2f} times as fast as {BASELINE}" if is_gain else ""
    peak = f", {best.cost.peak_bytes / 1e9:.2f} GB at its peak" if best.cost else ""
    sentence = f"Fastest exact way here: {best.strategy}{_workers(best)}{gain}{peak}."
    return with_python(sentence, _python(best), WIDTH)


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way of decoding all videos of a set, exact on each."""

    name: str
    seconds: float  # for all of them
    frames: int
    fell_back: bool  # on one of them at least
    has_one_size: bool  # whether its frames of all videos are resized alike, or not at all
    record: Record  # one of its benchmarks


def ways_over_all(records: Sequence[Record], videos: int) -> list[Way]:
    """The ways that are exact and timed on all videos, fastest first: each video alone, or across videos."""
    by_name: dict[str, list[Record]] = {}
    for record in records:
        if record.times and record.is_exact:
            by_name.setdefault(record.strategy, []).append(record)
    ways = [
        Way(
            name=name,
            seconds=sum(record.seconds for record in own),
            frames=sum(record.frames for record in own),
            fell_back=any(record.fallback for record in own),
            has_one_size=len(_output_sizes(own)) == 1,
            record=own[0],
        )
        for name, own in by_name.items()
        if (own[0].videos or len(own)) == videos
    ]
    return sorted(ways, key=lambda way: way.seconds)


def set_recommendation(ways: Sequence[Way], videos: int, baseline: float | None) -> list[str]:
    """One sentence that a person with such videos can act on, and the Python for it."""
    if len(ways) < 2:
        return []
    best = ways[0]
    gain = f", {baseline / best.seconds:.2f} times as fast as {BASELINE}" if baseline else ""
    workers = _workers(best.record, with_threads=False)
    sentence = f"Fastest exact way for all {videos} videos: {best.name}{workers}{gain}."
    return with_python(sentence, _python(best.record) if best.has_one_size else [], WIDTH)


def _workers(record: Record, *, with_threads: bool = True) -> str:
    workers, threads = record.setting
    how = f" with {workers} worker{'s' * (workers > 1)}" if record.is_parallel else ""
    return how + (f" of {threads} FFmpeg threads" if with_threads and threads > 1 else "")


def _output_sizes(records: Sequence[Record]) -> set[str]:
    return {size for record in records for size in _work(record, "output_size").split(", ")}


def _python(record: Record) -> list[str]:
    video, (workers, threads) = _work(record, "video"), record.setting
    is_a_file = "." in video and not record.is_of_set  # the embedded clip is nobody's file
    return snippet(
        record.strategy,
        video=video if is_a_file else "video.mp4",
        seek_mode=_work(record, "seek_mode") or "approximate",
        workers=workers,
        ffmpeg_threads=threads,
        size=_size(_work(record, "output_size")),
    )


def _work(record: Record, field: str) -> str:
    return str(record.identity.work.get(field, "")) if record.identity else ""


def _size(text: str) -> tuple[int, int] | None:
    """The (height, width) of a text WIDTHxHEIGHT, as the identity has it."""
    if not text:
        return None
    width, _, height = text.partition("x")
    return int(height), int(width)
