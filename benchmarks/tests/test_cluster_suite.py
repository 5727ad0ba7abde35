"""The suite with --cluster as its users run it: real clusters, and what is told when one is lost."""

import functools
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from fixtures.testing.corpus import make_video
from fixtures.testing.dask_processes import Processes, dask_processes, wait_for_line
from fixtures.testing.suite_runner import ROOT, interruptible, run_suite, saved, suite_command

SPEED = "benchmarks/test_speed.py"
NAMESPACES = os.geteuid() == 0 and all(map(shutil.which, ("ip", "tc", "unshare", "setpriv")))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("private") / "holiday.mp4", "-c:v", "libx264", "-g", "10")


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with dask_processes(tmp_path) as started:
        yield started


def started_run(*arguments: str | Path) -> "subprocess.Popen[str]":
    with interruptible():
        return subprocess.Popen(
            suite_command(SPEED, *arguments),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.mark.long
def test_strategies_on_a_local_cluster(video: Path, tmp_path: Path) -> None:
    with socket.socket() as other:
        with suppress(OSError):  # there may be one already
            other.bind(("127.0.0.1", 8787))  # as another Dask on this machine does
            other.listen()
        done = run_suite(
            SPEED, "--video", video, "--rounds=2", "--interleave", "--workers=2", "--cluster=2",
            "-k", "sequential or pruned-processes or cluster", "--benchmark-autosave",
            f"--benchmark-storage={tmp_path}",
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^cluster: +2 Dask workers on this machine$", done.stdout, re.MULTILINE)
    for name in ("cluster-processes", "cluster-pruned"):
        assert re.search(rf"^{name} .* exact$", done.stdout, re.MULTILINE), done.stdout
    (run,) = saved(tmp_path)
    infos = {b["extra_info"]["strategy"]: b["extra_info"] for b in run["benchmarks"]}
    assert infos["sequential"]["machine"].items() >= {"cluster_workers": 2, "cluster_is_local": True}.items()
    for name in ("cluster-processes", "cluster-pruned"):
        info = infos[name]
        assert info["workers"] == 2
        moved = info["cluster"]
        assert moved["tasks_again"] == 0
        assert moved["frames"] == pytest.approx(info["frames"])
        assert moved["bytes_received"] == pytest.approx(info["frames"] * 64 * 96 * 3)
    assert not re.search(r"127\.0\.0\.1|tcp://", json.dumps(run))
    told = subprocess.run(
        [sys.executable, "-m", "results.cluster_model", *tmp_path.glob("*/*.json")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "cluster-pruned, 2 workers on this machine" in told


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--cluster=0",), "--cluster 0: give a whole number of 1 or more"),
        (
            ("--cluster=host",),
            "--cluster host: give a number of workers, or a scheduler's address, as tcp://",
        ),
        (("--cluster=tls://host:8786",), "--cluster tls://host:8786 and --cluster-security FILE go together"),
        (("--cluster=tls://h:1", "--cluster-security=none.pem"), "--cluster-security none.pem: no such file"),
    ],
)
def test_a_wrong_option_is_told_at_once(arguments: tuple[str, ...], told: str) -> None:
    done = run_suite(SPEED, *arguments)
    assert done.returncode == 4
    assert told in done.stdout + done.stderr


def test_without_distributed_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "no_distributed.py").write_text("import sys\nsys.modules['distributed'] = None\n")
    done = run_suite(SPEED, "--cluster=2", "-p", "no_distributed", PYTHONPATH=str(tmp_path))
    assert done.returncode == 4
    assert "distributed is not installed: pip install 'exactframes[cluster]'" in done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "tcp://192.0.2.1:8786"], ids=["none", "unreachable"]
)
def test_no_scheduler_at_the_address(address: str, video: Path) -> None:
    began = time.monotonic()
    done = run_suite(SPEED, "--video", video, f"--cluster={address}", "-k", "sequential or cluster")
    assert time.monotonic() - began < 15
    assert done.returncode == 4
    assert f"--cluster {address}: no scheduler answers there within 5 s" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("lost", ["workers", "scheduler"])
@pytest.mark.parametrize("interleave", [True, False], ids=["interleaved", "in order"])
def test_a_lost_cluster_ends_the_run_and_nothing_is_saved(
    lost: str, interleave: bool, processes: Processes, tmp_path: Path
) -> None:
    processes.start_scheduler()
    for _ in range(2):
        processes.start_worker()
    in_turns = ["--interleave"] if interleave else []
    beside = "sequential or " if interleave else ""  # which must not go on alone
    run = started_run(
        "--loops=5", f"--cluster={processes.address}", "--rounds=200", *in_turns, "--benchmark-autosave",
        f"--benchmark-storage={tmp_path / 'storage'}", "-k", f"test_decode and ({beside}cluster-pruned)",
    )  # fmt: skip
    assert run.stdout is not None
    wait_for_line(run.stdout, "round 2 of 200")
    assert processes.scheduler is not None
    began = time.monotonic()
    if lost == "workers":
        processes.kill_workers()
    else:
        processes.scheduler.kill()
    rest, _ = run.communicate()
    assert run.returncode == 1, rest
    assert time.monotonic() - began < {"workers": 60, "scheduler": 15}[lost]
    told = {"workers": "(none is left at tcp://|has no workers: start)", "scheduler": "does not answer: look"}
    assert re.search(told[lost], rest), rest
    assert "Traceback" not in rest
    assert not saved(tmp_path / "storage")


@pytest.mark.long
def test_an_interrupt_leaves_no_worker_of_ours() -> None:
    run = started_run("--loops=5", "--cluster=2", "--rounds=200", "-k", "test_decode and cluster-pruned")
    assert run.stdout is not None
    wait_for_line(run.stdout, "round 2 of 200")
    children = psutil.Process(run.pid).children(recursive=True)
    assert sum("spawn_main" in " ".join(child.cmdline()) for child in children) >= 2
    run.send_signal(signal.SIGINT)
    rest, _ = run.communicate()
    assert run.returncode == 2, rest
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


@pytest.mark.long
def test_a_worker_with_another_torchcodec_is_refused(
    processes: Processes, video: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.py").write_text(
        "import importlib.metadata as m\n"
        "m.version = lambda distribution_name, sound=m.version: "
        "'0.11.1' if distribution_name == 'torchcodec' else sound(distribution_name)\n"
    )
    processes.start_scheduler()
    processes.start_worker("--preload", str(tmp_path / "other.py"))
    done = run_suite(SPEED, "--video", video, f"--cluster={processes.address}", "-k", "cluster")
    assert done.returncode == 4
    told = done.stdout + done.stderr
    assert "workers differ in their versions; frames might differ" in told
    assert re.search(rf"^tcp://\S+ +{re.escape(version('exactframes'))} .* 0\.11\.1 ", told, re.MULTILINE)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_a_cluster_behind_tls(processes: Processes, video: Path, tmp_path: Path) -> None:
    """One certificate for all, signed by itself."""
    key, certificate, pem = (str(tmp_path / name) for name in ("key.pem", "certificate.pem", "me.pem"))
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=frames -keyout"
    subprocess.run([*make.split(), key, "-out", certificate], check=True, capture_output=True)
    Path(pem).write_text(Path(certificate).read_text() + Path(key).read_text())
    tls = ("--protocol", "tls", "--tls-ca-file", pem, "--tls-cert", pem, "--tls-key", pem)
    processes.start_scheduler(*tls)
    processes.start_worker(*tls)
    assert processes.address.startswith("tls://")
    done = run_suite(
        SPEED, "--video", video, f"--cluster={processes.address}", f"--cluster-security={pem}", "--rounds=1",
        "-k", "test_decode and (sequential or cluster)",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^cluster-pruned .* exact$", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.long
def test_a_set_of_videos_by_path_and_by_url(video: Path, tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    make_video(tmp_path / "served" / "b.mp4", "-c:v", "libx264", frames=50)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = run_suite(
            SPEED, "--video", video, "--video", f"http://127.0.0.1:{server.server_port}/b.mp4", "--rounds=1",
            "--cluster=1", "--workers=1", "-k", "test_across", "-o", f"cache_dir={tmp_path / 'cache'}",
        )  # fmt: skip
        server.shutdown()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "frames are reduced to digests on the workers" in done.stdout
    assert re.search(r"^cluster-across +\d", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.long
@pytest.mark.skipif(not NAMESPACES, reason="needs root, ip, tc, unshare and setpriv")
def test_workers_in_another_network_that_do_not_see_the_file(tmp_path: Path) -> None:
    """A link of 1 Gbit/s where the kernel can, and another mount namespace."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    video = make_video(hidden / "video.mp4", "-c:v", "libx264", "-g", "10")
    suite = " ".join(
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                SPEED,
                "--video",
                str(video),
                "--rounds=1",
                "--cluster=$CLUSTER",
            ),
            *("-k", "'test_decode and (sequential or cluster)'", f"--basetemp={hidden}/base"),
        ]
    )
    done = subprocess.run(
        [".ci/cluster-in-a-namespace", hidden, "sh", "-c", suite],
        cwd=ROOT,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^cluster-pruned .* exact$", done.stdout, re.MULTILINE), done.stdout
    assert (
        "cluster-processes was not measured: 2 workers do not see a video; it needs a file system that all "
        "machines share; cluster-pruned needs none"
    ) in done.stdout
