"""The worked strategy of docs/extending.md: with its function and its line alone it gets its row."""

import os
import re
import textwrap
from pathlib import Path
from re import MULTILINE

from fixtures.testing.suite_runner import ROOT, run_suite, saved

PAGE = (ROOT / "docs" / "extending.md").read_text()


def test_a_function_and_a_line_add_a_strategy(small_video: Path, tmp_path: Path) -> None:
    (function,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (line,) = re.findall(r'^    "pool-threads": .*$', PAGE, MULTILINE)
    (tmp_path / "added.py").write_text(
        "def pytest_configure(config):\n"
        + textwrap.indent(
            "from benchmarks.strategies import STRATEGIES, Strategy\n"
            f"{function}\nSTRATEGIES.update({{\n{line}\n}})\n",
            "    ",
        )
    )
    done = run_suite(
        "-p", "added", "benchmarks/test_speed.py", "-k", "[sequential] or [pool-threads]",
        "--video", small_video, "--rounds=1", "--interleave", "--benchmark-autosave",
        f"--benchmark-storage={tmp_path}", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^pool-threads +\d.* \d\.\d\dx .* exact$", done.stdout, MULTILINE)
    assert "Fastest exact way here: " in done.stdout
    (run,) = saved(tmp_path)
    assert [b["extra_info"]["strategy"] for b in run["benchmarks"]] == ["sequential", "pool-threads"]
