"""What one benchmark is relative to the others of its run."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from results.schema import BASELINE, Entry, Record, is_of_this_suite, read

RATES = ("frames_per_second", "speedup", "of_limit", "efficiency")


def records_of(entries: Iterable[Entry]) -> list[Record]:
    """The benchmarks of one run, rates included; those of another suite are left out.

    Raises:
        LookupError, TypeError, ValueError or AttributeError: if there are only those of another suite, or one
            cannot be read.
    """
    entries = list(entries)
    found = [read(entry) for entry in entries if is_of_this_suite(entry)]
    if entries and not found:
        raise ValueError("no benchmark of this suite is in it")
    return with_rates(found)


def add_rates(entries: Iterable[Entry]) -> None:
    """Write the rates into `extra_info`, in place; a second call changes nothing."""
    entries = [entry for entry in entries if is_of_this_suite(entry)]
    for entry, record in zip(entries, with_rates([read(entry) for entry in entries]), strict=True):
        if record.times:
            saved = record.to_dict()
            entry["extra_info"].update({name: saved[name] for name in RATES if name in saved})


def with_rates(records: Sequence[Record]) -> list[Record]:
    """The same benchmarks with their rates; a rate is None if the run has not measured what it needs."""
    timed = [record for record in records if record.times]
    medians: dict[tuple[str, str | None], float] = {}
    for record in sorted(timed, key=lambda r: r.is_scaling, reverse=True):  # what is no scaling row counts
        medians[record.workload, record.strategy] = record.seconds
    alone = {(r.workload, r.strategy): r.seconds for r in timed if r.is_scaling and r.setting == (1, 1)}
    return [_rated(record, medians, alone) if record.times else record for record in records]


def _rated(
    record: Record, medians: dict[tuple[str, str | None], float], alone: dict[tuple[str, str], float]
) -> Record:
    seconds, (workers, threads) = record.seconds, record.setting
    baseline = medians.get((record.workload, BASELINE))
    limit = medians.get((record.workload, record.limit))
    one = alone.get((record.workload, record.strategy)) if record.is_scaling else None
    return replace(
        record,
        frames_per_second=record.frames / seconds,
        speedup=baseline / seconds if baseline else None,
        of_limit=limit / seconds if limit else None,
        efficiency=one / seconds / (workers * threads) if one else None,
    )
