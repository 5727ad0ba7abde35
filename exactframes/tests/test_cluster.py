"""decode_frames on a Dask cluster: TorchCodec's frames, or an open refusal; faults apart."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import pytest
import torch
from distributed import Client, LocalCluster
from distributed.client import FutureCancelledError
from torchcodec.decoders import VideoDecoder
from torchcodec.transforms import Resize

from exactframes import DeclinedError, FallbackWarning, decode_frames
from exactframes.cluster.connecting import TCP_SECONDS, connect
from exactframes.cluster.fitness import require_same, workers_of
from exactframes.cluster.link import LOST, Link, told_if_lost
from exactframes.cluster.remote import Answer
from exactframes.cluster.traffic import traffic_of
from exactframes.cluster.window import MOST_TRIES
from exactframes.errors import ClusterError, RefusedError
from exactframes.fidelity import parameters
from exactframes.versions import versions
from fixtures.testing.corpus import make_video

INDICES = [60, 3, 3, 74, 0, 60, 41]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "video.mp4", "-c:v", "libx264", "-g", "10")


@pytest.mark.parametrize("indices", [[], [37], INDICES, range(75)], ids=["none", "one", "unsorted", "all"])
@pytest.mark.parametrize("size", [None, (40, 50)])
def test_frames_are_torchcodec_s(
    indices: list[int], size: tuple[int, int] | None, client: Client, video: Path
) -> None:
    decoder = VideoDecoder(video, transforms=[] if size is None else [Resize(size)])
    theirs = decoder.get_frames_at(list(indices)).data if indices else torch.empty(0, 3, *(size or (64, 96)))
    out = torch.zeros(theirs.shape, dtype=torch.uint8)
    ours = decode_frames(video, indices, client=client, size=size, out=out, verify=2)
    assert ours is out
    assert torch.equal(out, theirs.to(torch.uint8))
    assert torch.equal(decode_frames(video, indices, client=client, size=size), out)


def test_the_traffic_is_counted_and_nothing_is_left(client: Client, video: Path) -> None:
    before = traffic_of(client).as_dict()
    decode_frames(video, range(75), client=client)
    total = traffic_of(client).as_dict()
    moved = {name: total[name] - before[name] for name in ("frames", "bytes_received", "tasks_again")}
    assert moved == {"frames": 75, "bytes_received": 75 * 64 * 96 * 3, "tasks_again": 0}
    assert 0 < total["bytes_sent"] - before["bytes_sent"] < 2 * video.stat().st_size
    assert total["is_direct"]
    assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0


def test_what_is_declined_is_decoded_here(client: Client, tmp_path: Path) -> None:
    video = make_video(tmp_path / "video.avi", "-c:v", "huffyuv")
    with pytest.warns(FallbackWarning, match="pruning has not been tried with the codec huffyuv"):
        ours = decode_frames(video, [20, 30], client=client)
    assert torch.equal(ours, VideoDecoder(video).get_frames_at([20, 30]).data)


def test_what_a_worker_declines_is_decoded_here(
    client: Client, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An excerpt that does not keep what it must: found where it is decoded, told here."""
    monkeypatch.setattr("exactframes.excerpt.parameters", lambda stream: {**parameters(stream), "width": 1})
    with pytest.warns(FallbackWarning, match="an excerpt does not keep the video's width"):
        ours = decode_frames(video, INDICES, client=client)
    assert torch.equal(ours, VideoDecoder(video).get_frames_at(INDICES).data)


@pytest.mark.parametrize("times", [1, 3])
def test_what_a_worker_does_not_hand_over_is_decoded_again(
    times: int, client: Client, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []

    def late(link: Link, future: Any, seconds: float) -> Answer | None:
        fetched.append(future)
        return None if len(fetched) <= times else sound(link, future, seconds)

    sound = Link._wait_for
    monkeypatch.setattr(Link, "_wait_for", late)
    before = traffic_of(client).tasks_again
    if times < MOST_TRIES:
        ours = decode_frames(video, [60, 61], client=client)
        assert torch.equal(ours, VideoDecoder(video).get_frames_at([60, 61]).data)
        assert traffic_of(client).tasks_again == before + times
    else:
        with pytest.raises(ClusterError, match="3 times a worker did not hand over what it had decoded"):
            decode_frames(video, [60, 61], client=client)


@pytest.mark.parametrize("also", [{"workers": 2}, {"processes": True}])
def test_a_cluster_says_itself_how_many_work(also: dict[str, int], client: Client, video: Path) -> None:
    with pytest.raises(ValueError, match="client: leave out workers and processes"):
        decode_frames(video, INDICES, client=client, **also)  # type: ignore[arg-type]


def test_a_cluster_whose_last_worker_is_just_replaced(
    client: Client, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([workers_of(client), {}])
    monkeypatch.setattr("exactframes.cluster.connecting.workers_of", lambda _: next(answers))
    ours = decode_frames(video, INDICES, client=client)
    assert torch.equal(ours, VideoDecoder(video).get_frames_at(INDICES).data)


def test_dask_s_options_are_as_before_when_the_last_call_has_ended(client: Client) -> None:
    def limit() -> object:
        return dask.config.get("distributed.comm.timeouts.tcp")

    before, first, second = limit(), connect(client), connect(client)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert limit() == TCP_SECONDS != before
    second.__exit__(None, None, None)
    assert limit() == before


@pytest.mark.parametrize(
    ("reason", "told"),
    [("scheduler-restart", "were cancelled .scheduler-restart.: run again"), (LOST, "does not answer: look")],
)
def test_why_tasks_were_cancelled_is_told(reason: str, told: str) -> None:
    with pytest.raises(ClusterError, match=told), told_if_lost("tcp://host:8786"):
        raise FutureCancelledError("key", reason)


def test_something_else_than_a_client_is_refused(client: Client, video: Path) -> None:
    with pytest.raises(ValueError, match=r"client: give a distributed\.Client, not str"):
        decode_frames(video, INDICES, client="tcp://host:8786")  # type: ignore[arg-type]

    async def in_its_loop() -> None:
        async with Client(
            client.scheduler_info()["address"], asynchronous=True, set_as_default=False
        ) as other:
            decode_frames(video, INDICES, client=other)

    with pytest.raises(ValueError, match="client: give one that is not asynchronous"):
        asyncio.run(in_its_loop())


def test_a_closed_client_is_refused(client: Client, video: Path) -> None:
    closed = Client(client.scheduler_info()["address"], set_as_default=False)
    closed.close()
    with pytest.raises(ClusterError, match="the client is closed: give one that is connected"):
        decode_frames(video, INDICES, client=closed)


def test_a_worker_that_joins_with_other_versions_is_refused() -> None:
    require_same(versions())
    with pytest.raises(RefusedError, match=r"(?s)differ in their versions.*\nhere .*\n.* 0\.11\.1 "):
        require_same(versions()._replace(torchcodec="0.11.1"))


def test_errors_are_of_the_library() -> None:
    assert not issubclass(ClusterError, DeclinedError)  # it must not end in a quiet decoding here
