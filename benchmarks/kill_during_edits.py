"""Kill a program at random moments of its work on a project, many times, and count what is lost.

Run from the repository: ``python benchmarks/kill_during_edits.py --trials 300``. Exit code 0 if
every file opened with exactly the acknowledged gestures, or one more.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import name_machine
from pipeline.data.errors import UserError
from tests.truth.killing import Killer


def main() -> int:
    """Run the trials and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    name_machine()
    outcome: Counter[str] = Counter()
    gestures = 0
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Killer(Path(folder)) as killer:
        for seed in range(options.seed, options.seed + options.trials):
            try:
                trial = killer.trial(seed)
            except (AssertionError, UserError, ValueError) as error:
                outcome["wrong"] += 1
                print(error)
                continue
            gestures += trial.acknowledged
            extra = trial.found - trial.acknowledged
            outcome["exactly the acknowledged" if extra == 0 else "one more"] += 1
    print(f"{options.trials} kills after {gestures} acknowledged gestures:", dict(outcome))
    print(f"{time.perf_counter() - start:.0f} s")
    return 1 if outcome["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
