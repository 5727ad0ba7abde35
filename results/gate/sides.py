"""What both rules do with the two sides: which benchmarks can be compared, and what moved together."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

from results.gate.verdicts import Verdict, percent
from results.saved.history import SavedRun
from results.saved.identity import changed, clashes, in_a_sentence, values_of
from results.schema import Record


def judge_if_fit(
    name: str, ours: Sequence[Record], theirs: Sequence[Record], judge: Callable[[], Verdict]
) -> Verdict:
    """Judge a benchmark that can be compared, and add how its CPU time changed; else say why it cannot be."""
    verdict = _unfit(name, ours, theirs) or judge()
    return verdict if verdict.change is None else replace(verdict, cpu=_cpu_change(ours, theirs))


def _unfit(name: str, ours: Sequence[Record], theirs: Sequence[Record]) -> Verdict | None:
    """The verdict on what cannot be compared: missing, new or not comparable; None if it can be."""
    kind, runs = (ours or theirs)[0].kind, (len(ours), len(theirs))
    if not theirs:
        return Verdict(name=name, kind=kind, word="missing", runs=runs, reason="it is not in the candidate")
    if not ours:
        return Verdict(name=name, kind=kind, word="new", runs=runs)
    unproven = [record for record in (*ours, *theirs) if not record.is_proven]
    reasons = clashes(ours, theirs)
    if unproven or reasons:
        reason = "a run has no proof that its frames were right" if unproven else "; ".join(reasons)
        return Verdict(name=name, kind=kind, word="not comparable", runs=runs, reason=reason)
    return None


def sides_of(
    baseline: Sequence[SavedRun], candidate: Sequence[SavedRun]
) -> dict[str, tuple[list[Record], list[Record]]]:
    """By its name, each benchmark's records in the runs that have it: of the baseline, of the candidate."""
    names = dict.fromkeys(name for run in (*baseline, *candidate) for name in run.benchmarks)
    return {name: (_in_runs(baseline, name), _in_runs(candidate, name)) for name in names}


def _in_runs(runs: Sequence[SavedRun], name: str) -> list[Record]:
    return [run.benchmarks[name] for run in runs if name in run.benchmarks]


def software_between(baseline: Sequence[SavedRun], candidate: Sequence[SavedRun]) -> list[str]:
    """What differs on purpose, a sentence for each field."""
    found = []
    for here, there in (
        (_records(baseline), _records(candidate)),
        ({"software.suite": _commits(baseline)}, {"software.suite": _commits(candidate)}),
    ):
        found += [in_a_sentence(change) for change in changed(here, there) if change.is_of_software]
    return found


def _records(runs: Sequence[SavedRun]) -> dict[str, set[str]]:
    return values_of(record for run in runs for record in run.benchmarks.values())


def _commits(runs: Sequence[SavedRun]) -> set[str]:
    return {str(run.commit) for run in runs}


def _cpu_change(ours: Sequence[Record], theirs: Sequence[Record]) -> float | None:
    """The change of the CPU seconds' median; None where a side does not have them."""
    sides = [[record.cpu_seconds for record in side if record.cpu_seconds] for side in (ours, theirs)]
    return math.log(median(sides[1]) / median(sides[0])) if all(sides) else None


def remarks_on(together: Verdict | None, verdicts: Sequence[Verdict]) -> list[str]:
    """Sentences on what moved together, what may have a new name, and why something cannot be compared."""
    judged = [verdict for verdict in verdicts if verdict.is_judged_strategy]
    lines = [_all_strategies(together, judged)] if together else []
    missing, new = ([v.name for v in verdicts if v.word == word] for word in ("missing", "new"))
    if missing and new:
        lines.append(
            f"Missing: {', '.join(missing)}; new: {', '.join(new)}: if that is a new name of the same thing, "
            "promote a baseline that has it."
        )
    return [*lines, *(f"{verdict.name}: {verdict.reason}" for verdict in verdicts if verdict.reason)]


def _all_strategies(together: Verdict, judged: Sequence[Verdict]) -> str:
    slower = [verdict.name for verdict in judged if verdict.word == "slower"]
    if together.word == "slower" and len(slower) > len(judged) / 2:
        return f"Everything got slower together ({percent(together.change)}): the shared decode path."
    if slower:
        return f"Slower: {', '.join(slower)}; all strategies together moved by {percent(together.change)}."
    return f"All strategies together moved by {percent(together.change)}: {together.word}."
