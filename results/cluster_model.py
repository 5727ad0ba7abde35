"""When a cluster pays: print what cluster-pruned would take on other networks, from a saved run.

`python -m results.cluster_model FILE.json` takes a run that was made with --cluster; the model stands in
results/told/cluster_model.py.
"""

import argparse
import json
import sys
from pathlib import Path

from results.saved.history import UNREADABLE
from results.saved.rates import records_of
from results.told.cluster_model import MODELLED, lines


def main(argv: list[str]) -> int:
    """Print what a history file says of clusters; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m results.cluster_model", description=__doc__.splitlines()[0]
    )
    parser.add_argument("file", type=Path, help="a JSON file of a run with --cluster")
    arguments = parser.parse_args(argv)
    try:
        told = lines(records_of(json.loads(arguments.file.read_text())["benchmarks"]))
    except UNREADABLE as error:
        parser.error(f"{arguments.file} is not a history of this suite ({error}); give a file from results/")
    if not told:
        parser.error(
            f"{arguments.file} has no {MODELLED} that was decoded on a cluster: make a run with --cluster, "
            "`make bench-cluster`, of a video that does not fall back"
        )
    print("\n".join(told))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
