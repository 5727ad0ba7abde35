"""Exact frames of long videos, sooner: decode only the packets that the requested frames need.

decoder.py    VideoDecoder, which a user keeps; opened.py: what it keeps open, choice.py: the cheaper way
kept.py       TorchCodec's decoder, which it keeps: each answer is that of a fresh one
index.py      what is known of a file's packets; reading.py reads them, index_file.py keeps them
in_place.py   one way to decode fewer of them; cutting.py: another
decoding.py   decode_frames and iter_frames, which a user calls; survey.py reports what pruning saves
media.py      reads whatever holds a video, with PyAV; boxes.py: what only the boxes of an MP4 say
arguments.py  checks what callers give; ahead.py: batches that are made ahead
source.py     the video as TorchCodec sees it
support.py    which codec in which container has been tried, and how it is cut
rules/        what a packet's bytes prove about it, codec by codec
packets.py    the packets of the file, GOP by GOP (gops.py), and which of them hold requested frames
order.py      whether the times of packets fit the order in which they are decoded
plan.py       which packets those frames need, in runs that can each be decoded on their own
excerpt.py    the packets of a run as a small video in memory, and its decoding
fidelity.py   what an excerpt must keep of its source
workers.py    threads (helpers.py) or processes that decode excerpts; output.py: where frames go
processes.py  those processes as their parent sees them; shift.py: those of one call
serving.py    what they do; channel.py: between the two
cluster/      or workers of a Dask cluster
"""

from exactframes.decoder import VideoDecoder
from exactframes.decoding import decode_frames, iter_frames
from exactframes.errors import (
    ClusterError,
    DeclinedError,
    FallbackWarning,
    StaleIndexError,
    VerificationError,
    WorkerError,
)
from exactframes.index import Index
from exactframes.survey import Survey, survey

__all__ = [
    "ClusterError",
    "DeclinedError",
    "FallbackWarning",
    "Index",
    "StaleIndexError",
    "Survey",
    "VerificationError",
    "VideoDecoder",
    "WorkerError",
    "decode_frames",
    "iter_frames",
    "survey",
]
