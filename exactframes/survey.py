"""What pruning would save on a request, without decoding anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import av

from exactframes.arguments import whole
from exactframes.errors import DeclinedError
from exactframes.gops import Asked, Gop, Request
from exactframes.media import open_container
from exactframes.packets import Reader
from exactframes.plan import Sharing, plan_runs
from exactframes.source import SeekMode, open_source


@dataclass(frozen=True, kw_only=True)
class Survey:
    """How many of a video's packets some frames need."""

    in_file: int  # as the header counts them
    unpruned: int  # that a plain decoder decodes: each GOP to its last request, whole before leading frames
    kept: int  # that are decoded if the rest is pruned
    how: str  # the rule by which packets are dropped, or that none are


def survey(video: Any, indices: Iterable[int], seek_mode: SeekMode = "exact", workers: int = 1) -> Survey:
    """Plan a request of frame numbers; negative ones count from the end.

    Raises:
        FileNotFoundError, IndexError, TypeError, ValueError, RuntimeError: as decode_frames does.
        DeclinedError: if it cannot be pruned, with the reason.
    """
    source = open_source(video, seek_mode)
    wanted = source.checked(indices)
    workers = whole("workers", workers, 1)
    try:
        with open_container(source.video) as container:
            reader = Reader(container, source, wanted)
            asked = list(reader.asked())
            sharing = Sharing(requests=len(wanted), workers=workers, most_frames=len(wanted))
            unpruned = sum(map(_unpruned, asked))
            kept = sum(len(run.packets) for run in plan_runs(asked, sharing, prunes=reader.codec.prunes))
    except (av.FFmpegError, ValueError) as error:
        raise DeclinedError(str(error)) from error
    return Survey(in_file=source.frames, unpruned=unpruned, kept=kept, how=reader.codec.how)


def _unpruned(asked: Asked) -> int:
    count = len(asked.gop.packets) if asked.leading else _up_to_last(asked.gop, asked.requests)
    return count + (_up_to_last(asked.following, asked.leading) if asked.following else 0)


def _up_to_last(gop: Gop, requests: list[Request]) -> int:
    wanted = {request.pts for request in requests}
    return max((number for number, packet in enumerate(gop.packets, 1) if packet.pts in wanted), default=0)
