"""A VideoDecoder that is pickled, forked, or used by several threads."""

import io
import multiprocessing
import pickle
import shutil
import threading
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from exactframes import StaleIndexError, VideoDecoder, opened
from exactframes.tests.asking import Theirs, answer, is_same, prune_whenever_possible, repickled
from fixtures.testing.corpus import make_video


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
