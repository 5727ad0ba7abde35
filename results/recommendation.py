"""What a run of one workload comes to: the fastest exact way, and the lines of Python that use it."""

import textwrap
from typing import Any

from results.identity import Entry
from results.snippets import snippet

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


def _is_exact(info: dict[str, Any]) -> bool:
    proof = info.get("proof") or {"differing_frames": "all"}
    is_limit = info["strategy"].startswith("limit-")
    return not (is_limit or proof.get("differing_frames") or "fallback" in info)


def _python(entry: Entry, workers: int, threads: int) -> list[str]:
    info = entry["extra_info"]
    work = info.get("work", {})
    video = str(work.get("video", ""))
    return snippet(
        info["strategy"],
        video=video if "." in video else "video.mp4",  # the embedded clip is nobody's file
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
