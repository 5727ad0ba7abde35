"""What a run of one workload comes to: the fastest exact way, and the lines of Python that use it."""

import textwrap
from dataclasses import dataclass
from typing import Any

from results.saved.identity import Entry
from results.told.snippets import snippet

BASELINE = "sequential"
ONE_WORKER = ("sequential", "pruned")  # the number of workers means nothing to them


def is_timed(entry: Entry) -> bool:
    """Whether this benchmark of the suite has been timed."""
    return bool(entry.get("stats")) and "strategy" in entry.get("extra_info", {})


def settings_of(entry: Entry) -> tuple[int, int]:
    """Workers, and FFmpeg threads for each."""
    info = entry["extra_info"]
    return int(info["workers"]), int(info.get("ffmpeg_threads", 1))


def exact_entries(entries: list[Entry]) -> list[Entry]:
    """What was timed and proven exact, fastest first; what fell back is what it fell back to."""
    exact = [entry for entry in entries if is_timed(entry) and _is_exact(entry["extra_info"])]
    return sorted(exact, key=lambda entry: float(entry["stats"]["median"]))


def recommendation(entries: list[Entry]) -> list[str]:
    """One sentence that a person can act on, and the Python for it; nothing where there was no choice."""
    exact = exact_entries(entries)
    if len(exact) < 2:
        return []
    best = exact[0]
    info, (workers, threads) = best["extra_info"], settings_of(best)
    how = "" if info["strategy"] in ONE_WORKER else f" with {workers} worker{'s' * (workers > 1)}"
    how += f" of {threads} FFmpeg threads" if threads > 1 else ""
    is_gain = info.get("speedup") and info["strategy"] != BASELINE
    gain = f", {info['speedup']:.2f} times as fast as {BASELINE}" if is_gain else ""
    peak = f", {info['cost']['peak_bytes'] / 1e9:.2f} GB at its peak" if info.get("cost") else ""
    python = _python(best, workers, threads)
    sentence = f"Fastest exact way here: {info['strategy']}{how}{gain}{peak}.{' In Python:' * bool(python)}"
    return ["", *textwrap.wrap(sentence, 100), *(f"    {line}".rstrip() for line in python)]


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way of decoding all videos of a set, exact on each."""

    name: str
    seconds: float  # for all of them
    frames: int
    fell_back: bool  # on one of them at least
    has_one_size: bool  # whether what it gives of all videos is resized alike, or not at all
    entry: Entry  # one of its benchmarks


def ways_over_all(entries: list[Entry], videos: int) -> list[Way]:
    """What was proven exact and timed on all videos, fastest first: each alone, or all at once (across)."""
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        if is_timed(entry) and _is_proven(entry["extra_info"]):
            by_name.setdefault(entry["extra_info"]["strategy"], []).append(entry)
    ways = [
        Way(
            name=name,
            seconds=sum(float(entry["stats"]["median"]) for entry in own),
            frames=sum(int(entry["extra_info"]["frames"]) for entry in own),
            fell_back=any("fallback" in entry["extra_info"] for entry in own),
            has_one_size=len(_output_sizes(own)) == 1,
            entry=own[0],
        )
        for name, own in by_name.items()
        if own[0]["extra_info"].get("videos", len(own)) == videos
    ]
    return sorted(ways, key=lambda way: way.seconds)


def set_recommendation(ways: list[Way], videos: int, baseline: float | None) -> list[str]:
    """One sentence that a person with such videos can act on, and the Python for it."""
    if len(ways) < 2:
        return []
    best = ways[0]
    workers, threads = settings_of(best.entry)
    how = "" if best.name in ONE_WORKER else f" with {workers} worker{'s' * (workers > 1)}"
    gain = f", {baseline / best.seconds:.2f} times as fast as {BASELINE}" if baseline else ""
    python = _python(best.entry, workers, threads) if best.has_one_size else []
    end = " In Python:" * bool(python)
    sentence = f"Fastest exact way for all {videos} videos: {best.name}{how}{gain}.{end}"
    return ["", *textwrap.wrap(sentence, 100), *(f"    {line}".rstrip() for line in python)]


def _output_sizes(entries: list[Entry]) -> set[str]:
    sizes = [str(entry["extra_info"].get("work", {}).get("output_size", "")) for entry in entries]
    return {size for listed in sizes for size in listed.split(", ")}


def _is_exact(info: dict[str, Any]) -> bool:
    return _is_proven(info) and "fallback" not in info


def _is_proven(info: dict[str, Any]) -> bool:
    proof = info.get("proof") or {"differing_frames": "all"}
    return not (info["strategy"].startswith("limit-") or proof.get("differing_frames"))


def _python(entry: Entry, workers: int, threads: int) -> list[str]:
    info = entry["extra_info"]
    work = info.get("work", {})
    video = "" if info.get("is_of_set") else str(work.get("video", ""))
    return snippet(
        info["strategy"],
        video=video
        if "." in video and not info.get("is_of_set")
        else "video.mp4",  # the embedded clip is nobody's file
        seek_mode=work.get("seek_mode", "approximate"),
        workers=workers,
        ffmpeg_threads=threads,
        size=_size(work.get("output_size")),
    )


def _size(text: str | None) -> tuple[int, int] | None:
    """(height, width) of what the identity has as WIDTHxHEIGHT."""
    if text is None:
        return None
    width, _, height = text.partition("x")
    return int(height), int(width)
