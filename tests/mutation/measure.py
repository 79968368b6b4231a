"""Test the mutants of one module, and print those that no test noticed. `python measure.py MODULE SAMPLE TEST…`

SAMPLE is how many mutants to test, 0 for all. Runs in a process of its own, because mutmut does not change modules that
are imported before it begins.
"""

import os
import random
import sys
from pathlib import Path
from typing import Any, TextIO

import mutmut.__main__ as mutmut
from mutmut.configuration import config
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

KILLED = {"killed", "timeout"}
# mutmut takes it for a timeout: pytest could not run.
NOT_RUN = 255
LOG = Path("mutants/run.log")
NEED_LITELLM = "tests/enrichment/providers"
SEED = 1


def main() -> None:
    module, sample, *tests = sys.argv[1:]
    config().only_mutate = [module]
    config().pytest_add_cli_args_test_selection = tests
    if any(Path(test).is_relative_to(NEED_LITELLM) for test in tests):
        # Loaded as a plugin, it is imported before the forks, and not by each of them for many seconds.
        config().pytest_add_cli_args += ["-p", "enrichment.providers.litellm"]
    LOG.parent.mkdir()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as report, LOG.open("wb") as log:
        os.dup2(log.fileno(), 1)  # mutmut talks a lot, and past sys.stdout
        if int(sample):
            choose(int(sample))
        mutmut._run((), 1)
        report_on(module, report)


def choose(count: int) -> None:
    """Let mutmut test only some mutants, always the same ones of the same code."""
    every_mutant = mutmut.collect_source_file_mutation_data

    def some_mutants(**options: Any) -> Any:
        mutants, data = every_mutant(**options)
        return random.Random(SEED).sample(mutants, min(count, len(mutants))), data

    mutmut.collect_source_file_mutation_data = some_mutants


def report_on(module: str, report: TextIO) -> None:
    data = SourceFileMutationData(path=Path(module))
    data.load()
    codes = {name: code for name, code in data.exit_code_by_key.items() if code is not None}
    statuses = {name: "not run" if code == NOT_RUN else status_by_exit_code[code] for name, code in codes.items()}
    survivors = [name for name, status in statuses.items() if status not in KILLED]
    for name in survivors:
        print(f"{name}: {statuses[name]}\n{get_diff_for_mutant(name, path=module)}\n", file=sys.stderr)
    mutants, tested, killed = len(data.exit_code_by_key), len(statuses), len(statuses) - len(survivors)
    print(f"{module:<36}{mutants:>8}{tested:>8}{killed:>8}{killed / max(tested, 1):>8.1%}", file=report)


if __name__ == "__main__":
    main()
