"""Random requests for exactframes/tests/fuzz.py: what the library and TorchCodec give for one."""

import contextlib
import random
import warnings
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor
from torchcodec.decoders import VideoDecoder

import exactframes
from exactframes import FallbackWarning, decode_frames, iter_frames
from exactframes.choice import Reckoner
from exactframes.source import SeekMode
from exactframes.tests.asking import repickled

KEPT_SCRIPT = """import exactframes, pickle
from exactframes.choice import Reckoner
Reckoner.saves = Reckoner.may_save = lambda *_: True
kept = pickle.loads(pickle.dumps(exactframes.VideoDecoder({!r})))"""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to the library."""

    indices: list[int]
    seek_mode: SeekMode
    workers: int
    batch_frames: int = 0  # of iter_frames; 0 is decode_frames, or a VideoDecoder
    is_kept: bool = False  # whether it is a VideoDecoder, which leaves packets out wherever they may be

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
        """What a decoder with an index from another process gives; its times must be TorchCodec's, too."""
        with patch.multiple(Reckoner, saves=lambda *_: True, may_save=lambda _: True):
            decoder = repickled(exactframes.VideoDecoder(video))
            batch = decoder.get_frames_at(self.indices)
        if decoder.why_unpruned is not None:
            warnings.warn(FallbackWarning(decoder.why_unpruned), stacklevel=2)
        with contextlib.suppress(RuntimeError, IndexError):  # the frames are judged below
            theirs = VideoDecoder(video).get_frames_at(self.indices)
            for times in ("pts_seconds", "duration_seconds"):
                if not torch.equal(getattr(batch, times), getattr(theirs, times)):
                    raise AssertionError(f"{times} differ")
        frames: Tensor = batch.data
        return frames

    def theirs(self, video: Path) -> Tensor:
        """What TorchCodec gives."""
        decoder = VideoDecoder(video, seek_mode=self.seek_mode, num_ffmpeg_threads=1)
        return decoder.get_frames_at(self.indices).data

    def script(self, video: Path) -> str:
        """A program that makes the call, and tells of each row whether it is right."""
        mode = f"seek_mode={self.seek_mode!r}"
        arguments = f"{video.name!r}, indices, {mode}, workers={self.workers}"
        ours = f"decode_frames({arguments})"
        if self.batch_frames:
            batches = f"iter_frames({arguments}, batch_frames={self.batch_frames})"
            ours = f"torch.cat([frames for _, frames in {batches}])"
        if self.is_kept:
            ours = "kept.get_frames_at(indices).data"
        return "\n".join(
            [
                "import torch",
                "from exactframes import decode_frames, iter_frames",
                "from torchcodec.decoders import VideoDecoder",
                *([KEPT_SCRIPT.format(video.name)] if self.is_kept else []),
                f"indices = {_short(self.indices)}",
                f"theirs = VideoDecoder({video.name!r}, {mode}).get_frames_at(indices).data",
                f"ours = {ours}",
                "print((ours == theirs).flatten(1).all(1).tolist())",
            ]
        )


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
    return Call(
        indices=indices,
        seek_mode="exact" if kind == "keep" else pick.choice(["exact", "approximate"]),
        workers=workers,
        batch_frames=pick.randint(1, 40) if kind == "iterate" else 0,
        is_kept=kind == "keep",
    )
