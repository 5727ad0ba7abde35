"""Lockstep: the order of the turns, sides that fail, hang, are wrong or too old; nothing is left running."""

import select
import time
from pathlib import Path

import pytest

from benchmarks.against import lockstep
from benchmarks.against.lockstep import take_pair
from benchmarks.against.sides import SideError, this_side
from benchmarks.against.tests.fake_side import NAMES, fake_side, processes_of
from results.saved.pairs import pairs_in, read_pairs, seconds_of


def order(folder: Path) -> list[str]:
    return (folder / "order").read_text().splitlines()


@pytest.mark.parametrize("names", [NAMES, NAMES[:2]], ids=["odd", "even"])
def test_sides_take_turns_and_begin_as_often(names: tuple[str, ...], tmp_path: Path) -> None:
    sides = fake_side(tmp_path, "A", names=names), fake_side(tmp_path, "B", names=names)
    pair = take_pair(sides, tmp_path / "kept", 4, [])
    taken = order(tmp_path)
    assert [line.split()[1] for line in taken] == [name for name in names for _ in "AB"] * 4
    for name in names:
        letters = [line[0] for line in taken if line.endswith(f" {name}")]
        assert letters in (list("ABBAABBA"), list("BAABBAAB"))
    assert pairs_in(tmp_path / "kept") == [pair]
    assert seconds_of(pair) > 0
    assert sorted(path.name for path in pair.iterdir()) == ["A.json", "A.log", "B.json", "B.log", "pair.json"]
    assert not processes_of(tmp_path)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("die B 5", r"B \(torchcodec==B\) failed: ERROR: TorchCodec has crashed \(all of it: "),
        ("hang A 5", r"A \(torchcodec==A\) hangs: a round of \S+ did not end in 2 s"),
        ("wrong B 5", r"B \(torchcodec==B\) failed: threads, in its last round,: sample 3 differs"),
        ("old A", r"A \(torchcodec==A\) failed: its revision is older than lockstep"),
    ],
)
def test_a_side_that_fails_is_named_and_none_is_left(
    fault: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / fault).touch()
    monkeypatch.setattr(lockstep, "LEAST_PATIENCE", 1.5)
    monkeypatch.setattr(lockstep, "PATIENCE", 1.5)  # times the other side's second
    with pytest.raises(SideError, match=told):
        take_pair((fake_side(tmp_path, "A"), fake_side(tmp_path, "B")), tmp_path / "kept", 4, [])
    assert pairs_in(tmp_path / "kept") == []
    assert not processes_of(tmp_path)


def test_sides_that_measure_other_things_are_refused(tmp_path: Path) -> None:
    sides = fake_side(tmp_path, "A"), fake_side(tmp_path, "B", names=NAMES[:2])
    with pytest.raises(SideError, match=r"only A has \['pruned-threads'\], only B nothing"):
        take_pair(sides, tmp_path / "kept", 2, [])
    assert not processes_of(tmp_path)


def test_what_an_interrupted_pair_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "kept" / "part-1").mkdir(parents=True)
    take_pair((fake_side(tmp_path, "A"), fake_side(tmp_path, "B")), tmp_path / "kept", 2, [])
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["pair-001"]


TWO = "test_decode and (pruned-processes or threads) and not (ffmpeg or pruned-thr or stages)"
SMALL = ["--loops=1", "-k", TWO]


@pytest.mark.long
def test_the_suite_itself_takes_turns(tmp_path: Path) -> None:
    """Two real sides, the second with planted work: proven, in step, saved with as many rounds each."""
    pair = take_pair((this_side("A"), this_side("B", "threads:50")), tmp_path, 2, SMALL)
    ((a, b),) = read_pairs(tmp_path)
    assert list(a.benchmarks) == list(b.benchmarks) == ["threads", "pruned-processes"]
    for run in (a, b):
        assert all(len(sample.rounds) == 2 and sample.is_proven for sample in run.benchmarks.values())
        assert all(sample.cpu_seconds for sample in run.benchmarks.values())
    assert "3 of 2" not in (pair / "A.log").read_text()
    assert not processes_of(tmp_path)


@pytest.mark.parametrize("killed", ["controller", "side"])
@pytest.mark.long
def test_a_real_side_leaves_nothing_behind(killed: str, tmp_path: Path) -> None:
    """Neither a worker process nor joblib's files in shared memory, however it ends."""
    player = lockstep.Player(this_side("A"), tmp_path, [*SMALL])
    select.select([player], [], [], 60)
    assert player.ready()
    if killed == "side":
        player._process.kill()
        player.stop()
    else:
        player._channel.close()
        assert player._process.wait(20) != 0
    deadline = time.monotonic() + 10
    while _left_of(player) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _left_of(player) == []


def _left_of(player: lockstep.Player) -> list[str]:
    shared, pid = Path("/dev/shm"), str(player._process.pid)  # noqa: S108  looked at only
    files = [path.name for path in shared.glob("*") if pid in path.name] if shared.is_dir() else []
    return files + ["a process"] * player._group_lives()
