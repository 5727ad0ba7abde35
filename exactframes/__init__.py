"""Exact frames of long videos, sooner: decode only the packets that the requested frames need.

decoder.py    what a user keeps: VideoDecoder; opened.py: what it has open, choice.py: the cheaper way
index.py      what it knows of a file's packets; in_place.py and cutting.py: where fewer are decoded
decoding.py   what a user calls: decode_frames, iter_frames; survey.py tells what pruning saves
media.py      whatever holds a video, as PyAV reads it; boxes.py: what an MP4 tells beside that
arguments.py  what callers may give; ahead.py: batches that are made ahead
source.py     the video as TorchCodec sees it
support.py    which codec in which container has been tried, and how it is cut
rules/        what a packet's bytes prove about it, codec by codec
packets.py    the packets of the file, GOP by GOP, and which of them hold requested frames
plan.py       which packets those frames need, in runs that can each be decoded on their own
excerpt.py    the packets of a run as a small video in memory, and its decoding
fidelity.py   what an excerpt must keep of its source
workers.py    threads (helpers.py) or processes that decode excerpts; output.py: where frames go
processes.py  those processes as their parent has them; serving.py: what they do; channel.py: between the two
cluster/      or the workers of a Dask cluster
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
