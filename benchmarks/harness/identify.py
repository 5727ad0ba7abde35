"""Describes what a result is a result of: the work, the machine and the software under test."""

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version

import cpuinfo

from exactframes.versions import ffmpeg_versions
from fixtures.long_video import LongVideo
from fixtures.sampling import spacing
from fixtures.settings import usable_cpus
from fixtures.workload import Workload
from results.schema import Identity


def identify(workload: Workload, cluster: Mapping[str, object]) -> Identity:
    """Describe this run and the cluster, of which these are fields; no path and no host name is in it.

    Two results are of the same work if "work" agrees. "machine" must agree, too, for their seconds to
    be comparable. "software" is what a comparison is usually about.
    """
    video = workload.video
    work: dict[str, object] = {
        "video": video.name,
        "video_sha256": video.sha256,
        "codec": video.codec,
        "size": f"{video.width}x{video.height}",
        "video_frames": video.frames,
        "loops": video.loops if isinstance(video, LongVideo) else 1,
        "asked": spacing(workload.indices, workload.video.fps),
        "indices_digest": hashlib.sha256(",".join(map(str, workload.indices)).encode()).hexdigest(),
        "seek_mode": workload.seek_mode,
    }
    if workload.size is not None:
        work["output_size"] = "{1}x{0}".format(*workload.size)
    if len(workload.parts) > 1:  # with one part, the size of a part changes nothing
        work["part_bytes"] = workload.part_bytes
    return Identity(work=work, machine=machine_of(cluster), software=software_versions())


def machine_of(cluster: Mapping[str, object]) -> dict[str, object]:
    """This machine's CPUs, and these fields of a cluster."""
    model = cpuinfo.get_cpu_info().get("brand_raw", "unknown")
    return {"usable_cpus": usable_cpus(), "cpu_model": model, **cluster}


def software_versions() -> dict[str, object]:
    """Versions of everything that takes part in decoding."""
    return {
        "torch": version("torch"),
        "torchcodec": version("torchcodec"),
        "ffmpeg": ffmpeg_versions(),
        "joblib": version("joblib"),
        "python": platform.python_version(),
    }
