"""The packets of a file's video stream, read without decoding any."""

from typing import NamedTuple

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from benchmarks.pruning.codecs import CodecRule, LayeredError, rule_for
from fixtures.long_video import Video

# FFmpeg's demuxers in which seeking is exact; in others (MPEG-TS) TorchCodec itself may miss frames.
EXACT_CONTAINERS = {"mov", "matroska", "avi"}


class PlanDeclinedError(Exception):
    """Packets and frames cannot be matched one to one; the message gives the reason.

    Which frames TorchCodec gives may then depend on where a decoder begins: only `sequential` is safe.
    """


class CannotCutError(PlanDeclinedError):
    """There is a plan, and PyAV cannot write this codec's packets: any unpruned strategy is safe."""


class Packet(NamedTuple):
    """One packet, which holds one frame; its number is its position in decoding order."""

    pts: int  # in the stream's time base
    keyframe_pts: int  # of the container's last keyframe so far: TorchCodec may seek there
    starts: bool
    starts_open: bool
    needed: bool


class Packets(NamedTuple):
    """All packets of a stream in decoding order, and how they were judged."""

    packets: list[Packet]
    seconds_per_tick: float  # the stream's time base
    rule: CodecRule


def read_packets(video: Video) -> Packets:
    """Demux the video's stream once and judge each packet by its codec's rule.

    Raises:
        PlanDeclinedError: if a packet has no pts, is hidden by an edit list, or contradicts its codec.
    """
    try:
        with av.open(str(video.path)) as container:
            return _read(container, video)
    except LayeredError:
        with av.open(str(video.path)) as container:
            return _read(container, video, keep_all=True)
    except (av.FFmpegError, ValueError) as error:
        raise PlanDeclinedError(str(error)) from error


def open_stream(container: InputContainer, video: Video) -> VideoStream:
    """The stream that TorchCodec reads.

    Raises:
        PlanDeclinedError: if PyAV sees no video stream there.
    """
    stream = container.streams[video.stream_index]
    if not isinstance(stream, VideoStream) or stream.time_base is None:
        raise PlanDeclinedError("PyAV does not see the stream that TorchCodec reads")
    return stream


def _read(container: InputContainer, video: Video, *, keep_all: bool = False) -> Packets:
    if not EXACT_CONTAINERS & set(container.format.name.split(",")):
        raise PlanDeclinedError(f"seeking in {container.format.name} is not exact")
    stream = open_stream(container, video)
    context = stream.codec_context
    rule = rule_for(context.codec.canonical_name, context.codec.intra_only, bytes(context.extradata or b""))
    if keep_all:
        rule = rule_for("", intra_only=False, extradata=b"")
    packets: list[Packet] = []
    keyframe_pts = 0
    judge = rule.judge
    for packet in container.demux(stream):
        pts, is_keyframe = packet.pts, packet.is_keyframe
        if packet.size == 0:
            continue
        if pts is None:
            raise PlanDeclinedError("the file gives a packet no time stamp")
        if packet.is_discard:
            raise PlanDeclinedError("an edit list hides packets")
        if packets and packet.has_sidedata("new_extradata"):
            raise PlanDeclinedError("the codec's parameters change within the file")
        if packet.is_corrupt:
            raise PlanDeclinedError("a packet is damaged")
        if is_keyframe:
            keyframe_pts = pts
        packets.append(Packet(pts, keyframe_pts, *judge(memoryview(packet), is_keyframe)))
    return Packets(packets, float(stream.time_base or 0), rule)
