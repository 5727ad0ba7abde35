"""The switchboard: options, fixture modules, and hooks wired to functions that live in the three rooms.

The `pytest-benchmark compare` command imports this file too and calls its `pytest_benchmark_*` functions
itself, as plain functions: so they are no wrappers, and nothing here imports torch.
"""

import signal
import sys
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark import plugin as pytest_benchmark_plugin

from benchmarks.harness.session import (
    compared,
    nothing_incomplete_is_saved,
    publish_saved,
    stage_saving,
    write_summary,
)
from fixtures.errors import InputError
from fixtures.ffmpeg import require_torchcodec
from fixtures.settings import add_options, read_settings
from fixtures.video_set import find_video_set
from results.saved.identity import differing_sources
from results.saved.rates import add_rates
from results.saved.shipping import without_machine_names

REQUESTS = Path(__file__).parent / "benchmarks" / "test_requests.py"
pytest_plugins = ["fixtures.workload", "fixtures.testing.corpus"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare --video, --loops and the others."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Have runs saved in one atomic step."""
    stage_saving(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no staging folder behind, however the session ended."""
    publish_saved(config)


def pytest_sessionstart(session: pytest.Session) -> None:
    """End at once, in one sentence, where the command line is wrong or TorchCodec cannot load."""
    # A CI runner ends a job with SIGTERM: leave as tidily as after Ctrl-C, without orphaned workers.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        read_settings(session.config)
        require_torchcodec()
        find_video_set(session.config)
    except InputError as error:
        raise pytest.UsageError(str(error)) from error
    for plugin in ("plugin", "request_plugin"):  # they import TorchCodec
        session.config.pluginmanager.import_plugin(f"benchmarks.harness.{plugin}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Measure requests only where their file is named, or a log is given: they take minutes of their own."""
    is_asked = config.option.requests is not None
    return True if collection_path == REQUESTS and not is_asked else None  # a named file is not asked about


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what needs the workload first, so that bad input shows within seconds."""
    items.sort(key=lambda item: "workload" not in getattr(item, "fixturenames", ()))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, Any, Any]:
    """Save only what ran to its end."""
    with nothing_incomplete_is_saved(session.config):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int
) -> Generator[None, Any, Any]:
    """Close with the suite's own table, also where pytest-benchmark's gate has raised."""
    try:
        return (yield)
    finally:
        publish_saved(terminalreporter.config, terminalreporter.write_line)
        is_interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
        write_summary(terminalreporter, is_interrupted=is_interrupted)


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Keep the host's name, and what changes from minute to minute, out of history."""
    without_machine_names(machine_info)


def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    """Add the figures that need all medians of the run."""
    add_rates(output_json["benchmarks"])


def pytest_benchmark_compare_machine_info(config: pytest.Config, compared_benchmark: dict[str, Any]) -> None:
    """Remember what this run is compared with; the end of the run prints the differences."""
    compared(config).append(compared_benchmark)


def pytest_benchmark_group_stats(
    config: pytest.Config | None, benchmarks: Iterable[dict[str, Any]], group_by: str
) -> Any:
    """Group as pytest-benchmark does; for the compare command (no config), print first what differs."""
    benchmarks = list(benchmarks)
    if config is None:
        for line in differing_sources(benchmarks):
            print(line, file=sys.stderr)  # noqa: T201
    return pytest_benchmark_plugin.pytest_benchmark_group_stats(config, benchmarks, group_by)
