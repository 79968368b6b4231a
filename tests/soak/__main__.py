"""`make soak`, second half: minutes of random work and disturbances, compared with a model of the outcome.

All but the timing follows from the seed. The exit code is 0 only if everything holds.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.soak.server import own_server

INTERRUPTED = 130


def main() -> int:
    arguments = parse(sys.argv[1:])
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    logs = Path(tempfile.mkdtemp(prefix=f"litevault-soak-{seed}-"))
    print(f"Seed {seed}, {arguments.minutes:g} minutes. Logs of the processes are in {logs}.", flush=True)
    holds = False
    try:
        with own_server() as server:
            django_at(server.url)
            from tests.soak.soak import soak  # needs the settings made above

            holds = soak(server, seed=seed, seconds=arguments.minutes * 60, logs=logs)
    finally:
        print(f"Seed {seed}: {'all holds' if holds else f'NOT all holds; the logs are kept in {logs}'}.", flush=True)
    if holds:
        shutil.rmtree(logs)
    return 0 if holds else 1


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="a number to repeat what was chosen (default: any)")
    parser.add_argument("--minutes", type=float, default=10, help="for how long (%(default)s)")
    return parser.parse_args(words)


def django_at(url: str) -> None:
    os.environ |= {"DATABASE_URL": url, "LITEVAULT_DEBUG": "true", "LITEVAULT_LOG_LEVEL": "ERROR"}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")
    import django

    django.setup()


if __name__ == "__main__":
    # Stop what was started, on any signal.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
