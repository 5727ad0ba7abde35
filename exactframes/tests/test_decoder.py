"""VideoDecoder: what each call gives, what it takes, and what it keeps, against TorchCodec's own."""

import io
import multiprocessing
import os
import pickle
import shutil
import threading
from collections.abc import Iterator, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torchcodec import decoders
from torchcodec.samplers import clips_at_regular_indices
from torchcodec.transforms import CenterCrop, Resize

from exactframes import (
    Index,
    StaleIndexError,
    VideoDecoder,
    cutting,
    decode_frames,
    in_place,
    iter_frames,
    opened,
)
from exactframes.choice import Reckoner
from exactframes.errors import DeclinedError, WrongFrameError
from exactframes.media import open_container
from exactframes.tests.asking import Ask, answer, is_same, prune_whenever_possible, requests
from exactframes.workers import on_threads
from fixtures.testing.corpus import make_video
from fixtures.testing.range_server import Ranges

Theirs: Any = decoders.VideoDecoder
GOPS = ("-c:v", "libx264", "-g", "20", "-bf", "2")
EXECUTORS = [
    False,
    pytest.param(True, marks=pytest.mark.skipif(not in_place.HAS_STAGES, reason="since 0.17")),
]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("decoder") / "video.mp4", *GOPS)


@pytest.fixture
def pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    prune_whenever_possible(monkeypatch)


def repickled(decoder: VideoDecoder) -> VideoDecoder:
    taken: VideoDecoder = pickle.loads(pickle.dumps(decoder))  # noqa: S301
    return taken


def differing(ours: Any, video: Any) -> list[int]:
    """Which requests are not answered as a fresh decoder of TorchCodec answers them."""
    asked = requests(Theirs(video))
    return [n for n, ask in enumerate(asked) if not is_same(answer(ours, ask), answer(Theirs(video), ask))]


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
        assert is_same(ours._here()._ask(lambda d: d.get_frame_at(33), None), theirs.get_frame_at(33))
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


# --- The index, and when it is read ---


def test_the_index_is_read_when_torchcodec_has_worked_for_as_long(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "READ_AFTER", 1e-9)
    ours = VideoDecoder(video)
    assert ours._here().index is None
    ours.get_frame_played_at(0.1)
    assert ours._here().index is None
    ours.get_frame_played_at(0.2)
    assert len(ours._here().index or ()) == 75


@pytest.mark.parametrize(("asked", "is_read"), [(range(0, 75, 12), True), ([40], False)])
def test_the_index_is_read_before_a_request_that_would_take_as_long(
    asked: Sequence[int], is_read: bool, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened, "READ_AFTER", 1.5e-5)
    ours = VideoDecoder(video)
    assert is_same(ours.get_frames_at(list(asked)), Theirs(video).get_frames_at(list(asked)))
    assert (ours._opened is not None and ours._opened.index is not None) == is_read


def test_an_index_takes_few_bytes_a_packet(video: Path) -> None:
    index = VideoDecoder(video).index
    assert index is not None
    stored = [value for value in vars(index).values() if isinstance(value, np.ndarray)]
    assert sum(array.nbytes for array in stored) / len(index) < 36  # and order


def save(video: Path, target: Path) -> Path:
    index = VideoDecoder(video).index
    assert index is not None
    index.save(target)
    return target


@pytest.mark.usefixtures("pruned")
def test_a_saved_index_is_given_again(video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = save(video, tmp_path / "video.index")
    assert [path.name for path in tmp_path.iterdir()] == ["video.index"]
    monkeypatch.setattr(opened, "read_index", Mock(side_effect=AssertionError("the file is read")))
    for index in (saved, str(saved), Index.load(saved)):
        ours = VideoDecoder(video, index=index)
        assert ours.metadata == Theirs(video).metadata
        assert differing(ours, video) == []


def test_nothing_is_estimated_for_a_frame_that_starts_a_gop(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that is opened with its index has given its first frame before it adds up the packets."""
    estimated = Mock(side_effect=AssertionError("the packets are added up"))
    monkeypatch.setattr(opened, "Reckoner", estimated)
    ours, theirs = VideoDecoder(video, index=save(video, tmp_path / "video.index")), Theirs(video)
    for frame in (0, 20, 60, -15):
        assert is_same(ours.get_frame_at(frame), theirs.get_frame_at(frame))
    for frames in ([19], [21], [74], [0, 20]):
        with pytest.raises(AssertionError, match="added up"):
            ours.get_frames_at(frames)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "size",
            r"the index is not of this video: it has [\d,]+ bytes now and had [\d,]+; make the index again",
        ),
        ("time", "it was written at another time"),
        ("content", "its content is another"),
    ],
)
def test_a_stale_index_is_refused(change: str, told: str, video: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(video, tmp_path / "copy.mp4"))
    saved, status = save(copy, tmp_path / "copy.index"), copy.stat()
    data = bytearray(copy.read_bytes())
    if change == "content":
        data[-1] ^= 1
    copy.write_bytes(bytes(data) + b"\0" * (change == "size"))
    if change == "content":
        os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(StaleIndexError, match=told):
        VideoDecoder(copy, index=saved)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no index of exactframes, or of another version: save it again"),
        (b"junk", "is no index of exactframes, or of another version: save it again"),
        (b"exactframes index 0\n", "is no index of exactframes, or of another version: save it again"),
        (b"exactframes index 3\n\0\0\0\2{}", "is damaged: save it again"),
        (-1, "is damaged: save it again"),
        (40, "is damaged: save it again"),
    ],
)
def test_what_is_no_index_is_refused(content: bytes | int, told: str, video: Path, tmp_path: Path) -> None:
    path = tmp_path / "video.index"
    saved = save(video, path).read_bytes()
    path.write_bytes(content if isinstance(content, bytes) else saved[:content])
    with pytest.raises(StaleIndexError, match=f"video.index {told}"):
        VideoDecoder(video, index=path)
    with pytest.raises(FileNotFoundError):
        VideoDecoder(video, index=tmp_path / "none")


def test_a_file_that_was_replaced_is_not_indexed(video: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(video, tmp_path / "copy.mp4"))
    ours = VideoDecoder(copy)
    before = ours.get_frame_at(40)
    other = make_video(tmp_path / "other.mp4", "-c:v", "libx264", "-g", "7")
    other.replace(copy)
    assert ours.index is None
    assert ours.why_unpruned == "the file has changed since it was opened"
    assert is_same(ours.get_frame_at(40), before)


def test_packets_that_are_no_longer_there_are_torchcodec_s_matter(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_whenever_possible(monkeypatch)
    failing = Mock(side_effect=WrongFrameError("a planned frame was not decoded"))
    for kind in ("InPlace", "Cutting"):
        monkeypatch.setattr(opened, kind, Mock(return_value=Mock(write=failing)))
    ours = VideoDecoder(video)
    assert is_same(ours.get_frames_at([40, 3]), Theirs(video).get_frames_at([40, 3]))
    assert ours.why_unpruned == "a planned frame was not decoded"
    failing.assert_called_once()


@pytest.mark.parametrize("in_place", EXECUTORS)
def test_an_index_of_other_frames_gives_none_of_them(
    in_place: bool, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packets that are not where the index says are found by their times."""
    prune_whenever_possible(monkeypatch, in_place=in_place)
    ours = VideoDecoder(video)
    index = ours.index
    assert index is not None
    index.pts[30:] += 512
    for name in ("times", "ends"):
        index.__dict__.pop(name, None)
    assert is_same(ours.get_frame_at(45), Theirs(video).get_frame_at(45))
    assert ours.why_unpruned is not None


# --- Other processes and threads ---


@pytest.mark.usefixtures("pruned")
def test_a_pickled_decoder_takes_the_index_along(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickle.dumps(VideoDecoder(video))
    made = Mock(wraps=Theirs)
    monkeypatch.setattr(opened, "Theirs", made)
    monkeypatch.setattr(opened, "read_index", Mock(side_effect=AssertionError("the file is read")))
    taken = pickle.loads(data)  # noqa: S301
    made.assert_not_called()
    assert is_same(taken.get_frames_at([40, 3]), Theirs(video).get_frames_at([40, 3]))
    assert [call.kwargs["seek_mode"] for call in made.call_args_list] == ["approximate"]


def stands_in(path: Path) -> bool:
    """Whether TorchCodec's decoder is one of approximate mode; what it gives is right in any case."""
    taken, theirs = repickled(VideoDecoder(path)), Theirs(path)
    assert taken.metadata == theirs.metadata
    for index in (7, 33, 74, 19, 20):
        assert is_same(taken.get_frame_at(index), theirs.get_frame_at(index))
    return taken._here()._is_regular


@pytest.mark.parametrize(
    ("options", "is_found"),
    [((), True), (("-bf", "0", "-movflags", "frag_keyframe+empty_moov"), False)],
    ids=["by time", "fragmented"],
)
def test_approximate_mode_stands_in_only_where_it_finds_the_same_frames(
    options: tuple[str, ...], is_found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reckoner, "saves", lambda *_: False)
    path = make_video(tmp_path / "video.mp4", *GOPS, *options)
    assert stands_in(path) == is_found


@pytest.mark.usefixtures("pruned")
def test_a_header_is_read_once_for_an_index(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = VideoDecoder(video).index
    before = VideoDecoder(video, index=index)
    opening = Mock(wraps=Theirs)
    monkeypatch.setattr(opened, "Theirs", opening)
    again = VideoDecoder(video, index=index)
    assert is_same(again.get_frames_at([7, 33]), before.get_frames_at([7, 33]))
    assert (again.metadata, again.stream_index) == (before.metadata, before.stream_index)
    assert not opening.called
    assert differing(again, video) == []


@pytest.mark.parametrize(
    ("name", "options", "decoding"),
    [
        ("video.mp4", GOPS, [True, False, False]),
        ("video.mkv", GOPS, [True, False, False]),
        (
            "rejected.mp4",
            ("-c:v", "mpeg4", "-g", "20", "-bf", "2"),
            [True, False, True, True],
        ),  # by the muxer
        ("video.ts", (*GOPS, "-bf", "0"), [True, True, True]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_video_is_opened_again_without_decoding_if_its_header_says_enough(
    name: str, options: tuple[str, ...], decoding: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_whenever_possible(monkeypatch, in_place=False)
    path = make_video(tmp_path / name, *options)
    index, opening = VideoDecoder(path).index, Mock(wraps=open_container)
    monkeypatch.setattr(cutting, "open_container", opening)
    for _ in range(3):
        ours = VideoDecoder(path, index=index)
        assert is_same(ours.get_frames_at([33, 7, 48]), Theirs(path).get_frames_at([33, 7, 48]))
        assert ours.why_unpruned is None
    assert [call.kwargs["decodes"] for call in opening.call_args_list] == decoding


def test_excerpts_by_the_header_alone_are_compared_with_the_file(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_whenever_possible(monkeypatch, in_place=False)
    index, comparing = VideoDecoder(video).index, Mock(side_effect=[None, DeclinedError("another shape")])
    monkeypatch.setattr(cutting, "require_same", comparing)
    for _ in range(3):
        ours = VideoDecoder(video, index=index)
        assert is_same(ours.get_frames_at([33, 7]), Theirs(video).get_frames_at([33, 7]))
        assert ours.why_unpruned is None
    assert comparing.call_count == 2


@pytest.mark.parametrize("saves", [False, True])
def test_other_arguments_with_the_same_index(
    saves: bool, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_whenever_possible(monkeypatch)
    monkeypatch.setattr(Reckoner, "saves", lambda *_: saves)
    index, resizes = VideoDecoder(video).index, [Resize((20, 30))]
    resized: dict[str, Any] = {"transforms": resizes}
    for number, arguments in enumerate([{}, {}, {"dimension_order": "NHWC"}, resized, resized]):
        ours, theirs = VideoDecoder(video, index=index, **arguments), Theirs(video, **arguments)
        assert is_same(ours.get_frames_at([33, 7]), theirs.get_frames_at([33, 7])), number
    resizes[0] = Resize((40, 60))
    assert VideoDecoder(video, index=index, transforms=resizes).get_frame_at(7).data.shape == (3, 40, 60)
    with pytest.raises(ValueError, match="dimension order"):
        VideoDecoder(video, index=index, dimension_order="CHWN")  # type: ignore[arg-type]


@pytest.mark.parametrize("saves", [False, True])
def test_a_file_that_is_replaced_before_the_first_request(
    saves: bool, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Reckoner, "saves", lambda *_: saves)
    copy = Path(shutil.copy(video, tmp_path / "copy.mp4"))
    index = VideoDecoder(copy).index
    ours = [VideoDecoder(copy, index=index) for _ in range(2)][1]
    make_video(tmp_path / "other.mp4", "-c:v", "libx264", "-g", "7").replace(copy)
    assert is_same(ours.get_frame_at(3), Theirs(copy).get_frame_at(3))
    assert ours.why_unpruned == "the file has changed since it was opened"


def test_a_stale_index_is_not_taken_along(video: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(video, tmp_path / "copy.mp4"))
    taken = repickled(VideoDecoder(copy))
    make_video(tmp_path / "other.mp4", "-c:v", "libx264", "-g", "7").replace(copy)
    with pytest.raises(StaleIndexError, match="the index is not of this video"):
        taken.get_frame_at(3)


def test_a_file_like_object_is_not_pickled(video: Path) -> None:
    with pytest.raises(TypeError, match="cannot be pickled: make it from a path, a URL or bytes"):
        pickle.dumps(VideoDecoder(io.BytesIO(video.read_bytes())))


def in_a_child(ask: Any) -> Any:
    """What a forked child finds; this process goes on."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def work() -> None:
        torch.set_num_threads(1)  # as a DataLoader's worker does: torch's own threads do not survive a fork
        theirs.send(answer(None, lambda _: ask()))

    child = context.Process(target=work, daemon=True)
    child.start()
    assert ours.poll(30)
    found = ours.recv()
    child.join(30)
    assert child.exitcode == 0
    return found


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_child_opens_the_video_again(
    threads: int, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_whenever_possible(monkeypatch)
    ours, theirs = VideoDecoder(video, num_ffmpeg_threads=threads), Theirs(video)
    indices = [60, 3, 41]
    ours.get_frames_at(indices)
    expected = theirs.get_frames_at(indices)
    assert in_a_child(lambda: is_same(ours.get_frames_at(indices), expected)) is True
    assert is_same(ours.get_frames_at(indices), expected)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_does_not_share_a_file_like_object(video: Path) -> None:
    with video.open("rb") as file:
        ours = VideoDecoder(file)
        told = in_a_child(lambda: ours.get_frame_at(3))
    assert told.startswith("RuntimeError: a decoder of a file-like object was made before a fork")
    assert told.endswith("make a decoder in each of them")


@pytest.mark.usefixtures("pruned")
def test_threads_take_turns_on_one_decoder(video: Path) -> None:
    ours, expected = VideoDecoder(video), Theirs(video).get_all_frames()
    wrong: list[int] = []

    def work(seed: int) -> None:
        for step in range(20):
            index = (seed * 31 + step * 17) % 75
            if not torch.equal(ours.get_frame_at(index).data, expected.data[index]):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
