"""What this session has measured, and the hooks that report and save it. Imports no torch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fixtures.console import notes
from results.saved.identity import differences
from results.saved.rates import records_of
from results.saved.saving import publish, stage
from results.schema import Entry
from results.told.report import table

ENTRIES = pytest.StashKey[list[Entry]]()  # one for each strategy that was tried
STAGED = pytest.StashKey[tuple[Path, Path]]()  # the staging folder, and the storage that it is for
COMPARED = pytest.StashKey[list[dict[str, Any]]]()  # the histories that --benchmark-compare has loaded


def entries(config: pytest.Config) -> list[Entry]:
    """What this session has measured so far, in the shape of a saved benchmark."""
    return config.stash.setdefault(ENTRIES, [])


def compared(config: pytest.Config) -> list[dict[str, Any]]:
    """The saved runs that this session is compared with."""
    return config.stash.setdefault(COMPARED, [])


def stage_saving(config: pytest.Config) -> None:
    """Have pytest-benchmark save into a staging folder, where a kill while it writes does no harm."""
    option = config.option
    if not config.pluginmanager.hasplugin("benchmark"):
        return
    storage = str(option.benchmark_storage).removeprefix("file://")
    if "://" in storage or not (option.benchmark_autosave or option.benchmark_save):
        return
    staged = stage(Path(storage))
    option.benchmark_storage = str(staged)
    config.stash[STAGED] = (staged, Path(storage))


def publish_saved(config: pytest.Config, say: Callable[[str], None] = lambda _: None) -> None:
    """Move what was saved to its place; a second call does nothing."""
    staged = config.stash.get(STAGED, None)
    if staged is not None:
        del config.stash[STAGED]
        for path in publish(*staged):
            say(f"Saved as {path}")


@contextmanager
def nothing_incomplete_is_saved(config: pytest.Config) -> Iterator[None]:
    """Keep a run out of history if it was interrupted, or finished no benchmark.

    Otherwise pytest-benchmark would save what it has, even a file without benchmarks. That file would
    be the next one to compare with. Without its plugin nothing is saved.
    """
    try:
        yield
    except BaseException:
        _save_nothing(config)
        raise
    tried = entries(config)
    if tried and all(entry["stats"] is None for entry in tried):
        _save_nothing(config)


def _save_nothing(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin("benchmark"):
        config.pluginmanager.unregister(name="benchmark")


def write_summary(reporter: pytest.TerminalReporter, *, is_interrupted: bool) -> None:
    """Write the table, and the fields in which this run differs from those it is compared with.

    Of an interrupted run, write only what was timed.
    """
    mine = entries(reporter.config)
    if is_interrupted:
        mine = [entry for entry in mine if entry["stats"] is not None]
    if not mine:
        return
    reporter.section(
        "decoding, INTERRUPTED: what was finished, saved nowhere" if is_interrupted else "decoding"
    )
    records = records_of(mine)
    for is_scaling in (False, True):
        rows = [record for record in records if record.is_scaling == is_scaling]
        for line in table(rows) if rows else []:
            reporter.write_line(line)
    for note in dict.fromkeys(notes(reporter.config)):
        reporter.write_line(note, yellow=True)
    for saved in compared(reporter.config):
        for line in differences(mine, saved["benchmarks"], f"the run of {saved.get('datetime', '?')[:19]}"):
            reporter.write_line(line, yellow=True)
