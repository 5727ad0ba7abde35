"""Random requests for exactframes/tests/fuzz.py: what the library and TorchCodec give for one."""

import contextlib
import random
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torchcodec import FrameBatch
from torchcodec.decoders import VideoDecoder

import exactframes
from exactframes import FallbackWarning, decode_frames, iter_frames
from exactframes.choice import Reckoner
from exactframes.source import SeekMode
from exactframes.tests.asking import repickled

KEPT_SCRIPT = """import exactframes, pickle
from exactframes.choice import Reckoner
from exactframes.tests.fuzz_calls import ask_for_one
Reckoner.saves = Reckoner.may_save = lambda *_: {prunes}
kept = exactframes.VideoDecoder({name!r})
kept = pickle.loads(pickle.dumps(kept)) if {prunes} else kept"""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to the library."""

    indices: list[int]
    seek_mode: SeekMode
    workers: int
    batch_frames: int = 0  # of iter_frames; 0 is decode_frames, or a VideoDecoder
    is_kept: bool = False  # whether it is a VideoDecoder
    prunes: bool = True  # whether that leaves packets out wherever they may be, or nowhere
    before: tuple[float, ...] = ()  # what it was asked before: frames, and times as shares of the whole

    def ours(self, video: Path) -> Tensor:
        """What the library gives: uint8 [N, C, H, W]."""
        if self.is_kept:
            return self._of_a_decoder(video)
        if not self.batch_frames:
            return decode_frames(video, self.indices, workers=self.workers, seek_mode=self.seek_mode)
        options = {"batch_frames": self.batch_frames, "workers": self.workers}
        batches = list(iter_frames(video, self.indices, seek_mode=self.seek_mode, **options))
        if [row for rows, _ in batches for row in rows] != list(range(len(self.indices))):
            raise AssertionError(f"batches are {[rows for rows, _ in batches]}")
        return torch.cat([frames for _, frames in batches])

    def _of_a_decoder(self, video: Path) -> Tensor:
        """What a decoder gives; one that prunes has another process's index. Its times must be right, too."""
        with patch.multiple(Reckoner, saves=lambda *_: self.prunes, may_save=lambda _: self.prunes):
            decoder = exactframes.VideoDecoder(video)
            if self.prunes:
                decoder = repickled(decoder)
            for earlier in self.before:
                ask_for_one(decoder, earlier)
            try:
                batch = decoder.get_frames_at(self.indices)
            finally:
                reason = decoder.why_unpruned if decoder.index is None else None  # read now, if not before
                if reason is not None:
                    warnings.warn(FallbackWarning(reason), stacklevel=2)
        if not self._is_timed(batch, video, [()] if reason is None else self.histories):
            raise AssertionError("the times differ")
        frames: Tensor = batch.data
        return frames

    @property
    def histories(self) -> list[tuple[float, ...]]:
        """What a decoder of TorchCodec was asked before that gives the same where nothing is left out.

        A fresh one, one that is kept as long, or one that was also led to frame 0 (exactframes/kept.py).
        """
        return [(), self.before, (*self.before, 0)] if self.before else [()]

    def _is_timed(self, batch: FrameBatch, video: Path, histories: Sequence[Sequence[float]]) -> bool:
        """Whether the times are those of a decoder of TorchCodec, or all of these refuse."""
        answers = []
        for before in histories:
            with contextlib.suppress(RuntimeError, IndexError):  # the frames are judged elsewhere
                answers.append(self.asked(video, before))
        times = ("pts_seconds", "duration_seconds")
        same = [all(torch.equal(getattr(batch, t), getattr(answer, t)) for t in times) for answer in answers]
        return any(same) or not same

    def asked(self, video: Path, before: Sequence[float] = ()) -> FrameBatch:
        """The frames and their times that TorchCodec gives after these requests."""
        decoder = VideoDecoder(video, seek_mode=self.seek_mode, num_ffmpeg_threads=1)
        for earlier in before:
            ask_for_one(decoder, earlier)
        return decoder.get_frames_at(self.indices)

    def theirs(self, video: Path, before: Sequence[float] = ()) -> Tensor:
        """The frames that TorchCodec gives after these requests."""
        frames: Tensor = self.asked(video, before).data
        return frames

    def script(self, video: Path) -> str:
        """A program that makes the call, and tells of each row whether it is right."""
        mode = f"seek_mode={self.seek_mode!r}"
        arguments = f"{video.name!r}, indices, {mode}, workers={self.workers}"
        ours = f"decode_frames({arguments})"
        if self.batch_frames:
            batches = f"iter_frames({arguments}, batch_frames={self.batch_frames})"
            ours = f"torch.cat([frames for _, frames in {batches}])"
        if self.is_kept:
            asked = f"[ask_for_one(kept, one) for one in {list(self.before)}]"
            ours = f"({asked}, kept.get_frames_at(indices).data)[1]"
        return "\n".join(
            [
                "import torch",
                "from exactframes import decode_frames, iter_frames",
                "from torchcodec.decoders import VideoDecoder",
                *([KEPT_SCRIPT.format(name=video.name, prunes=self.prunes)] if self.is_kept else []),
                f"indices = {_short(self.indices)}",
                f"theirs = VideoDecoder({video.name!r}, {mode}).get_frames_at(indices).data",
                f"ours = {ours}",
                "print((ours == theirs).flatten(1).all(1).tolist())",
            ]
        )


def ask_for_one(decoder: VideoDecoder | exactframes.VideoDecoder, what: float) -> None:
    """Ask for a frame by its number, or by time where that is a share of the whole; it may be refused."""
    with contextlib.suppress(RuntimeError, IndexError):
        if isinstance(what, int):
            decoder.get_frame_at(what)
        else:
            metadata: Any = decoder.metadata
            begin, end = metadata.begin_stream_seconds, metadata.end_stream_seconds
            decoder.get_frame_played_at(begin + what * (end - begin))


def _short(indices: list[int]) -> str:
    step = indices[1] - indices[0] if len(indices) > 2 else 0
    regular = range(indices[0], indices[-1] + 1, step) if step > 0 else range(0)
    return f"list({regular})" if indices == list(regular) else str(indices)


def draw_call(pick: random.Random, frames: int) -> Call:
    """A request for a video with so many frames."""
    step, first, length = pick.randint(1, 30), pick.randrange(frames), pick.randint(1, 25)
    indices = pick.choice(
        [
            list(range(0, frames, step)),
            list(range(first, frames, step)),
            [pick.randrange(frames) for _ in range(length)],
            sorted(pick.sample(range(frames), min(frames, length))),
            list(range(first, min(frames, first + length))),
            [first],
            [0, frames - 1],
            list(range(int(frames * 0.8), frames)),
            list(range(frames)),
            [first, frames - 1 + pick.randrange(2)],  # the last one may be one too many
        ]
    )
    kind, workers = pick.choice(["decode", "decode", "iterate", "keep"]), pick.randint(1, 3)
    drawn = [pick.choice([pick.randrange(frames), pick.random()]) for _ in range(4)]
    before = pick.choice([[], drawn, [max(0, min(indices) - 1), pick.random()]])
    return Call(
        indices=indices,
        seek_mode="exact" if kind == "keep" else pick.choice(["exact", "approximate"]),
        workers=workers,
        batch_frames=pick.randint(1, 40) if kind == "iterate" else 0,
        is_kept=kind == "keep",
        prunes=pick.random() < 0.7,
        before=tuple(before) if kind == "keep" else (),
    )
