"""Histories survive whatever happens to the run that is being saved."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from fixtures.testing.suite_runner import ROOT
from results.saved.saving import publish, stage, write_atomically

# What a run does at its end, again and again: pytest-benchmark's own writer between our two steps.
SAVE_FOREVER = """
import sys
from pathlib import Path
from pytest_benchmark.storage.file import FileStorage
from results.saved.saving import publish, stage

class Quiet:
    def info(self, *_, **__): pass
    warning = info

storage = Path(sys.argv[1])
content = {"benchmarks": [{"stats": {"data": list(range(20000))}}]}
print("ready", flush=True)
while True:
    staged = stage(storage)
    FileStorage(staged, Quiet(), "Linux").save(content, "run")
    publish(staged, storage)
"""


def test_a_run_killed_at_any_moment_harms_no_history(tmp_path: Path) -> None:
    chance = random.Random(3)
    storage = tmp_path / "storage"
    before: dict[str, bytes] = {}
    for _ in range(20):
        command = [sys.executable, "-c", SAVE_FOREVER, str(storage)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0, 0.15))
            process.kill()
        now = {path.name: path.read_bytes() for path in storage.glob("[!.]*/*.json")}
        assert all(now[name] == content for name, content in before.items())
        for content in now.values():
            assert len(json.loads(content)["benchmarks"][0]["stats"]["data"]) == 20000
        before = now
    assert len(before) >= 5
    assert sorted(int(name[:4]) for name in before) == list(range(1, len(before) + 1))
    publish(stage(storage), storage)
    assert not list(storage.glob(".saving-*"))  # what the killed ones left is gone


def test_a_number_that_is_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    staged = stage(tmp_path)
    (staged / "Linux").mkdir()
    (staged / "Linux" / "0001_mine.json").write_text("mine")
    (tmp_path / "Linux").mkdir()
    (tmp_path / "Linux" / "0001_theirs.json").write_text("theirs")
    assert publish(staged, tmp_path) == [tmp_path / "Linux" / "0002_mine.json"]
    assert (tmp_path / "Linux" / "0001_theirs.json").read_text() == "theirs"


def test_the_staging_folder_shows_what_is_saved(tmp_path: Path) -> None:
    (tmp_path / "Linux").mkdir()
    (tmp_path / "Linux" / "0001_old.json").write_text("{}")
    staged = stage(tmp_path)
    assert [path.read_text() for path in staged.glob("Linux/*.json")] == ["{}"]
    assert publish(staged, tmp_path) == []
    assert not staged.exists()


def test_a_folder_of_a_running_process_is_left_alone(tmp_path: Path) -> None:
    first = stage(tmp_path)
    second = stage(tmp_path)
    assert first.exists()
    assert str(os.getpid()) in second.name


def test_writing_is_all_or_nothing(tmp_path: Path) -> None:
    target = tmp_path / "file.json"
    write_atomically(target, "one")
    write_atomically(target, "two")
    assert target.read_text() == "two"
    assert list(tmp_path.iterdir()) == [target]
