"""Two stacks: environments that differ in torch and TorchCodec alone, whatever pip is told elsewhere."""

import re
import subprocess

import pytest

from fixtures.testing.suite_runner import ROOT

TORCH_S = re.compile(r"(torch|torchcodec|triton|nvidia-.*|cuda-.*)$")


def pins(name: str) -> dict[str, set[str]]:
    """The versions that a file pins of each package, for whatever Pythons and machines."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if not line.startswith("#"):
            package, version = re.split(r"==| ;", line)[:2]
            found.setdefault(package, set()).add(version)
    return found


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What make would do: nothing is done."""
    command = ["make", "--dry-run", "--always-make", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_stacks_differ_in_torch_alone() -> None:
    pinned, newest = pins("constraints.txt"), pins("constraints-newest.txt")
    assert (pinned["torch"], pinned["torchcodec"]) == ({"2.13.0"}, {"0.13.0"})
    assert (newest["torch"], newest["torchcodec"]) == ({"2.15.0"}, {"0.17.0"})
    others = {package for package in newest if not TORCH_S.match(package)}
    assert len(others) > 50
    assert {package for package in others if not newest[package] <= pinned.get(package, set())} == set()


@pytest.mark.parametrize(
    ("stack", "venv", "constraints"),
    [
        ([], ".venv", "constraints.txt"),
        (["STACK=pinned"], ".venv", "constraints.txt"),
        (["STACK=newest"], ".venv-newest", "constraints-newest.txt"),
    ],
)
@pytest.mark.parametrize("target", ["bench", "try", "bench-peers", "test", "test-long", "ab"])
def test_every_command_has_both_stacks(target: str, stack: list[str], venv: str, constraints: str) -> None:
    told = make(target, *stack).stdout.replace("\\\n", "")
    assert re.search(
        rf"PIP_CONSTRAINT=/dev/null {venv}/bin/python -m pip install .* -c {constraints} -e '.\[dev\]'", told
    )
    assert {path.partition("/")[0] for path in re.findall(r"\S+/bin/python", told)} == {venv}


def test_another_stack_is_refused() -> None:
    done = make("bench", "STACK=oldest")
    assert done.returncode == 2
    assert "STACK=oldest: give pinned or newest" in done.stderr
