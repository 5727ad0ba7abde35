"""Everything that can be asked of a decoder, and whether two answers are the same; for tests."""

import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torchcodec import decoders

from exactframes import VideoDecoder, in_place, opened
from exactframes.choice import Reckoner

Ask = Callable[[Any], Any]
Theirs: Any = decoders.VideoDecoder
GOPS = ("-c:v", "libx264", "-g", "20", "-bf", "2")
EXECUTORS = [
    False,
    pytest.param(True, marks=pytest.mark.skipif(not in_place.HAS_STAGES, reason="since 0.17")),
]


def prune_whenever_possible(monkeypatch: pytest.MonkeyPatch, *, in_place: bool = True) -> None:
    """Read the index at once, and leave packets out also where that costs more."""
    monkeypatch.setattr(opened, "READ_AFTER", -1)
    monkeypatch.setattr(Reckoner, "saves", lambda *_: True)
    monkeypatch.setattr(Reckoner, "may_save", lambda _: True)
    if not in_place:
        monkeypatch.setattr(opened, "HAS_STAGES", False)


def requests(decoder: Any) -> list[Ask]:
    """Requests of all kinds that a decoder of this video takes."""
    frames, rng = len(decoder), random.Random(len(decoder))  # noqa: S311
    begin, end = decoder.metadata.begin_stream_seconds, decoder.metadata.end_stream_seconds
    times = [begin + rng.random() * (end - begin) for _ in range(8)]
    exact = [decoder.get_frame_at(index).pts_seconds for index in rng.sample(range(frames), 4)]
    singles = [0, 1, frames - 1, -1, *(rng.randrange(frames) for _ in range(4))]
    return [
        lambda d: d.get_frames_at(list(range(0, frames, 7))),
        lambda d: d.get_frames_at([3, frames - 1, 5, 5, 0, -1]),
        lambda d: d.get_frames_at(torch.tensor([4, 2])),
        lambda d: d.get_frames_in_range(2, frames, 11),
        lambda d: d.get_frames_in_range(frames // 3, frames // 2),
        *[lambda d, index=index: d.get_frame_at(index) for index in singles],
        lambda d: d[5],
        lambda d: d[-3:],
        lambda d: d[1:frames:9],
        lambda d: torch.stack(list(d)[:12]),
        *[lambda d, time=time: d.get_frame_played_at(time) for time in (*times, *exact)],
        *[lambda d, time=time: d.get_frame_played_at(max(begin, time - 1e-6)) for time in exact],
        lambda d: d.get_frame_played_at(torch.tensor(times[0])),
        lambda d: d.get_frames_played_at(times),
        lambda d: d.get_frames_played_at(torch.tensor(exact)),
        lambda d: d.get_frames_played_in_range(times[0], min(end, times[0] + 0.5)),
        lambda d: d.get_frames_played_in_range(begin, end, fps=7.3),
        lambda d: d.get_frames_played_in_range(begin, begin),
        lambda d: d.get_all_frames(),
        *mistakes(frames, begin, end),
    ]


def mistakes(frames: int, begin: float, end: float) -> list[Ask]:
    """Requests that TorchCodec refuses."""
    return [
        lambda d: d[::-1],
        lambda d: d[frames],
        lambda d: d["first"],
        lambda d: d.get_frame_at(frames),
        lambda d: d.get_frame_at(1.5),
        lambda d: d.get_frames_at([]),
        lambda d: d.get_frames_at([0, frames + 4]),
        lambda d: d.get_frames_at([0, -frames - 1]),
        lambda d: d.get_frames_at([0.5]),
        lambda d: d.get_frames_at({1, 2}),
        lambda d: d.get_frames_at(iter([1, 2])),
        lambda d: d.get_frames_in_range(0, 3, -1),
        lambda d: d.get_frame_played_at(end + 1),
        lambda d: d.get_frames_played_at([begin - 1.0]),
        lambda d: d.get_frames_played_in_range(end, begin),
        lambda d: d.get_frames_played_in_range(begin, end, fps=-1),
        lambda d: d.missing,
    ]


def answer(decoder: Any, ask: Ask) -> Any:
    """What a decoder gives, or the words with which it refuses."""
    try:
        return ask(decoder)
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"


def is_same(ours: Any, theirs: Any) -> bool:
    """Whether two answers are alike, bit for bit, times included."""
    if isinstance(ours, str) or isinstance(theirs, str):
        return bool(ours == theirs)
    if isinstance(theirs, Tensor):
        return torch.equal(ours, theirs)
    return (
        type(ours) is type(theirs)
        and torch.equal(ours.data, theirs.data)
        and torch.equal(torch.as_tensor(ours.pts_seconds), torch.as_tensor(theirs.pts_seconds))
        and torch.equal(torch.as_tensor(ours.duration_seconds), torch.as_tensor(theirs.duration_seconds))
    )


def repickled(decoder: VideoDecoder) -> VideoDecoder:
    """The decoder as another process would get it."""
    taken: VideoDecoder = pickle.loads(pickle.dumps(decoder))  # noqa: S301
    return taken


def differing(ours: Any, video: Any) -> list[int]:
    """Which requests are not answered as a fresh decoder of TorchCodec answers them."""
    asked = requests(Theirs(video))
    return [n for n, ask in enumerate(asked) if not is_same(answer(ours, ask), answer(Theirs(video), ask))]
