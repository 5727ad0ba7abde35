from dataclasses import replace

import pytest

from results.schema import Record, read
from results.told.scaling_model import WORKERS, Model, fit, predict


def row(workers: int, seconds: float, cpu: float, threads: int = 1) -> Record:
    cost = {"cpu_seconds": cpu, "peak_bytes": 1}
    info = {"strategy": "threads", "frames": 9, "workers": workers, "ffmpeg_threads": threads, "cost": cost}
    return read({"extra_info": info, "stats": {"median": seconds}})


def test_perfect_scaling_goes_on() -> None:
    rows = [row(1, 8.0, 8.0), row(2, 4.0, 8.0), row(3, 3.0, 9.0)]
    assert fit(rows) == Model(serial=0.0, core=8.0, start=0.0)
    assert predict(rows) == {4: 2.0, 8: 1.0, 16: 0.5, 32: 0.25, 64: 0.125}


def test_half_serial_never_gets_twice_as_fast() -> None:
    rows = [row(1, 8.0, 8.0), row(2, 6.0, 8.0)]
    assert fit(rows) == Model(serial=4.0, core=4.0, start=0.0)
    assert predict(rows)[4] == 5.0
    assert 4.0 < predict(rows)[64] < 4.1


def test_what_each_worker_pays_for_itself_is_told_by_cpu_time() -> None:
    rows = [row(1, 8.0, 8.0), row(2, 5.0, 9.0)]  # of 8 s: 1 serial, 1 start, 6 shared
    assert fit(rows) == Model(serial=1.0, core=6.0, start=1.0)
    assert predict(rows)[64] == 2 + 6 / 64


def test_no_less_wall_time_than_cpu_time_allows() -> None:
    rows = [row(1, 8.0, 8.0), row(2, 4.0, 9.0)]
    assert fit(rows) == Model(serial=0.0, core=7.0, start=1.0)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row(1, 8.0, 8.0)],
        [row(2, 8.0, 8.0)],
        [row(1, 8.0, 8.0), row(3, 3.0, 8.0)],
        [row(1, 8.0, 8.0), row(2, 3.0, 8.0, threads=2)],
        [row(1, 8.0, 8.0), replace(row(2, 4.0, 8.0), times=None)],
        [row(1, 8.0, 8.0), replace(row(2, 4.0, 8.0), cost=None)],
    ],
    ids=["none", "no 2", "no 1", "3", "more FFmpeg threads", "not timed", "not costed"],
)
def test_nothing_is_predicted_without_1_and_2_workers(rows: list[Record]) -> None:
    assert fit(rows) is None
    assert predict(rows) == {}


def test_what_fell_back_tells_nothing_of_more_workers() -> None:
    rows = [row(1, 8.0, 8.0), row(2, 4.0, 8.0)]
    rows[1] = replace(rows[1], fallback="a reason")
    assert predict(rows) == {}


@pytest.mark.parametrize("two", [0.1, 3.9, 4.0, 7.9, 8.0, 8.5, 20.0])
@pytest.mark.parametrize("cpu", [0.0, 4.0, 8.0, 9.0, 40.0])
def test_noise_gives_no_nonsense(two: float, cpu: float) -> None:
    model = fit([row(1, 8.0, 8.0), row(2, two, cpu)])
    assert model is not None
    assert min(model.serial, model.core, model.start) >= 0
    assert model.seconds(1) == pytest.approx(8.0)
    times = [model.seconds(workers) for workers in (1, 2, *WORKERS)]
    assert times == sorted(times, reverse=True)
    assert model.serial <= times[-1]
    if two >= 8.0:
        assert times[-1] == pytest.approx(8.0)


def test_only_more_workers_than_were_measured() -> None:
    rows = [row(n, 8.0 / n, 8.0) for n in (1, 2, 4, 8, 9)] + [row(4, 1.0, 8.0, threads=4)]
    assert list(predict(rows)) == [16, 32, 64]
    assert predict([*rows, row(64, 1.0, 8.0)]) == {}
