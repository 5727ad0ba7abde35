"""Judge whether an upgrade made anything slower: the gate.

    python -m results.verdict BASELINE... --against CANDIDATE...

Each is a file, a folder, a glob, a named baseline, or the beginning of a saved file's name. Exit status: 0 no
regression, 1 regression (something is slower, or missing), 2 not comparable or unusable, 3 inconclusive.

The rule, for each benchmark. A run's value is x = log(median of its rounds, in seconds): the run is the unit,
because rounds of one run share its luck and say little of the next run. With A the baseline's values and B
the candidate's, the change is estimated as d = median of all b - a (Hodges and Lehmann 1963), and

    slower        the rank test of Mann and Whitney (1947) calls B later at alpha, and d > floor
    faster        the same the other way round
    same          neither, and the upper end of d's interval is under RESOLUTION: so slow it is not
    inconclusive  else: more runs are needed

    alpha = 0.005, one-sided; at least 5 runs on either side can reach it
    floor = max(2 %, 2 s sqrt(1/|A| + 1/|B|)), s the spread between runs that these runs themselves show

Ranks resist noise because one wild run moves a rank, not a mean, and nothing is assumed of how times are
distributed. What the rule cannot see: a change under the floor; one that comes with a change of machine; and
drift between the runs of A and those of B, unless they were taken in turns (make ab does).

What moved together is told apart from what moved alone. "all strategies" judges how a run lies on the whole:
the median, over the strategies, of x less what is usual for the strategy; "own" is a strategy's change
against that in the same run. The limits are FFmpeg's own command, which nothing under test takes part in:
where they moved (and FFmpeg is the same), the machine did, and all times are judged relative to them.

The rule for pairs measured in lockstep (make ab; results/gate/pairs.py) changes with the data. Round n of A
and round n of B stood side by side, so each gives y = log(B / A). The change is estimated as m, the centre of
all y by Huber (1964): near the centre a mean, far out a median, so that a round in whose midst a neighbour
began to work has little say. The unit is the pair of processes, because what changes from start to start is
common to its rounds: m's standard error e is taken from the pairs' sums (Liang and Zeger 1986). With P pairs,

    slower        the t test of Student (1908) with P - 1 degrees of freedom calls m above 0, and m > floor
    faster        the same the other way round
    same          neither, and the upper end of m's interval is under 5 %: so slow it is not
    inconclusive  else: more minutes are needed

    alpha = 0.005, one-sided, over all looks (Bonferroni): three looks, after 1/4, 1/2 and all of the time
    floor = max(2 %, 2 e); interval: m -+ t(alpha, P - 1) e

"all strategies" is judged by the ratios of the strategy that moved as the middle one of all.
It assumes that pairs are independent of each other. How the estimator was chosen, and what it finds in quiet
and in noise: docs/lockstep.md. It cannot see a change under the floor, nor one that shows only at another
size of the workload, or only while the other side is not there (both are in memory, though one sleeps).
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean, median
from typing import Any

from results.gate.statistics import Shift, shift, spread
from results.gate.table import Comparison, Verdict, as_json, percent, render
from results.saved.history import HistoryError, Run, Sample, load
from results.saved.identity import clashes, software_changes

ALPHA = 0.005
LEAST_FLOOR = math.log(1.02)
RESOLUTION = math.log(1.15)
TOGETHER = "all strategies"


def compare(baseline: Sequence[Run], candidate: Sequence[Run], alpha: float = ALPHA) -> Comparison:
    """Judge every benchmark of the candidate's runs against the baseline's."""
    names = list(dict.fromkeys(name for run in (*baseline, *candidate) for name in run.samples))
    pairs = {name: (samples_of(baseline, name), samples_of(candidate, name)) for name in names}
    verdicts = {name: _judge_alone(name, *pair, alpha) for name, pair in pairs.items()}
    software = software_between(baseline, candidate)
    remarks = []
    machine = _machine(list(verdicts.values()), software)
    if machine:
        verdicts = {name: _relative_to(verdict, machine) for name, verdict in verdicts.items()}
        remarks.append(
            f"The machine moved by {percent(machine)}, as FFmpeg's own command tells: "
            "all is judged relative to that."
        )
    judged = [v.name for v in verdicts.values() if v.kind == "strategy" and v.change is not None]
    common = _common(baseline, candidate, judged)
    if common:
        together = _judged(TOGETHER, "together", *common, alpha)
        together = _relative_to(together, machine) if machine else together
        verdicts = {name: _with_own(v, pairs[name], common, judged) for name, v in verdicts.items()}
        remarks.append(all_strategies(together, [verdicts[name] for name in judged]))
        verdicts[TOGETHER] = together
    remarks += renamed(list(verdicts.values()))
    remarks += [f"{v.name}: {v.reason}" for v in verdicts.values() if v.reason]
    return Comparison(verdicts=list(verdicts.values()), software=software, remarks=remarks)


def software_between(baseline: Sequence[Run], candidate: Sequence[Run]) -> list[str]:
    """What differs on purpose."""
    return [
        *software_changes(_identities(baseline), _identities(candidate)),
        *software_changes(_commits(baseline), _commits(candidate)),
    ]


def samples_of(runs: Sequence[Run], name: str) -> list[Sample]:
    """This benchmark in the runs that have it."""
    return [run.samples[name] for run in runs if name in run.samples]


def _identities(runs: Sequence[Run]) -> list[dict[str, Any]]:
    return [sample.identity for run in runs for sample in run.samples.values()]


def renamed(verdicts: list[Verdict]) -> list[str]:
    """A hint, where something is missing and something is new."""
    missing, new = ([v.name for v in verdicts if v.word == word] for word in ("missing", "new"))
    if not (missing and new):
        return []
    return [
        f"Missing: {', '.join(missing)}; new: {', '.join(new)}: if that is a new name of the same thing, "
        "promote a baseline that has it."
    ]


def _commits(runs: Sequence[Run]) -> list[dict[str, Any]]:
    return [{"software.suite": run.commit} for run in runs]


def _judge_alone(name: str, ours: list[Sample], theirs: list[Sample], alpha: float) -> Verdict:
    verdict = unfit(name, ours, theirs)
    if verdict is None:
        verdict = _judged(name, ours[0].kind, _logs(ours), _logs(theirs), alpha)
        verdict = replace(verdict, cpu=cpu_change(ours, theirs))
    return verdict


def unfit(name: str, ours: list[Sample], theirs: list[Sample]) -> Verdict | None:
    """The verdict on what cannot be compared: missing, new or not comparable; None if it can be."""
    kind, runs = (ours or theirs)[0].kind, (len(ours), len(theirs))
    if not theirs:
        return Verdict(name=name, kind=kind, word="missing", runs=runs, reason="it is not in the candidate")
    if not ours:
        return Verdict(name=name, kind=kind, word="new", runs=runs)
    unproven = [sample for sample in (*ours, *theirs) if not sample.proven]
    reasons = clashes([s.identity for s in ours], [s.identity for s in theirs])
    if unproven or reasons:
        reason = "a run has no proof that its frames were right" if unproven else "; ".join(reasons)
        return Verdict(name=name, kind=kind, word="not comparable", runs=runs, reason=reason)
    return None


def _judged(name: str, kind: str, ours: list[float], theirs: list[float], alpha: float) -> Verdict:
    moved, runs = shift(ours, theirs, alpha), (len(ours), len(theirs))
    return verdict_on(name, kind, moved, noise_floor(ours, theirs), RESOLUTION, runs)


def verdict_on(  # noqa: PLR0913, PLR0917
    name: str, kind: str, moved: Shift, floor: float, resolution: float, runs: tuple[int, int]
) -> Verdict:
    """What is to be said of a benchmark that moved so, above this floor."""
    return Verdict(
        name=name,
        kind=kind,
        word=word_for(moved, floor, resolution),
        change=moved.estimate,
        low=moved.low,
        high=moved.high,
        floor=floor,
        runs=runs,
    )


def noise_floor(ours: list[float], theirs: list[float]) -> float:
    """What two groups of unchanged runs differ by: twice the standard error, and 2 % at the least."""
    spreads = [spread(values) ** 2 for values in (ours, theirs) if len(values) > 1]
    if not spreads:
        return math.inf
    return max(LEAST_FLOOR, 2 * math.sqrt(fmean(spreads) * (1 / len(ours) + 1 / len(theirs))))


def word_for(moved: Shift, floor: float, resolution: float) -> str:
    """Slower, faster, same or inconclusive."""
    if moved.is_later and moved.estimate > floor:
        return "slower"
    if moved.is_earlier and -moved.estimate > floor:
        return "faster"
    return "same" if moved.high < resolution else "inconclusive"


def _machine(verdicts: list[Verdict], software: list[str]) -> float:
    """How far the machine itself moved: the limits' change, where they agree that there is one."""
    limits = [v for v in verdicts if v.kind == "limit" and v.change is not None]
    moved = {v.word for v in limits}
    if not limits or moved not in ({"slower"}, {"faster"}) or any("ffmpeg" in line for line in software):
        return 0.0
    return median(v.change for v in limits if v.change is not None)


def _relative_to(verdict: Verdict, machine: float) -> Verdict:
    """The same verdict with the machine's own change taken off; limits stay as they are."""
    if verdict.change is None or verdict.kind == "limit":
        return verdict
    assert verdict.low is not None
    assert verdict.high is not None
    assert verdict.floor is not None
    low, high, change = verdict.low - machine, verdict.high - machine, verdict.change - machine
    moved = Shift(estimate=change, low=low, high=high, is_later=low > 0, is_earlier=high < 0)
    return replace(
        verdict, change=change, low=low, high=high, word=word_for(moved, verdict.floor, RESOLUTION)
    )


def _common(
    baseline: Sequence[Run], candidate: Sequence[Run], names: list[str]
) -> tuple[list[float], list[float]] | None:
    """How each run that has all of these lies on the whole: one that moved alone moves it little."""
    whole = [[run for run in runs if _has(run, names)] for runs in (baseline, candidate)]
    if len(names) < 2 or not all(whole):
        return None
    usual = {name: median(_log(run, name) for run in (*whole[0], *whole[1])) for name in names}
    ours, theirs = ([median(_log(run, n) - usual[n] for n in names) for run in runs] for runs in whole)
    return ours, theirs


def _log(run: Run, name: str) -> float:
    return math.log(run.samples[name].seconds)


def _has(run: Run, names: list[str]) -> bool:
    return all(name in run.samples for name in names)


def _with_own(
    verdict: Verdict,
    pair: tuple[list[Sample], list[Sample]],
    common: tuple[list[float], list[float]],
    judged: list[str],
) -> Verdict:
    """Add how the benchmark moved against all strategies in the same run."""
    if verdict.name not in judged or any(len(a) != len(b) for a, b in zip(pair, common, strict=True)):
        return verdict
    ours, theirs = (
        [log - mean for log, mean in zip(_logs(samples), means, strict=True)]
        for samples, means in zip(pair, common, strict=True)
    )
    return replace(verdict, own=shift(ours, theirs, ALPHA).estimate)


def all_strategies(together: Verdict, verdicts: list[Verdict]) -> str:
    """What moved together, and what moved alone, in a sentence."""
    slower = [verdict.name for verdict in verdicts if verdict.word == "slower"]
    if together.word == "slower" and len(slower) > len(verdicts) / 2:
        return f"Everything got slower together ({percent(together.change)}): the shared decode path."
    if slower:
        return f"Slower: {', '.join(slower)}; all strategies together moved by {percent(together.change)}."
    return f"All strategies together moved by {percent(together.change)}: {together.word}."


def _logs(samples: list[Sample]) -> list[float]:
    return [math.log(sample.seconds) for sample in samples]


def cpu_change(ours: list[Sample], theirs: list[Sample]) -> float | None:
    """The change of the CPU seconds' median; None where they were not told."""
    sides = [[s.cpu_seconds for s in side if s.cpu_seconds] for side in (ours, theirs)]
    return math.log(median(sides[1]) / median(sides[0])) if all(sides) else None


def main(argv: list[str]) -> int:
    """Print the verdict; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m results.verdict", description=__doc__.splitlines()[0])
    parser.add_argument("baseline", nargs="+", help="files, globs, or names in the storage")
    parser.add_argument("--against", nargs="+", required=True, metavar="CANDIDATE", help="the same")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="for a CI job's summary")
    form.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    try:
        baseline, candidate = load(arguments.baseline, _say), load(arguments.against, _say)
    except HistoryError as error:
        _say(f"error: {error}")
        return 2
    comparison = compare(baseline, candidate)
    if arguments.json:
        print(json.dumps(as_json(comparison), indent=2))  # noqa: T201
    else:
        print("\n".join(render(comparison, markdown=arguments.markdown)))  # noqa: T201
    return comparison.exit_status


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
