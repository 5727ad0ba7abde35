"""The marks that are drawn in a history."""

from dataclasses import dataclass

from results.page.rows import Row

BASES = {"seconds": "seconds", "relative": "times the limit of the same run"}


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One thing to draw in a history; `basis` is the unit of the values (BASES)."""

    workload: str
    name: str  # of the benchmark
    kind: str  # of the benchmark, as in Row
    what: str  # "run", "step", "break", "software" or "baseline"
    run: int | None  # number of the run in order of time, from 0; a baseline has none
    group: str  # runs of one group are comparable
    machine: str
    text: str
    basis: str = "seconds"
    value: float | None = None
    low: float | None = None
    high: float | None = None


def machine_of(row: Row) -> str:
    """The machine of a row, such as "AMD EPYC, 2 CPUs"."""
    machine = row.record.identity.machine if row.record.identity else {}
    return f"{machine.get('cpu_model', 'unknown')}, {machine.get('usable_cpus', '?')} CPUs"
