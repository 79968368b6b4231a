"""Test each mutant of one module, and tell which ones no test noticed. `python measure.py MODULE TEST…`

Runs in a process of its own, because modules that are imported before mutmut begins are not changed.
"""

import os
import sys
from pathlib import Path
from typing import TextIO

from mutmut.__main__ import _run
from mutmut.configuration import config
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code

LOG = Path("mutants/run.log")


def main() -> None:
    module, *tests = sys.argv[1:]
    config().only_mutate = [module]
    config().pytest_add_cli_args_test_selection = tests
    LOG.parent.mkdir()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as report, LOG.open("wb") as log:
        os.dup2(log.fileno(), 1)  # mutmut talks a lot, and past sys.stdout
        _run((), 1)
        tell(module, report)


def tell(module: str, report: TextIO) -> None:
    data = SourceFileMutationData(path=Path(module))
    data.load()
    statuses = {name: status_by_exit_code[code] for name, code in data.exit_code_by_key.items()}
    survivors = [name for name, status in statuses.items() if status not in {"killed", "timeout"}]
    for name in survivors:
        print(f"{name}: {statuses[name]}\n{get_diff_for_mutant(name, path=module)}\n", file=sys.stderr)
    mutants, killed = len(statuses), len(statuses) - len(survivors)
    print(f"{module:<36}{mutants:>8}{killed:>8}{len(survivors):>10}{killed / max(mutants, 1):>8.1%}", file=report)


if __name__ == "__main__":
    main()
