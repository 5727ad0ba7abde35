"""What a benchmark of requests needs of its session: the stream, its reference, what compares all ways."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.harness.answering import Answering
from benchmarks.harness.contenders import Contender, collect
from benchmarks.harness.estimate import estimate
from benchmarks.harness.measuring import Comparison, Measure, compare
from benchmarks.harness.ordered import Orders
from benchmarks.harness.rate import Rates
from benchmarks.harness.reference import Reference, take_reference
from benchmarks.harness.request_work import LOG, RequestWork, Situation, identify_requests
from benchmarks.ways import WAYS
from fixtures.clip import find_clip
from fixtures.console import Console, notes
from fixtures.derive import EncoderMissingError
from fixtures.errors import InputError
from fixtures.request_log import read_log
from fixtures.request_videos import Place
from fixtures.requests import STREAMS, RequestStream, make_stream
from fixtures.settings import EMBEDDED, LOOPED_BY_DEFAULT, Settings
from fixtures.video_set import video_cache
from fixtures.workload import exit_on_bad_input


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all ways of a situation together, after everything else.

    pytest has brought together what has an equal parameter of the session: that may be the way.
    """
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[int, ...]:
    if not isinstance(item, pytest.Function) or "situation" not in item.fixturenames:
        return (0,)
    situation, way = item.callspec.params["situation"], item.callspec.params["way"]
    assert isinstance(situation, Situation)
    return (1, *situation.place, list(WAYS).index(way) if way in WAYS else -1)


@pytest.fixture(scope="session")
def situation(request: pytest.FixtureRequest) -> Situation:
    """The stream and the load."""
    found = request.param
    assert isinstance(found, Situation)
    return found


class Streams:
    """The streams of a session, each made and decoded sequentially once."""

    def __init__(self, config: pytest.Config, settings: Settings, folder: Path, console: Console) -> None:
        """Make none yet."""
        self._config, self._settings, self._folder, self._console = config, settings, folder, console
        self._made: dict[str, Reference] = {}

    def reference(self, name: str) -> Reference:
        """What all requests of a stream must return.

        Raises:
            EncoderMissingError: if this FFmpeg cannot make its videos.
            InputError: if a log is wrong, or FFmpeg fails.
        """
        if name not in self._made:
            self._console.live(f"requests             making the videos of {name}")
            stream = self._stream(name)
            self._console.line(header(stream))
            self._console.live(f"reference            decoding {name} sequentially to take the digests")
            self._made[name] = take_reference(stream)
        return self._made[name]

    def _stream(self, name: str) -> RequestStream:
        settings = self._settings
        if name == LOG:
            assert settings.requests is not None
            whole = read_log(settings.requests, settings.size)
            return replace(whole, requests=whole.requests[: settings.requests_a_pass])
        cache = video_cache(self._config)
        folder = self._folder / name
        folder.mkdir(exist_ok=True)  # asked for twice, where an encoder is missing
        place = Place(
            clip=find_clip(EMBEDDED, lambda: cache, self._console.line),
            folder=folder,
            cache=cache,
            say=self._console.line,
            loops=settings.loops or LOOPED_BY_DEFAULT[EMBEDDED],
        )
        return make_stream(name, place, settings.requests_a_pass)


def header(stream: RequestStream) -> str:
    """One line that tells what is asked."""
    purpose = STREAMS[stream.name].purpose if stream.name in STREAMS else "your own log"
    requests, frames, videos = (
        f"{number} {what}{'s' * (number > 1)}"
        for number, what in (
            (len(stream.requests), "request"), (stream.frames, "frame"), (len(stream.videos), "video"),
        )
    )  # fmt: skip
    return f"{stream.name + ':':<12}{requests} for {frames} of {videos}: {purpose}"


@pytest.fixture(scope="session")
def streams(
    pytestconfig: pytest.Config,
    settings: Settings,
    console: Console,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Streams]:
    """The streams of this session; their videos are removed in the end."""
    folder = tmp_path_factory.mktemp("requests")
    yield Streams(pytestconfig, settings, folder, console)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def rates(settings: Settings, console: Console) -> Rates:
    """How many requests a second the best of TorchCodec's ways answers, by stream."""
    return Rates(settings.arrivals, console)


@pytest.fixture(scope="session")
def announced(request: pytest.FixtureRequest, streams: Streams, settings: Settings, console: Console) -> None:
    """An estimate, before anything is measured; of a side of A against B the rounds are not known."""
    if settings.lockstep is None:
        with exit_on_bad_input():
            found = estimate(request.session.items, streams.reference, settings.rounds)
        console.line(f"{'requests:':<12}{found.told(settings.rounds)}")


@pytest.fixture(scope="session")
def request_work(
    situation: Situation,
    announced: None,  # noqa: ARG001  it comes first
    streams: Streams,
    rates: Rates,
    settings: Settings,
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> RequestWork:
    """What all ways share."""
    with exit_on_bad_input():
        try:
            reference = streams.reference(situation.stream)
        except EncoderMissingError as reason:
            notes(pytestconfig).append(f"{situation.stream} was not measured: {reason}")
            pytest.skip(f"{situation.stream}: {reason}")
        if situation.load == "open" and settings.lockstep is not None and settings.arrivals is None:
            raise InputError("A against B under an open load: give --arrivals, that both are asked as often")
    rate = rates.of(reference) if situation.load == "open" else None
    return RequestWork(
        name=str(situation),
        baselines=(),
        identity=identify_requests(reference.stream, situation, rate),
        settings=settings,
        cluster=None,
        folder=tmp_path_factory.mktemp("work"),
        situation=situation,
        reference=reference,
        rate=rate,
    )


@pytest.fixture(scope="session")
def comparison_of_requests(
    request: pytest.FixtureRequest, request_work: RequestWork, orders: Orders | None, console: Console
) -> Iterator[Comparison]:
    """All ways that this run compares on this stream under this load; closed before the next load begins."""
    contenders = collect(request.session.items, "comparison_of_requests", request_work)
    yield compare(request_work, contenders, orders, console)
    for contender in contenders.values():
        if isinstance(contender, Contender) and isinstance(contender.subject, Answering):
            contender.subject.close()


@pytest.fixture
def measure_requests(
    pytestconfig: pytest.Config, benchmark: BenchmarkFixture, comparison_of_requests: Comparison
) -> Measure:
    """Proves, costs and times a way."""
    return Measure(config=pytestconfig, benchmark=benchmark, comparison=comparison_of_requests)
