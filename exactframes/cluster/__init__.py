"""Excerpts decoded by the workers of a Dask cluster: what decode_frames does with a client.

fitness.py     whether the cluster is fit: which workers it has, and with which versions
connecting.py  connects one call to it: with a client of its own, and the options that it needs
link.py        the cluster as one call uses it: the tasks that are out
window.py      how many are out: the next is made when one has come back
remote.py      what runs on the workers
traffic.py     what went over the network

Tasks are given out in a sliding window, two for each thread of the cluster, by the client's own `submit`: at
most window x (excerpt + frames) are in flight, however fast excerpts are cut. `add_done_callback` reports
their ends. (`as_completed` has one time limit for all. Here the cluster must be checked after each second of
silence; and with_results=True fetches results before there is room to copy them.)
Each call has a client of its own besides the caller's. When it closes, for whatever reason, the scheduler
releases all that it asked for.

An excerpt's bytes travel in its task, through the scheduler, which keeps them until the frames are here. So
distributed by itself runs a task again elsewhere when its worker is lost. `client.scatter` would spare the
scheduler a twentieth of the traffic, but would lose the excerpt with the worker. Frames are most of it. They
come straight from the workers if this process can reach them, else through the scheduler.

joblib's Dask backend was examined and not used (joblib 1.6.0, joblib/_dask.py). Its `effective_n_jobs` is the
whole cluster, whatever n_jobs says. Each batch is a coroutine on the client's event loop (`submit`), and the
loop takes every result as it comes (`_collect`), whether or not somebody has asked for it: no back-pressure.
`_to_func_args` scatters what is larger than 1 kB, and scattered data has no task that could make it again
when its worker is lost; Parallel was seen to hang over it (joblib issue 961, open). `_collect` polls until
all futures are done, which never happens if no worker is left.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from torch import Tensor

from exactframes.cluster.link import Job, Link
from exactframes.cluster.remote import decode_excerpt
from exactframes.cluster.window import run
from exactframes.excerpt import Excerpt
from exactframes.output import write_planes

EXCERPT_FRAME_BYTES = 32_000_000  # an excerpt gives at most so many, unless a single GOP has more


def on_cluster(excerpts: Iterable[Excerpt], output: Tensor, link: Link, ffmpeg_threads: int) -> int:
    """Decode on the cluster, into the output, uint8 [N, H, W, C]; return how many rows were written.

    Raises:
        DeclinedError: as cutting and decoding do.
        ClusterError: if the cluster is lost, or a task is too large for its workers.
    """
    written = 0
    for job, frames in run(_jobs(excerpts, output, ffmpeg_threads), link):
        began = time.perf_counter()
        written += write_planes(output, job.tag, frames)
        link.traffic.copy_seconds += time.perf_counter() - began
        del frames
    return written


def _jobs(excerpts: Iterable[Excerpt], output: Tensor, ffmpeg_threads: int) -> Iterator[Job]:
    for excerpt in excerpts:
        count = len(excerpt.rows)
        local = replace(excerpt, rows=tuple(range(count)))
        size, back = len(excerpt.data) + len(excerpt.mapping), output[:1].nbytes * count
        yield Job(
            decode_excerpt,
            (local, (count, *output.shape[1:]), ffmpeg_threads),
            tag=excerpt.rows,
            what=f"an excerpt of {size / 1e6:.2g} MB that gives {back / 1e6:.2g} MB of frames",
            frames=count,
            bytes_sent=size,
            bytes_received=back,
        )
