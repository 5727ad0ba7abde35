import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.testing.suite_runner import ROOT
from results import keep
from results.saved import keeping
from results.tests.made_runs import made_run, write_run

BRANCH = "history"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PAUSE", 0.0)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A bare repository that has another branch, with a file of its own."""
    bare, work = tmp_path / "bare.git", tmp_path / "work"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(work))
    (work / "README").write_text("code")
    git(work, "add", "README")
    git(work, *keeping.AUTHOR, "commit", "--quiet", "--message", "code")
    git(work, "push", "--quiet", str(bare), "main")
    return bare


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def run_file(folder: Path, number: int, seconds: float = 1.0, **fields: object) -> str:
    return write_run(folder / f"{number:04}_run.json", made_run({"sequential": seconds}, number, **fields))


def kept_in(remote: Path) -> list[str]:
    """The moments of the kept runs, in order."""
    names = git(remote, "ls-tree", "-r", "--name-only", BRANCH).split()
    contents = [json.loads(git(remote, "show", f"{BRANCH}:{name}")) for name in names]
    return sorted(content["datetime"][-5:] for content in contents)


def keep_runs(remote: Path, *arguments: str) -> int:
    return keep.main([*arguments, "--branch", BRANCH, "--remote", str(remote)])


def in_a_process(remote: Path, folder: Path, code: str, *arguments: str) -> "subprocess.Popen[bytes]":
    imports = "import os, signal, sys; from results import keep; from results.saved import keeping"
    line = f"{imports}; keeping.PAUSE = 0.05; {code}"
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", line, *arguments, "--branch", BRANCH, "--remote", str(remote)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stderr=subprocess.DEVNULL,
    )


def test_a_branch_without_ancestors_is_begun_and_other_branches_stay(remote: Path, tmp_path: Path) -> None:
    main = git(remote, "rev-parse", "main")
    assert keep_runs(remote, run_file(tmp_path, 1), run_file(tmp_path, 2)) == 0
    assert kept_in(remote) == ["00:01", "00:02"]
    assert git(remote, "rev-list", "--count", BRANCH).strip() == "1"
    assert git(remote, "rev-parse", "main") == main


def test_runs_are_appended(remote: Path, tmp_path: Path) -> None:
    keep_runs(remote, run_file(tmp_path, 1))
    before = git(remote, "rev-parse", BRANCH).strip()
    assert keep_runs(remote, run_file(tmp_path, 2)) == 0
    assert kept_in(remote) == ["00:01", "00:02"]
    assert git(remote, "rev-parse", f"{BRANCH}^").strip() == before


def test_the_same_run_is_kept_once_under_whatever_name(remote: Path, tmp_path: Path) -> None:
    run = Path(run_file(tmp_path, 1))
    again = run.with_name("0009_again.json")
    again.write_bytes(run.read_bytes())
    keep_runs(remote, str(run))
    assert keep_runs(remote, str(run), str(again)) == 0
    assert kept_in(remote) == ["00:01"]


def test_whoever_is_overtaken_pushes_again(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others, commit = [run_file(tmp_path, number) for number in (2, 3)], keeping.commit

    def overtaken(clone: Path, added: list[str]) -> None:
        commit(clone, added)
        if others:
            with monkeypatch.context() as other:
                other.setattr(keeping, "commit", commit)
                keep_runs(remote, others.pop())

    monkeypatch.setattr(keeping, "commit", overtaken)
    assert keep_runs(remote, run_file(tmp_path, 1)) == 0
    assert kept_in(remote) == ["00:01", "00:02", "00:03"]


def test_two_writers_at_once_lose_nothing(remote: Path, tmp_path: Path) -> None:
    files = [run_file(tmp_path, number) for number in range(8)]
    code = "sys.exit(max(keep.main([f, *sys.argv[5:]]) for f in sys.argv[1:5]))"
    writers = [
        in_a_process(remote, tmp_path / f"writer{n}", code, *files[4 * n : 4 * n + 4]) for n in range(2)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert kept_in(remote) == [f"00:0{number}" for number in range(8)]
    assert git(remote, "rev-list", "--count", "--merges", BRANCH).strip() == "0"


@pytest.mark.parametrize(
    ("killed", "kept_before"),
    [
        ("keeping.push = lambda *_: os.kill(os.getpid(), signal.SIGKILL)", []),
        (
            "push = keeping.push; keeping.push = lambda *a: (push(*a), os.kill(os.getpid(), signal.SIGKILL))",
            ["00:01"],
        ),
    ],
    ids=["before the push", "after the push"],
)
def test_after_a_kill_the_same_command_keeps_each_run_once(
    remote: Path, tmp_path: Path, killed: str, kept_before: list[str]
) -> None:
    run = run_file(tmp_path, 1)
    process = in_a_process(remote, tmp_path / "killed", f"{killed}; keep.main(sys.argv[1:])", run)
    assert process.wait(60) == -signal.SIGKILL
    assert (kept_in(remote) if git(remote, "branch", "--list", BRANCH) else []) == kept_before
    assert keep_runs(remote, run) == 0
    assert kept_in(remote) == ["00:01"]


def test_a_damaged_file_is_named_and_the_others_are_kept(
    remote: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "0002_damaged.json"
    damaged.write_text('{"benchmarks": [')
    assert keep_runs(remote, run_file(tmp_path, 1), str(damaged)) == 1
    assert "0002_damaged.json is left out" in capsys.readouterr().err
    assert kept_in(remote) == ["00:01"]


def test_damaged_files_alone_begin_no_branch(
    remote: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.json").write_text("{}")
    assert keep_runs(remote, str(tmp_path / "empty.json")) == 2
    assert "error: none of the files is a run of this suite" in capsys.readouterr().err
    assert git(remote, "branch", "--list", BRANCH) == ""


def test_a_remote_that_is_not_there_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert keep_runs(tmp_path / "nowhere.git", run_file(tmp_path, 1)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: git ls-remote failed: fatal:")


def test_it_gives_up_where_every_push_is_rejected(
    remote: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "TRIES", 2)
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert keep_runs(remote, run_file(tmp_path, 1)) == 2
    assert "was rejected 2 times ([remote rejected] (pre-receive hook declined))" in capsys.readouterr().err


def test_earlier_runs_that_are_comparable_are_copied_for_the_verdict(remote: Path, tmp_path: Path) -> None:
    earlier = [run_file(tmp_path, 1), run_file(tmp_path, 2, machine__cpu_model="B"), run_file(tmp_path, 3)]
    keep_runs(remote, *earlier)
    keep_runs(remote, run_file(tmp_path, 4), "--comparable", str(tmp_path / "made" / "comparable"))
    copied = sorted((tmp_path / "made" / "comparable").iterdir())
    assert [json.loads(path.read_text())["datetime"][-5:] for path in copied] == ["00:01", "00:03"]


@pytest.mark.parametrize("status", [0, 1])
def test_the_page_is_made_of_all_that_is_kept(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    python, page = tmp_path / "python", tmp_path / "new" / "page.html"
    python.write_text(f'#!/bin/sh\n(echo "$1 $2 $4"; ls "$3") > "$5"\nexit {status}\n')
    python.chmod(0o755)
    keep_runs(remote, run_file(tmp_path, 1))
    monkeypatch.setattr(sys, "executable", str(python))
    assert keep_runs(remote, run_file(tmp_path, 2), "--page", str(page)) == status
    called, *shown = page.read_text().splitlines()
    assert called == "-m results.page --output"
    assert len(shown) == 2
