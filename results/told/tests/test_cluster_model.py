"""The model of a cluster, against arithmetic done by hand, and as a command."""

import json
import re
from pathlib import Path

import pytest

from fixtures.testing.suite_runner import ROOT
from results.cluster_model import main
from results.tests.made_runs import made_run
from results.told.cluster_model import ClusterModel

MOVED = {
    "workers": 2, "threads": 2, "is_local": True, "is_direct": True, "frames": 1438.0, "tasks": 40.0,
    "tasks_again": 0, "bytes_sent": 50e6, "bytes_received": 1e9, "cut_seconds": 0.3, "copy_seconds": 0.4,
    "transfer_seconds": 1.0, "transfer_cpu_seconds": 0.5, "worker_cpu_seconds": 8.0,
    "longest_task_seconds": 0.5,
}  # fmt: skip
MODEL = ClusterModel(
    tasks=40, bytes_sent=50e6, bytes_received=1e9, cut=0.3, receive_cpu=0.5, copy=0.4, worker_cpu=8.0
)


@pytest.mark.parametrize(
    ("workers", "gbits", "seconds", "bottleneck"),
    [
        (2, 10, 4.0 + (0.3 + 0.8 + 0.4) / 40, "workers"),
        (2, 1, 0.3 + 8.0 + 0.4 + 0.2, "network"),
        (64, 10, 0.3 + 0.8 + 0.4 + 0.2, "network"),
        (64, 40, 0.3 + 0.5 + 0.4 + 0.2, "client"),
    ],
)
def test_a_pass_takes_what_its_bottleneck_takes(
    workers: int, gbits: int, seconds: float, bottleneck: str
) -> None:
    assert MODEL.seconds(workers, gbits) == pytest.approx(seconds)
    assert MODEL.bottleneck(workers, gbits) == bottleneck


def test_the_command_prints_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = made_run({"sequential": 9.0, "threads": 5.0, "cluster-pruned": 4.2})
    run["benchmarks"][-1]["extra_info"]["cluster"] = MOVED
    (tmp_path / "run.json").write_text(json.dumps(run))
    assert main([str(tmp_path / "run.json")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "cluster-pruned, 2 workers on this machine: 4.20 s measured, 40 tasks a pass"
    assert told[4].split() == ["workers", "1", "Gbit/s", "10", "Gbit/s", "40", "Gbit/s"]
    assert told[5].split() == ["2", "8.90", "s", "network", "4.04", "s", "workers", "4.03", "s", "workers"]
    assert [line.split()[0] for line in told[6:11]] == ["4", "8", "16", "32", "64"]
    assert told[-1] == "without a cluster, in the same run: threads 5.00 s"


def test_the_documented_table_is_its_file_s(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "cluster.md").read_text()
    (file,) = re.findall(r"^`python -m results.cluster_model (\S+)`:$", page, re.MULTILINE)
    assert main([str(ROOT / file)]) == 0
    assert f"```text\n{capsys.readouterr().out}```\n" in page


@pytest.mark.parametrize(
    ("text", "told"),
    [("{}", "is no.* a history"), ("[" * 100_000, "is no.* a history"), (None, "has no cluster-pruned")],
    ids=["empty", "deep", "no cluster"],
)
def test_other_files_are_refused(
    text: str | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_text(text or json.dumps(made_run({"sequential": 9.0})))
    with pytest.raises(SystemExit):
        main([str(tmp_path / "run.json")])
    assert told.replace("is no.* a", "is not a") in " ".join(capsys.readouterr().err.split())
