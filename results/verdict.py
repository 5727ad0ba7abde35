"""Judge whether an upgrade made anything slower: the gate.

    python -m results.verdict BASELINE... --against CANDIDATE...

Each is a file, a folder, a glob, a named baseline, or the beginning of a saved file's name. Exit status: 0 no
regression, 1 regression (something is slower, or missing), 2 not comparable or unusable, 3 inconclusive.

The rule for saved runs stands in results/gate/rule_for_runs.py, that for pairs of `make ab` in
results/gate/rule_for_pairs.py.
"""

import argparse
import json
import sys

from results.gate.rule_for_runs import compare
from results.saved.history import HistoryError, load
from results.told.comparison import as_json, render


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
