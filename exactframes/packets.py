"""The packets of a file's video stream, read once and in order, GOP by GOP, without decoding any."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from math import floor
from typing import TypeAlias

import av
from av.container import InputContainer
from av.index import IndexEntries
from av.video.stream import VideoStream

from exactframes.arguments import require_held
from exactframes.errors import DeclinedError, RestDeclinedError, SeekDeclinedError
from exactframes.gops import Asked, Gop, Packet, Request, Requests
from exactframes.media import open_container
from exactframes.order import Order, Shown
from exactframes.rules.roles import Role, Rule
from exactframes.source import Source, count_frames
from exactframes.support import AVI, FLV, MOV, TS, Codec, codec_for, remux

VideoPacket: TypeAlias = "av.Packet[VideoStream]"
LATEST = 2**48  # ticks: TorchCodec computes in floating-point seconds
FEW = 18  # packets: one more than a decoder holds back at most (H.264, A.3.1)
LATE = 1 / 8  # of a frame: if a tick is shorter, rounding may make a frame a tick late
USE_EXACT = "use seek mode exact: then this file can be pruned"


class Reader:
    """Reads the GOPs of one file for one request."""

    def __init__(self, container: InputContainer, source: Source, indices: Sequence[int]) -> None:
        """Read the stream's header.

        Raises:
            DeclinedError: if the codec or container has not been tried, or the header rules a plan out.
        """
        stream = container.streams[source.stream_index]
        if not isinstance(stream, VideoStream) or (base := stream.time_base) is None:
            raise DeclinedError("PyAV does not see the stream that TorchCodec reads")
        name = container.format.name.partition(",")[0]
        context = stream.codec_context
        self.stream, self._base, self._name = stream, base, name
        self._is_exact = source.seek_mode == "exact"
        self.codec: Codec = codec_for(
            context.codec.canonical_name, name, source.path.name, is_exact=self._is_exact
        )
        self.frames = 0  # in exact mode: how many have been read
        self._container, self._source = container, source
        self._judge: Rule = self.codec.make_rule(bytes(context.extradata or b""))
        self._has_read = self._parameters_in_band = False
        # For the part that was read. In other containers the flags by which FFmpeg seeks cannot be read.
        self.finds_by_time = name == MOV and not source.boxes.is_fragmented
        self._shown = Shown(
            self._judge,
            reorders=self.codec.reorders,
            has_found_delay=bool(context.has_b_frames),
            is_told_delay=self.finds_by_time and context.codec.canonical_name == "h264",
        )
        self._order = Order(seeks_by_dts=name in (MOV, FLV, TS), tells_b=self.codec.tells_b)
        self._start_times: set[int | None] = set()  # the dts of packets at which GOPs start
        self._last_visible, self._first_hidden = -(2**63), 2**63  # their pts
        if name == MOV and source.boxes.is_fragmented and not self._is_exact:
            raise DeclinedError(f"seeking in fragmented MP4 is not exact: {remux(source.path.name)}")
        self._reorders = name in (MOV, AVI) and self.codec.reorders and context.has_b_frames
        if name == FLV and context.has_b_frames and container.metadata.get("hasKeyframes") == "true":
            raise DeclinedError("seeking by an FLV file's own index of keyframes is not exact with B-frames")
        if name == AVI and self._reorders:
            raise DeclinedError(f"AVI keeps no presentation times of B-frames; {remux(source.path.name)}")
        if name == TS and not source.never_seeks and _is_reordered(source):
            raise SeekDeclinedError(self._missed)
        self._by_dts = name == AVI and self._is_exact  # TorchCodec's FFmpeg and PyAV's tell other pts there
        targets = indices if self._is_exact else self._times(indices)
        self._requests = Requests(targets)
        self._before = dict(_neighbours(indices, targets)) if not self._is_exact else {}
        self._last_shown: int | None = None

    def _times(self, indices: Sequence[int]) -> list[int]:
        """When approximate mode looks for each frame: TorchCodec rounds index / average_fps to ticks."""
        fps, base = self._source.fps, self._base
        if not fps:
            raise DeclinedError(f"the header tells no frame rate; {USE_EXACT}")
        if indices and max(indices) >= self._source.frames:
            raise DeclinedError("the file holds fewer frames than were asked for")
        self._late = int(base * fps < LATE)
        return [floor(index / fps * base.denominator / base.numerator + 0.5) for index in indices]

    def asked(self) -> Iterator[Asked]:
        """Give the GOPs in order, with what is asked of them.

        In exact mode the whole file is read, since TorchCodec counts its frames; but once all requests are
        met, no more GOPs are given. In approximate mode the packets between requests are skipped, and reading
        ends with the last request.

        Raises:
            DeclinedError: if packets and frames cannot be matched one to one.
        """
        gops = self._gops()
        gop = self._first(gops)
        if gop is not None and gop.shown and not self._is_exact:
            raise DeclinedError(f"the video does not begin at time 0; {USE_EXACT}")
        while gop is not None:
            following = next(gops, None)
            is_wanted = self._requests.next_target is not None
            asked = self._ask(gop, following)
            if asked.requests or asked.leading:
                self._shown.require_order(gop, following)
            if is_wanted:
                yield asked
            if not self._is_exact:
                target = self._requests.next_target
                if target is None:
                    return
                if following is not None and _is_far(target, gop, following):
                    gops, following = self._skip(target, following)
            gop = following
        self._require_all()

    def read_through(self) -> Iterator[Gop]:
        """Give all GOPs of the file in exact mode, each matched with the one after it.

        Raises:
            DeclinedError: as `asked` does.
        """
        gops = self._gops()
        gop = self._first(gops)
        while gop is not None:
            following = next(gops, None)
            self._ask(gop, following)
            self._shown.require_order(gop, following)
            if self.is_missed(gop, following, gop.shown) or (following is None and _is_short(gop)):
                raise DeclinedError(self._missed)
            last = max(packet.pts for packet in gop.packets)
            self.finds_by_time &= not self.is_missed(gop, following, last)
            yield gop
            gop = following
        self._require_all()

    def _first(self, gops: Iterator[Gop]) -> Gop | None:
        gop = next(gops, None)
        if gop is not None and gop.is_open:
            raise DeclinedError("frames are shown before the first keyframe")
        return gop

    def _require_all(self) -> None:
        """At the end of the file, check that it held the requested frames, and all that TorchCodec counts."""
        target = self._requests.next_target
        if target is not None:
            if self._is_exact and target < self._source.frames:  # the header states more than there are
                require_held([target], count_frames(self._source), self._source.path.name)
            raise DeclinedError("the file holds fewer frames than were asked for")
        if not self._is_exact or self.frames == self._source.frames:
            return  # TorchCodec scans the file only if the header states another number
        if self.frames != count_frames(self._source):
            raise DeclinedError(f"TorchCodec does not count {self.frames} frames, as there are packets")

    def _skip(self, target: int, following: Gop) -> tuple[Iterator[Gop], Gop | None]:
        """Seek to the GOP that holds the next request; if that leads nowhere new, go on reading."""
        for time in (target, following.shown):
            self._container.seek(time, stream=self.stream)
            self._order.begin_anew()
            gops = self._gops()
            try:
                gop = next(gops, None)
                while gop is not None and gop.shown < following.shown:
                    gop = next(gops, None)
            except DeclinedError:
                if time == target:
                    continue  # decoding may not begin at this keyframe of the container
                raise
            if gop is not None and gop.shown <= target:
                break
        return gops, gop

    def _ask(self, gop: Gop, following: Gop | None) -> Asked:
        """Take the requests for frames shown from this GOP's first one up to the next GOP's."""
        leading = following.leading() if following else []
        visible = [packet for packet in gop.packets if not packet.role.is_hidden]
        own = sorted(packet.pts for packet in visible if packet.pts >= gop.shown)
        self._last_visible = max([self._last_visible, *own[-1:]])
        if self._last_visible >= self._first_hidden:
            raise DeclinedError("an edit list hides packets")
        if following is not None and own and own[-1] >= following.shown:
            raise DeclinedError("frames are shown after the keyframe that follows them")
        if leading and min(leading) <= gop.shown:
            raise DeclinedError("frames are shown before the keyframe that they follow")
        times = sorted([*own, *leading]) if leading else own
        if len(set(times)) != len(times):
            raise DeclinedError("two packets have the same time stamp")
        requests = self._by_index(times) if self._is_exact else self._by_time(times, following)
        early = set(leading)
        target = requests[-1].pts if requests and not self._is_exact else gop.shown
        if requests and not self._source.never_seeks and self.is_missed(gop, following, target):
            raise (SeekDeclinedError if self._is_exact else RestDeclinedError)(self._missed)
        asked_early = [request for request in requests if request.pts in early]
        if asked_early and not self._is_exact:
            raise RestDeclinedError(
                f"approximate seek mode may miss frames that are shown before their keyframe; {USE_EXACT}"
            )
        return Asked(gop, following, [r for r in requests if r.pts not in early], asked_early)

    def is_missed(self, gop: Gop, following: Gop | None, target: int) -> bool:
        """Whether TorchCodec, when it seeks to a frame of a GOP, would land after its first packet.

        In exact mode it seeks to the pts of the keyframe, else to that of the frame. FFmpeg's demuxers of
        MOV, MP4 and FLV look for that time among the keyframes' dts; with an edit list, those are shifted
        by the first packet's delay (FFmpeg's ticket 11137). FLV has nothing after its last dts. For MPEG-TS
        see _is_reordered.
        """
        first = gop.packets[0]
        if self._name == FLV and following is None:
            return bool(gop.packets[-1].data.dts <= gop.shown)
        if self._name not in (MOV, FLV):
            return False
        if self._name == MOV and self._source.boxes.has_edit_list(self._source.stream_index):
            target -= self._first_delay
        self._start_times.add(first.data.dts)
        dts = following.packets[0].data.dts if following is not None else None
        return (dts is not None and dts <= target) or not self._is_start(target, first.data.dts)

    def _is_start(self, target: int, dts: int | None) -> bool:
        """Whether a seek leads to a place where decoding may begin, at or before a GOP's first packet.

        MOV and MP4 have flags of their own, which may differ from the codec's: FFmpeg's parsers correct the
        flags of packets, but not the flags by which it seeks.
        """
        entries = self.stream.index_entries
        if self._name != MOV or dts is None or not isinstance(entries, IndexEntries) or not len(entries):
            return True
        found = entries[max(0, entries.search_timestamp(target))].timestamp
        return found <= dts and found in self._start_times

    @property
    def _missed(self) -> str:
        return f"FFmpeg seeks past frames in this file; {remux(self._source.path.name)}"

    def _by_index(self, times: list[int]) -> list[Request]:
        """Requests by index: frame i is the i-th of the file in order of pts."""
        first, self.frames = self.frames, self.frames + len(times)
        return [Request(times[i - first], row) for i, row in self._requests.take_below(self.frames)]

    def _by_time(self, times: list[int], following: Gop | None) -> list[Request]:
        """Requests by time: they are certain only if a frame is shown at the very time that is looked for.

        Approximate mode gives the first frame at or after that time. Rounding may make a frame a tick late.
        For two neighbours by index, TorchCodec gives the next frame second, so that must be the right one.
        """
        stop = following.shown if following else times[-1] + 1
        if times[-1] < stop - self._late:
            stop -= self._late  # a target a tick before the next GOP's first frame means that one
        requests = []
        for time, row in self._requests.take_below(stop):
            place = bisect_left(times, time)
            before = times[place - 1] if place else self._last_shown
            is_next = time not in self._before or self._shows(before, self._before[time])
            if place == len(times) or not self._shows(times[place], time) or not is_next:
                reason = f"the frame rate varies, and approximate mode guesses by it; {USE_EXACT}"
                raise RestDeclinedError(reason)
            requests.append(Request(times[place], row))
        self._last_shown = times[-1]
        return requests

    def _shows(self, shown: int | None, time: int) -> bool:
        """Whether a frame is shown at a time, apart from rounding."""
        return shown is not None and 0 <= shown - time <= self._late

    def _gops(self) -> Iterator[Gop]:
        packets: list[Packet] = []
        for packet in self._packets():
            if packet.role.starts and packets:
                yield _gop(packets)
                packets = []
            packets.append(packet)
        if packets:
            yield _gop(packets)

    def _packets(self) -> Iterator[Packet]:
        judge = self._judge
        for packet in self._container.demux(self.stream):
            if not packet.size:  # an empty packet flushes a decoder at the end
                continue
            pts = packet.pts if packet.dts is None or not self._by_dts else packet.dts
            if pts is None or packet.is_corrupt or (packet.is_discard and not self._may_hide):
                raise DeclinedError(_unsound(packet))
            self._order.require_rising(packet.dts)
            if not self._has_read:
                self._has_read = True
                self._first_delay = pts - (packet.dts or 0)
            elif packet.has_sidedata("new_extradata"):
                raise DeclinedError("the codec's parameters change within the file")
            is_keyframe = packet.is_keyframe
            role = judge(memoryview(packet), is_keyframe)
            self._order.require_given_in_order(is_b=role.is_b, pts=pts)
            if role.has_parameters:
                self._parameters_in_band = True
            elif self._parameters_in_band:
                role = role._replace(starts=False)  # it may need earlier parameter sets of the stream
            if role.starts or is_keyframe:
                self._require_start(role, pts, packet.dts)
            yield Packet(pts, self._hidden(role, pts) if packet.is_discard else role, packet)

    @property
    def _may_hide(self) -> bool:
        """Whether an edit list may hide packets here: only in exact mode, and not the first one."""
        return self._is_exact and self._has_read

    def _hidden(self, role: Role, pts: int) -> Role:
        """The role of a packet that others need, but whose frame an edit list cuts off: it is not counted."""
        self._first_hidden = min(self._first_hidden, pts)
        return role._replace(needed=True, is_hidden=True)

    def _require_start(self, role: Role, pts: int, dts: int | None) -> None:
        """Check more of a packet at which a GOP starts, or which is flagged so."""
        if not role.starts:  # TorchCodec may seek there
            raise DeclinedError("decoding cannot begin exactly at a packet flagged as a keyframe")
        if self._reorders and pts == dts:
            raise DeclinedError("B-frames have no presentation times of their own")
        if pts > LATEST:
            raise DeclinedError("time stamps are too large to be told apart in seconds")


def _is_reordered(source: Source) -> bool:
    """Whether any packet of an MPEG-TS is decoded at another time than its frame is shown.

    TorchCodec scans the file before it seeks. Once FFmpeg's demuxer has met such packets, it guesses times
    of decoding where none are written, and seeks lead past frames, also in the parts before these packets.
    """
    with open_container(source.video) as container:
        packets = container.demux(container.streams[source.stream_index])
        return any(packet.pts != packet.dts for packet in packets if packet.size)


def _is_short(gop: Gop) -> bool:
    """Whether FFmpeg may not give the frames of a file's last GOP when TorchCodec seeks to it.

    Its H.264 decoder gives the frames after a recovery point only once it has given that one.
    """
    return gop.packets[0].role.leads and len(gop.packets) <= FEW


def _is_far(target: int, gop: Gop, following: Gop) -> bool:
    """Whether the next request lies so far ahead that seeking to it may save reading a GOP."""
    return target > 2 * following.shown - gop.shown


def _neighbours(indices: Sequence[int], targets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """For each requested frame whose predecessor is requested, too: the times of both."""
    times = dict(zip(indices, targets, strict=True))
    return ((time, times[index - 1]) for index, time in times.items() if index - 1 in times)


def _gop(packets: list[Packet]) -> Gop:
    first = packets[0]
    if not first.role.starts:
        raise DeclinedError("it does not begin with a keyframe at which decoding may begin")
    is_open = any(packet.pts < first.pts for packet in packets)
    if is_open and not first.role.leads:
        raise DeclinedError("frames are shown before the keyframe that they follow")
    return Gop(packets, is_open)


def _unsound(packet: VideoPacket) -> str:
    if packet.pts is None:
        return "the file gives a packet no time stamp"
    return "an edit list hides packets" if packet.is_discard else "a packet is damaged"
