"""The library as a user's project gets it: installed from a copy of this repository into an own folder."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.testing.suite_runner import ROOT

PROGRAM = """
import sys
for name in ("benchmarks", "fixtures", "results", "pytest", "pytest_benchmark", "psutil", "httpx"):
    sys.modules[name] = None  # an import of it fails
import torch, exactframes
from exactframes import decode_frames, iter_frames
from torchcodec.decoders import VideoDecoder
expected = VideoDecoder(sys.argv[1]).get_frames_at([60, 3, 12]).data
assert torch.equal(decode_frames(sys.argv[1], [60, 3, 12], workers=2), expected)
for rows, frames in iter_frames(sys.argv[1], [60, 3, 12], batch_frames=2):
    assert torch.equal(frames, expected[rows.start : rows.stop])
print(exactframes.__file__)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed this repository, without what it depends on."""
    checkout, target = tmp_path_factory.mktemp("checkout") / "it", tmp_path_factory.mktemp("installed")
    ignored = shutil.ignore_patterns(".*", "*.egg-info", "build", "__pycache__")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", str(target), str(checkout)], check=True)
    return target


def test_nothing_but_the_library_is_installed(installed: Path) -> None:
    files = [path.relative_to(installed) for path in installed.rglob("*.*") if path.is_file()]
    files = [path for path in files if ".dist-info" not in path.parts[0] and path.suffix != ".pyc"]
    sources = [path.relative_to(ROOT) for path in (ROOT / "exactframes").rglob("*.py")]
    expected = {path for path in sources if "test" not in str(path)} | {Path("exactframes/py.typed")}
    assert set(files) == expected


def test_it_needs_no_part_of_the_suite(installed: Path) -> None:
    (info,) = installed.glob("*.dist-info")
    needs = importlib.metadata.Distribution.at(info).requires or []
    plain = {need.split(">")[0].split(";")[0].strip() for need in needs if "extra" not in need}
    assert plain == {"torch", "torchcodec", "joblib", "av", "numpy"}


@pytest.mark.long
def test_it_works_on_its_own(installed: Path, small_video: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(small_video)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith(str(installed))
