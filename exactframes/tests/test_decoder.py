"""VideoDecoder: what each call gives, what it takes, and what it keeps, against TorchCodec's own."""

import io
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torchcodec.samplers import clips_at_regular_indices
from torchcodec.transforms import CenterCrop, Resize

from exactframes import (
    VideoDecoder,
    decode_frames,
    iter_frames,
    opened,
)
from exactframes.tests.asking import (
    EXECUTORS,
    GOPS,
    Ask,
    Theirs,
    answer,
    differing,
    is_same,
    prune_whenever_possible,
    repickled,
)
from exactframes.workers import on_threads
from fixtures.testing.corpus import make_video
from fixtures.testing.range_server import Ranges


@pytest.mark.parametrize("in_place", EXECUTORS)
@pytest.mark.parametrize("name", ["video.mp4", "odd.mkv", "alone.mp4"])
def test_every_call_gives_what_torchcodec_gives(
    name: str, in_place: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_whenever_possible(monkeypatch, in_place=in_place)
    gops = {
        "video.mp4": GOPS,
        "odd.mkv": ("-c:v", "libx264", "-g", "9"),
        "alone.mp4": ("-c:v", "libx264", "-g", "1"),
    }
    path = make_video(tmp_path / name, *gops[name], size="70x38" if name == "odd.mkv" else "96x64", frames=40)
    ours = VideoDecoder(path)
    assert differing(ours, path) == []
    assert ours.why_unpruned is None
    kept = ours._here()._executors
    assert kept is not None
    assert type(kept._alone).__name__ == ("InPlace" if in_place else "Cutting")


@pytest.mark.parametrize("in_place", EXECUTORS)
def test_threads_decode_a_large_request_side_by_side(
    in_place: bool, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_whenever_possible(monkeypatch, in_place=in_place)
    monkeypatch.setattr(opened, "is_large", lambda *_: True)
    shared = Mock(wraps=on_threads)
    monkeypatch.setattr("exactframes.executors.on_threads", shared)
    ours, one = VideoDecoder(video, num_ffmpeg_threads=3), VideoDecoder(video)
    assert differing(ours, video) == differing(one, video) == []
    assert ours.why_unpruned is None
    assert {call.args[3] for call in shared.call_args_list} == {3}
    shared.reset_mock()
    with video.open("rb") as file:  # has one place at a time
        assert is_same(VideoDecoder(file, num_ffmpeg_threads=3).get_all_frames(), one.get_all_frames())
    shared.assert_not_called()


@pytest.mark.usefixtures("pruned")
@pytest.mark.parametrize("order", ["NCHW", "NHWC"])
def test_frames_lie_in_memory_as_torchcodec_s(order: Any, video: Path) -> None:
    ours, theirs = VideoDecoder(video, dimension_order=order), Theirs(video, dimension_order=order)
    asked: list[Ask] = [lambda d: d.get_frames_at([9, 3]).data, lambda d: d[9], lambda d: d[5:9]]
    for ask in asked:
        assert (ask(ours).shape, ask(ours).stride()) == (ask(theirs).shape, ask(theirs).stride())
        assert torch.equal(ask(ours), ask(theirs))


def test_it_offers_what_torchcodec_s_offers(video: Path) -> None:
    ours, theirs = VideoDecoder(video, stream_index=0), Theirs(video, stream_index=0)
    assert {name for name in dir(theirs) if not name.startswith("_")} - set(dir(ours)) == set()
    assert (ours.metadata, ours.stream_index, len(ours)) == (theirs.metadata, 0, len(theirs))
    assert str(ours.cpu_fallback) == str(theirs.cpu_fallback)


def test_samplers_take_it(video: Path) -> None:
    ours: Any = VideoDecoder(video)
    taken = clips_at_regular_indices(ours, num_clips=3, num_frames_per_clip=2)
    expected = clips_at_regular_indices(Theirs(video), num_clips=3, num_frames_per_clip=2)
    assert all(is_same(a, b) for a, b in zip(taken, expected, strict=True))


@pytest.mark.parametrize(
    "arguments",
    [
        {"seek_mode": "fast"},
        {"dimension_order": "HWCN"},
        {"num_ffmpeg_threads": None},
        {"stream_index": 7},
        {"unknown": 1},
        {"custom_frame_mappings": "{}"},
        {"custom_frame_mappings": "{}", "seek_mode": "approximate"},
    ],
)
def test_mistakes_are_told_in_torchcodec_s_words(arguments: dict[str, Any], video: Path) -> None:
    told = answer(None, lambda _: Theirs(video, **arguments))
    assert isinstance(told, str)
    assert answer(None, lambda _: VideoDecoder(video, **arguments)) == told


@pytest.mark.parametrize("source", [5, "missing.mp4", b"no video", io.StringIO("text")])
def test_what_is_no_video_is_told_in_torchcodec_s_words(source: Any) -> None:
    told = answer(source, Theirs)  # type: ignore[no-untyped-call,unused-ignore]
    assert isinstance(told, str)
    assert answer(None, lambda _: VideoDecoder(source)) == told


class Minimal:
    """No more than TorchCodec asks of a file-like object."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        return data

    def seek(self, offset: int, whence: int) -> int:
        place: int = self._file.seek(offset, whence)
        return place


@pytest.fixture(scope="module")
def server(video: Path) -> Iterator[str]:
    """A real one on loopback, with Range."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Ranges.of(video.parent)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/video.mp4"
        server.shutdown()


@pytest.mark.usefixtures("pruned")
@pytest.mark.parametrize(
    "kind", ["str", "path", "bytes", "tensor", "BytesIO", "open file", "file-like", "url"]
)
def test_every_source_that_torchcodec_takes(
    kind: str, video: Path, server: str, request: pytest.FixtureRequest
) -> None:
    data, file = video.read_bytes(), video.open("rb")
    request.addfinalizer(file.close)
    make = {
        "str": lambda: str(video),
        "path": lambda: video,
        "bytes": lambda: data,
        "tensor": lambda: torch.from_numpy(np.frombuffer(data, dtype=np.uint8).copy()),
        "BytesIO": lambda: io.BytesIO(data),
        "open file": lambda: file,
        "file-like": lambda: Minimal(io.BytesIO(data)),
        "url": lambda: server,
    }[kind]
    source: Any = make()  # type: ignore[no-untyped-call]
    ours, theirs = VideoDecoder(source), Theirs(video)
    for indices in ([70, 3, 41], [0, 19, 20], [74]):
        assert is_same(ours.get_frames_at(indices), theirs.get_frames_at(indices))
        assert is_same(ours._here()._ask(lambda d: d.get_frame_at(33), [33], None), theirs.get_frame_at(33))
    assert ours.why_unpruned is None
    assert ours.index is not None
    assert torch.equal(decode_frames(source, [70, 3], workers=2), theirs.get_frames_at([70, 3]).data)
    [(_, frames)] = iter_frames(source, [3, 70], workers=2)
    assert torch.equal(frames, theirs.get_frames_at([3, 70]).data)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"seek_mode": "approximate"}, "packets are left out in seek mode exact only"),
        (
            {"transforms": [CenterCrop((20, 20))]},
            "packets are left out with one Resize, and no other transform",
        ),
        (
            {"transforms": [Resize((20, 20))] * 2},
            "packets are left out with one Resize, and no other transform",
        ),
    ],
)
def test_where_nothing_is_left_out(arguments: dict[str, Any], why: str, video: Path) -> None:
    ours, theirs = VideoDecoder(video, **arguments), Theirs(video, **arguments)
    assert is_same(ours.get_frames_at([40, 3]), theirs.get_frames_at([40, 3]))
    assert (ours.why_unpruned, ours.index) == (why, None)


@pytest.mark.usefixtures("pruned")
def test_mappings_are_torchcodec_s(video: Path) -> None:
    index = VideoDecoder(video).index
    assert index is not None
    ours = VideoDecoder(video, custom_frame_mappings=io.StringIO(index.mapping()))
    assert is_same(ours.get_frames_at([40, 3]), Theirs(video).get_frames_at([40, 3]))
    assert ours.why_unpruned is not None
    assert repickled(ours).get_frame_at(3).pts_seconds == ours.get_frame_at(3).pts_seconds


@pytest.mark.usefixtures("pruned")
def test_frames_are_resized(video: Path) -> None:
    ours = VideoDecoder(video, transforms=[Resize((20, 30))])
    theirs = Theirs(video, transforms=[Resize((20, 30))])
    assert is_same(ours.get_frames_at([40, 3]), theirs.get_frames_at([40, 3]))
    assert ours.why_unpruned is None
