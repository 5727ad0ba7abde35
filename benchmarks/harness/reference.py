"""What every request of a stream must return: digests of frames that were decoded sequentially, once."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from benchmarks.harness.proof import Baseline, take_baseline
from fixtures.request_videos import frame_shown_at
from fixtures.requests import Request, RequestStream
from fixtures.settings import usable_cpus
from fixtures.workload import Workload

PART_BYTES = 300_000_000  # of frames that are decoded at a time


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The frames of all requests of a stream, as digests."""

    stream: RequestStream
    numbers: Sequence[tuple[int, ...]]  # the frames that each request asks for
    videos: Sequence[Baseline | None]  # of each video, with its asked frames in rising order; None: none
    digests: Sequence[Mapping[int, bytes]]  # of each video, by frame
    seconds_a_frame: Sequence[float]  # of each video: what decoding these frames took, one thread a video

    def of(self, number: int) -> Baseline:
        """The frames that one request must return."""
        request, numbers = self.stream.requests[number], self.numbers[number]
        whole, digests = self.videos[request.video], self.digests[request.video]
        assert whole is not None
        return replace(
            whole,
            workload=replace(whole.workload, indices=numbers, part_bytes=None),
            digests=tuple(digests[index] for index in numbers),
        )


def take_reference(stream: RequestStream) -> Reference:
    """Decode each video of a stream sequentially, in exact mode, and keep a digest of each asked frame."""
    numbers = [numbers_of(stream, request) for request in stream.requests]
    asked: list[set[int]] = [set() for _ in stream.videos]
    for request, indices in zip(stream.requests, numbers, strict=True):
        asked[request.video].update(indices)
    with ThreadPoolExecutor(usable_cpus()) as pool:
        jobs = [(stream, video, sorted(indices)) for video, indices in enumerate(asked)]
        taken = list(pool.map(lambda job: _timed(*job), jobs))
    videos = [video for video, _ in taken]
    frames = [max(1, len(indices)) for indices in asked]
    return Reference(
        stream=stream,
        numbers=numbers,
        videos=videos,
        digests=[{} if video is None else _by_frame(video) for video in videos],
        seconds_a_frame=[seconds / count for (_, seconds), count in zip(taken, frames, strict=True)],
    )


def numbers_of(stream: RequestStream, request: Request) -> tuple[int, ...]:
    """The frames that a request asks for. A time stands for the frame that is shown then."""
    video = stream.videos[request.video]
    return request.indices or tuple(frame_shown_at(video, second) for second in request.seconds)


def _timed(stream: RequestStream, video: int, indices: list[int]) -> tuple[Baseline | None, float]:
    began = time.perf_counter()
    return _decoded(stream, video, indices), time.perf_counter() - began


def _decoded(stream: RequestStream, video: int, indices: list[int]) -> Baseline | None:
    if not indices:
        return None
    workload = Workload(
        video=stream.videos[video],
        indices=tuple(indices),
        seek_mode="exact",
        size=stream.size,
        part_bytes=PART_BYTES,
    )
    return take_baseline(workload)


def _by_frame(video: Baseline) -> dict[int, bytes]:
    return dict(zip(video.workload.indices, video.digests, strict=True))
