"""On the workers of a Dask cluster: only with --cluster, whose client the harness binds to these."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from benchmarks.strategies.shared import split
from exactframes import decode_frames
from exactframes.cluster.connecting import connect
from exactframes.cluster.link import Job, Link
from exactframes.cluster.remote import decode_chunk
from exactframes.cluster.window import run
from exactframes.errors import RefusedError
from exactframes.output import write_planes
from exactframes.source import Source, open_source
from fixtures.workload import Workload

if TYPE_CHECKING:
    from distributed import Client

UNSEEN = "needs a file system that all machines share; cluster-pruned needs none"


def cluster_processes(workload: Workload, workers: int, *, client: "Client") -> Tensor:  # noqa: ARG001
    """A contiguous chunk for each thread of the cluster; each worker opens the video by its path.

    Raises:
        RefusedError: if a worker does not see the file.
    """
    source = open_source(workload.video.path.resolve(), workload.seek_mode, workload.size)
    output = torch.empty(source.shape(len(workload.indices)), dtype=torch.uint8)
    with connect(client) as link:
        try:
            for job, planes in run(_chunks(source, workload.indices, link), link):
                write_planes(output, job.tag, planes)
        except FileNotFoundError as error:
            raise RefusedError(f"cluster-processes {UNSEEN} ({error})") from error
    return output.permute(0, 3, 1, 2)


def cluster_pruned(workload: Workload, workers: int, *, client: "Client") -> Tensor:  # noqa: ARG001
    """Excerpts travel to the workers, frames come back: workers need no file."""
    path, mode, size = workload.video.path, workload.seek_mode, workload.size
    return decode_frames(path, workload.indices, seek_mode=mode, size=size, client=client)


def _chunks(source: Source, indices: tuple[int, ...], link: Link) -> list[Job]:
    return [
        Job(
            decode_chunk,
            (source, [indices[row] for row in rows]),
            tag=rows,
            what=f"a chunk of {len(rows)} frames",
            frames=len(rows),
            bytes_sent=8 * len(rows),
            bytes_received=source.frame_bytes * len(rows),
        )
        for rows in split(range(len(indices)), link.threads)
        if rows
    ]
