"""Reads all packets of a video into an index."""

from array import array
from fractions import Fraction

import av
import numpy as np
from av.container import InputContainer

from exactframes.errors import DeclinedError
from exactframes.index import Index
from exactframes.media import Identity, identify, open_container
from exactframes.packets import Reader
from exactframes.rules.roles import Role
from exactframes.source import Source


def read_index(source: Source) -> Index:
    """Read all packets of a video, and decode none.

    Raises:
        DeclinedError: if packets and frames cannot be matched one to one, or a packet's role is unknown.
    """
    try:
        identity = identify(source.video)
        with open_container(source.video) as container:
            return _read(container, source, identity)
    except (av.FFmpegError, ValueError, OSError, OverflowError) as error:
        raise DeclinedError(str(error)) from error


def _read(container: InputContainer, source: Source, identity: Identity) -> Index:
    reader = Reader(container, source, ())
    pts, duration = array("q"), array("i")
    size, role, is_keyframe = array("i"), array("B"), array("B")
    starts, is_open = array("i"), array("B")
    roles: dict[Role, int] = {}
    for gop in reader.read_through():
        starts.append(len(pts))
        is_open.append(gop.is_open)
        for shown, judged, packet in gop.packets:
            pts.append(shown)
            duration.append(packet.duration or 0)
            size.append(packet.size)
            role.append(roles.setdefault(judged, len(roles)))
            is_keyframe.append(packet.is_keyframe)
    times, judged_as = np.array(pts, dtype=np.int64), np.array(role, dtype=np.uint8)
    by_time = np.argsort(times, kind="stable")
    is_hidden = np.array([one.is_hidden for one in roles], dtype=np.bool_)[judged_as]
    return Index(
        identity=identity,
        stream_index=source.stream_index,
        base=Fraction(reader.stream.time_base or 1),
        pts=times,
        duration=np.array(duration, dtype=np.int32),
        size=np.array(size, dtype=np.int32),
        role=judged_as,
        is_keyframe=np.array(is_keyframe, dtype=np.bool_),
        roles=tuple(roles),
        order=by_time[~is_hidden[by_time]].astype(np.int32),
        starts=np.array(starts, dtype=np.int32),
        is_open=np.array(is_open, dtype=np.bool_),
        how=reader.codec.how,
        prunes=reader.codec.prunes,
        finds_by_time=reader.finds_by_time,
    )
