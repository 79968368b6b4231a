"""How much of the tested code may be changed before a test fails: `make mutation` changes it bit by bit, with mutmut.

One PostgreSQL serves the whole run. Its template1 is migrated, so that each mutant gets a fresh database at once.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tests.embedded import postgres_for_tests

# Only fast tests that say most about a module. Of these mutmut runs, for each function, those that call it.
PROVIDERS = "tests/enrichment/providers"
TESTS: Mapping[str, Collection[str]] = {
    "items/states.py": ("tests/items/test_states.py",),
    "items/texts.py": ("tests/items/test_texts.py",),
    "items/folding.py": ("tests/items/test_folding.py",),
    "items/pauses.py": ("tests/items/test_pauses.py",),
    "items/queue.py": ("tests/items/queue",),
    "enrichment/breaker.py": ("tests/enrichment/test_breaker.py",),
    "enrichment/errors.py": ("tests/enrichment/test_errors.py",),
    "enrichment/schemas.py": ("tests/enrichment/test_schemas.py",),
    "enrichment/enricher.py": ("tests/enrichment/test_enricher.py",),
    "enrichment/leases.py": ("tests/enrichment/test_lease_keeper.py",),
    "enrichment/writer.py": ("tests/enrichment/test_verdict_writer.py",),
    "enrichment/tidying.py": ("tests/enrichment/test_tidying.py",),
    "enrichment/providers/addresses.py": (f"{PROVIDERS}/test_addresses.py",),
    "enrichment/providers/content_parts.py": ("tests/enrichment/test_content_parts.py",),
    "enrichment/providers/drafts_in_text.py": ("tests/enrichment/test_drafts_in_text.py",),
    "enrichment/providers/filling.py": ("tests/enrichment/test_filling.py",),
    "enrichment/providers/replies.py": ("tests/enrichment/test_replies.py",),
    "enrichment/providers/conversation.py": (
        "tests/enrichment/test_conversation.py",
        "tests/enrichment/test_rate_limited_conversation.py",
    ),
    "enrichment/providers/draft.py": ("tests/enrichment/test_draft.py",),
    "enrichment/providers/error_body.py": ("tests/enrichment/test_faults.py",),
    "enrichment/providers/factory.py": (f"{PROVIDERS}/test_factory.py",),
    "enrichment/providers/faults.py": ("tests/enrichment/test_faults.py",),
    "enrichment/providers/library_logs.py": (f"{PROVIDERS}/test_litellm_parts.py",),
    "enrichment/providers/litellm.py": tuple(
        f"{PROVIDERS}/test_{name}.py"
        for name in (
            "litellm_parts",
            "litellm_provider",
            "addresses",
            "fallback_models",
            "prices",
            "refused_parameters",
        )
    ),
    "enrichment/providers/pacing.py": (
        "tests/enrichment/test_crowds.py",
        "tests/enrichment/test_gate_capacity.py",
        "tests/enrichment/test_pacing.py",
        "tests/enrichment/test_rate_limited_conversation.py",
    ),
    "enrichment/providers/prices.py": (f"{PROVIDERS}/test_prices.py",),
    "enrichment/providers/request_form.py": ("tests/enrichment/test_request_form.py",),
    "enrichment/providers/retry_after.py": ("tests/enrichment/test_retry_after.py",),
    "enrichment/providers/stub.py": ("tests/enrichment/test_stub_provider.py",),
    "enrichment/providers/variables.py": (f"{PROVIDERS}/test_addresses.py",),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="such as items/states.py; all if none is named")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="test N mutants of each module, chosen once")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")
    with postgres_for_tests():
        migrate_template()
        rows = [measured(module, sample=options.sample) for module in options.modules or TESTS]
    print(f"{'module':<36}{'mutants':>8}{'tested':>8}{'killed':>8}{'score':>8}")
    print("".join(rows), end="")


def migrate_template() -> None:
    template = urlsplit(os.environ["DATABASE_URL"])._replace(path="/template1").geturl()
    run("manage.py", "migrate", "--verbosity=0", environment={"DATABASE_URL": template})


def measured(module: str, *, sample: int) -> str:
    """Return the row of the table. Survivors are shown at once."""
    shutil.rmtree("mutants", ignore_errors=True)
    return run(str(Path(__file__).with_name("measure.py")), module, str(sample), *TESTS[module])


def run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    return subprocess.run(
        [sys.executable, *command], env=os.environ | (environment or {}), check=True, stdout=subprocess.PIPE, text=True
    ).stdout


if __name__ == "__main__":
    main()
