"""The report header: what is about to be measured."""

from collections.abc import Mapping

from benchmarks.strategies import LEFT_OUT
from fixtures.long_video import LongVideo
from fixtures.sampling import spacing
from fixtures.settings import DEFAULT, Settings
from fixtures.workload import Workload
from results.schema import Identity


def header(
    name: str, workload: Workload, video: LongVideo, settings: Settings, identity: Identity
) -> list[str]:
    """The lines that say what runs, on what, with which versions."""
    frames, seek_mode = len(workload.indices), workload.seek_mode
    machine, software = identity.machine, identity.software
    ffmpeg = software["ffmpeg"]
    rows = {"workload": name} if name != DEFAULT else {}
    rows |= {
        "clip": f"{video.name}, {duration(video.clip_seconds)}, {video.width}x{video.height}, "
        f"{video.fps:.6g} fps, {video.codec}",
        "long video": f"{duration(video.seconds)}, {video.frames} frames ({video.loops} x the clip)",
        "sampled": f"{frames} frames, {spacing(workload.indices, workload.video.fps)}, seek mode {seek_mode}",
        "memory": f"{workload.output_bytes / 1e9:.2f} GB of frames{_in_parts(workload)}",
        "size": "resized to {1}x{0} by each decoder".format(*workload.frame_size) if workload.size else "",
        "workers": f"{settings.workers} on {machine['usable_cpus']} usable CPUs, {machine['cpu_model']}",
        "cluster": _on_cluster(machine),
        "left out": LEFT_OUT or "",
        "rounds": f"{settings.rounds} timed, {max(1, settings.warmup_rounds)} before (first the proof)",
        "versions": f"torch {software['torch']}, torchcodec {software['torchcodec']}, "
        f"FFmpeg {ffmpeg.get('ffmpeg_version')}, joblib {software['joblib']}, Python {software['python']}",
    }
    return [f"{name + ':':<12}{text}" for name, text in rows.items() if text]


def _on_cluster(machine: Mapping[str, object]) -> str:
    workers = machine.get("cluster_workers")
    where = "on this machine" if machine.get("cluster_is_local") else "elsewhere"
    return f"{workers} Dask workers {where}" if workers else ""


def _in_parts(workload: Workload) -> str:
    parts, most = len(workload.parts), workload.part_bytes
    return f", {parts} parts of {most / 1e9:#.2g} GB" if most is not None and parts > 1 else ""


def duration(seconds: float) -> str:
    """Minutes and seconds, as in 0m13s or 11m30s."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest:02d}s"
