"""`make verify-llm`: real texts through the whole program, with a real model.

Without --model, a small model is served on this machine. Every other LITEVAULT_LLM_ variable counts as it does for the
product, such as LITEVAULT_LLM_MAX_TOKENS.
"""

import argparse
import os
import platform
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from verification.program import LOG, enrich
from verification.serving import Model, served_here
from verification.table import names_of, print_outcomes, summary

TEXTS = Path(__file__).resolve().parent / "texts"
INTERRUPTED = 130
MODES = ("auto", "tools", "json_schema", "json")


def main() -> None:
    arguments = parse(sys.argv[1:])
    LOG.unlink(missing_ok=True)
    summaries = {}
    with chosen_model(arguments) as model:
        for mode in arguments.mode or ["auto"]:
            print(f"\n{arguments.weights or model.name}, LITEVAULT_LLM_MODE={mode}\n")
            outcomes = enrich(arguments.texts, model, mode=mode)
            print_outcomes(outcomes, names=names_of(arguments.texts))
            summaries[mode] = summary(outcomes)
    print(f"\n{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    for mode, line in summaries.items():
        print(f"{mode:<11}  {line}")


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make verify-llm", description=__doc__)
    parser.add_argument("--mode", action="append", choices=MODES, help="how the draft is asked for; may be repeated")
    parser.add_argument("--texts", type=Path, default=TEXTS, metavar="FOLDER", help="one file, one text")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--weights", default="", metavar="GGUF", help="serve this file instead of the small model")
    which.add_argument("--model", default="", metavar="PROVIDER/MODEL", help="ask this model, as LiteLLM writes it")
    parser.add_argument("--api-base", default="", metavar="URL", help="with --model: where it is")
    arguments = parser.parse_args(words)
    if arguments.api_base and not arguments.model:
        parser.error("--api-base goes with --model")
    return arguments


def chosen_model(arguments: argparse.Namespace) -> AbstractContextManager[Model]:
    if arguments.model:
        return nullcontext(Model(arguments.model, api_base=arguments.api_base))
    return served_here(arguments.weights)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
