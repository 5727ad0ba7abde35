"""Excerpts of a small file: what they hold, and their decoding piece by piece."""

import io
import json
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import av
import pytest
import torch
from av.video.codeccontext import VideoCodecContext
from torch import Tensor
from torchcodec.decoders import VideoDecoder

from exactframes import excerpt as excerpt_module
from exactframes.errors import DeclinedError, WrongFrameError
from exactframes.excerpt import TICK, Check, Decoding, Excerpt, excerpts, tasks
from exactframes.plan import Run, plan_runs
from exactframes.source import open_source
from fixtures.testing.corpus import make_video

SHAPE = (64, 96, 3)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GOPs of 10 frames, of which some are shown in another order than decoded."""
    return make_video(tmp_path_factory.mktemp("excerpt") / "video.mp4", "-c:v", "libx264", "-g", "10")


def cut(video: Path, indices: Sequence[int], most_frames: int | None = None) -> list[Excerpt]:
    with excerpts(open_source(video, "exact"), indices, 1, most_frames) as found:
        return list(found)


def frames_of(video: Path, indices: Sequence[int]) -> Tensor:
    return VideoDecoder(video).get_frames_at(list(indices)).data.permute(0, 2, 3, 1)


def packets_of(video: Path | bytes) -> "list[av.Packet[Any]]":
    with av.open(io.BytesIO(video) if isinstance(video, bytes) else video, "r") as container:
        return [packet for packet in container.demux(video=0) if packet.size]


def test_rows_are_written_piece_by_piece(video: Path) -> None:
    indices = list(range(40, 60))
    [excerpt] = cut(video, indices)
    decoding = Decoding(excerpt)
    assert (decoding.rows, decoding.is_done) == (tuple(range(20)), False)
    expected = frames_of(video, indices)
    for span, is_done in ((range(7), False), (range(7, 20), True)):
        output = torch.zeros((len(span), *SHAPE), dtype=torch.uint8)
        assert decoding.write(output, span.start, span.stop) == len(span)
        assert torch.equal(output, expected[span.start : span.stop])
        assert decoding.is_done == is_done
    assert decoding.write(output, 0, 20) == 0


def test_an_excerpt_holds_only_what_its_frames_need(video: Path) -> None:
    [excerpt] = cut(video, [30, 50, 31, 31])
    assert (sorted(excerpt.rows), len(excerpt.frames)) == ([0, 1, 2, 3], 4)
    assert excerpt.packets < 10
    assert sorted(excerpt.frames) == list(excerpt.frames)
    [alone] = cut(video, [30])
    assert (alone.packets, alone.mapping) == (1, "")


def test_all_frames_of_an_excerpt_are_mapped_and_the_first_is_its_only_keyframe(video: Path) -> None:
    [excerpt] = cut(video, [30, 50])
    frames = json.loads(excerpt.mapping)["frames"]
    unit = frames[0]["duration"]
    times = [frame["pts"] for frame in frames]
    assert times == list(range(times[0], times[0] + excerpt.packets * unit, unit))
    assert [frame["key_frame"] for frame in frames] == [1] + [0] * (excerpt.packets - 1)
    assert b"elst" not in excerpt.data  # an edit list


def test_an_excerpt_begins_with_a_keyframe_though_none_was_flagged_there(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg would not seek to its first packet otherwise, where a later one is flagged."""

    def unflagged(*arguments: Any, **options: Any) -> Iterator[Run]:
        for run in plan_runs(*arguments, **options):
            run.packets[0].data.is_keyframe = False
            yield run

    monkeypatch.setattr(excerpt_module, "plan_runs", unflagged)
    [excerpt] = cut(video, range(20))
    output = torch.empty((20, *SHAPE), dtype=torch.uint8)
    Decoding(excerpt).write(output, 0, 20)
    assert torch.equal(output, frames_of(video, range(20)))


def test_each_packet_of_an_excerpt_lasts_a_tick_whatever_the_frame_rate(tmp_path: Path) -> None:
    slow = make_video(tmp_path / "video.mp4", "-r", "10", "-c:v", "libx264", frames=3)
    for indices in ([0], [0, 1, 2]):
        [excerpt] = cut(slow, indices)
        lengths = [(packet.duration or 0) * packet.time_base for packet in packets_of(excerpt.data)]
        assert lengths == [TICK] * len(indices)


def test_frames_of_an_excerpt_are_shown_as_early_as_the_order_of_decoding_allows(video: Path) -> None:
    [excerpt] = cut(video, range(20))
    packets = packets_of(excerpt.data)
    assert min((packet.pts or 0) - (packet.dts or 0) for packet in packets) == 0
    assert excerpt.shown[0] == (packets[0].pts or 0) // (packets[0].duration or 1)


def test_times_in_an_excerpt_do_not_depend_on_the_time_base_of_the_video(tmp_path: Path) -> None:
    """This one cannot tell a 25th of a second."""
    base = ("-video_track_timescale", "11111")
    odd = make_video(tmp_path / "video.mp4", "-c:v", "libx264", *base, frames=5)
    [excerpt] = cut(odd, range(5))
    output = torch.empty((5, *SHAPE), dtype=torch.uint8)
    Decoding(excerpt).write(output, 0, 5)
    assert torch.equal(output, frames_of(odd, range(5)))


def test_a_frame_that_is_shown_after_those_that_lead_the_next_gop(tmp_path: Path) -> None:
    """I0 P3 B1 B2 P6 B4 B5, then I9 B7 B8, but for the times of P6 and B7, which are changed about."""
    gops = ("-x264-params", "keyint=9:min-keyint=9:open-gop=1:bframes=2:b-adapt=0:scenecut=0:b-pyramid=0")
    whole = make_video(tmp_path / "whole.mkv", "-c:v", "libx264", *gops, frames=10)
    video = tmp_path / "video.mkv"
    with av.open(whole) as container, av.open(video, "w") as output:
        target = output.add_stream_from_template(container.streams.video[0])
        packets = [packet for packet in container.demux(video=0) if packet.size]
        packets[4].pts, packets[8].pts = packets[8].pts, packets[4].pts
        for number, packet in enumerate(packets):
            packet.stream, packet.dts = target, 40 * (number - 4)
            output.mux(packet)
    with pytest.raises(DeclinedError, match="contradict the order of the pictures"):
        cut(video, [7, 6])


@pytest.mark.skipif(not hasattr(VideoCodecContext, "field_order"), reason="PyAV tells it since 18")
def test_an_excerpt_keeps_the_tag_that_tells_a_variant(tmp_path: Path) -> None:
    encoding = ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le")
    [excerpt] = cut(make_video(tmp_path / "video.mov", *encoding, frames=2), [0, 1])
    with av.open(io.BytesIO(excerpt.data)) as container:
        assert container.streams.video[0].codec_context.codec_tag == "ap4h"


def test_what_pyav_cannot_open_is_declined(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, refusal = open_source(video, "exact"), av.ExternalError(1, "no packets")
    monkeypatch.setattr(av, "open", Mock(side_effect=refusal))
    with pytest.raises(DeclinedError, match="no packets"), excerpts(source, [0], 1):
        pass


def test_an_excerpt_holds_no_more_frames_than_allowed(video: Path) -> None:
    assert [len(excerpt.frames) for excerpt in cut(video, range(40), 10)] == [10] * 4
    assert len(cut(video, range(40))) == 1


def test_the_first_excerpt_is_checked(video: Path) -> None:
    found = cut(video, range(40), 10)
    assert [excerpt.expected is not None for excerpt in found] == [True, False, False, False]
    first, *others = tasks(found)
    assert isinstance(first, Check)
    assert all(isinstance(task, Decoding) for task in others)
    assert (first.rows, first.is_done, first.write(torch.empty(0), 0, 0)) == ((), True, 0)
    assert first.expected is not None
    with pytest.raises(DeclinedError, match="an excerpt does not keep the video's width"):
        replace(first, expected=first.expected | {"width": 97}).write(torch.empty(0), 0, 0)


@pytest.mark.parametrize(("height", "batches"), [(64, [4, 4, 2]), (600, [2] * 5), (2000, [1] * 10)])
def test_a_few_frames_are_decoded_at_a_time(
    height: int, batches: list[int], video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However large they are, it is one at least; and however many rows there are."""
    taken: list[int] = []
    monkeypatch.setattr(excerpt_module, "write_rows", lambda _, rows, __: taken.append(len(rows)))
    [excerpt] = cut(video, range(10))
    row = torch.empty((1, height, 96 * height // 64, 3), dtype=torch.uint8)
    Decoding(excerpt).write(row.expand(1000, -1, -1, -1), 0, 10)
    assert taken == batches


@pytest.mark.parametrize(("given", "threads"), [((), 1), ((3,), 3)], ids=["by default", "as told"])
def test_ffmpeg_decodes_on_so_many_threads(
    given: tuple[int, ...], threads: int, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Mock(side_effect=VideoDecoder)
    monkeypatch.setattr(excerpt_module, "VideoDecoder", opened)
    for decoding in (Decoding(cut(video, [3])[0], *given), list(tasks(cut(video, [3]), *given))[-1]):
        decoding.write(torch.empty((1, *SHAPE), dtype=torch.uint8), 0, 1)
    assert [call.kwargs["num_ffmpeg_threads"] for call in opened.call_args_list] == [threads] * 2


def test_a_decoder_stays_open_until_the_last_row_is_written(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[weakref.ref[VideoDecoder]] = []

    def opening(*arguments: Any, **options: Any) -> VideoDecoder:
        decoder = VideoDecoder(*arguments, **options)
        opened.append(weakref.ref(decoder))
        return decoder

    monkeypatch.setattr(excerpt_module, "VideoDecoder", opening)
    decoding = Decoding(cut(video, range(9))[0])
    still_open = []
    for stop in (3, 6, 9):
        decoding.write(torch.empty((3, *SHAPE), dtype=torch.uint8), stop - 3, stop)
        still_open.append([decoder() is not None for decoder in opened])
    assert still_open == [[True], [True], [False]]


@pytest.mark.parametrize("shifts", [(0, 1), (-1, 0)])
def test_a_frame_at_another_time_than_planned_is_wrong(shifts: tuple[int, int], video: Path) -> None:
    [excerpt] = cut(video, [3, 4])
    output = torch.empty((2, *SHAPE), dtype=torch.uint8)
    askew = replace(excerpt, shown=tuple(tick + by for tick, by in zip(excerpt.shown, shifts, strict=True)))
    with pytest.raises(WrongFrameError, match="a frame is not shown at its planned time"):
        Decoding(askew).write(output, 0, 2)


def test_fewer_frames_than_asked_for_are_wrong(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single one would else be copied into all rows."""
    [excerpt] = cut(video, [3, 4])
    get_frames_at = VideoDecoder.get_frames_at
    monkeypatch.setattr(VideoDecoder, "get_frames_at", lambda self, asked: get_frames_at(self, asked[:1]))
    with pytest.raises(WrongFrameError):
        Decoding(excerpt).write(torch.empty((2, *SHAPE), dtype=torch.uint8), 0, 2)


@pytest.mark.parametrize("changes", [{"frames": (3, 99)}, {"mapping": "none"}, {"data": b"none"}], ids=str)
def test_an_excerpt_that_cannot_be_decoded_is_wrong(changes: dict[str, Any], video: Path) -> None:
    [excerpt] = cut(video, [3, 4])
    output = torch.empty((2, *SHAPE), dtype=torch.uint8)
    with pytest.raises(WrongFrameError):
        Decoding(replace(excerpt, **changes)).write(output, 0, 2)
