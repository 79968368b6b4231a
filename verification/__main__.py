"""`make verify-llm`: real texts through the whole program, with real models, scored and side by side.

Without --model, --packaged and --weights, a small model is served on this machine. Every other LITEVAULT_LLM_ variable
counts as it does for the product, such as LITEVAULT_LLM_MAX_TOKENS.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from verification.page import page
from verification.program import LOG, enrich
from verification.references import read_references
from verification.runs import Run
from verification.scores import score
from verification.serving import Model, served_elsewhere, served_here
from verification.table import names_of, print_outcomes, print_scores

TEXTS = Path(__file__).resolve().parent / "texts"
PAGE = LOG.parent / "verify-llm.html"
INTERRUPTED = 130
MODES = ("auto", "tools", "json_schema", "json")
PACKAGED = ("smollm2", "gemma3")


def main() -> None:
    arguments = parse(sys.argv[1:])
    LOG.unlink(missing_ok=True)
    names = names_of(arguments.texts)
    runs = []
    for run in every_run(arguments, names):
        runs.append(run)
        # Written after each, because the next may take minutes.
        arguments.page.write_text(page(runs, names=names, references=read_references({*names.values()})), "utf-8")
    print(f"\n{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
    print_scores(runs)
    print(f"\nThe drafts side by side: {arguments.page}")


def every_run(arguments: argparse.Namespace, names: dict[str, str]) -> Iterator[Run]:
    references = read_references({*names.values()})
    confirmed = [] if arguments.no_tags else list(references.values())
    for chosen, serve in chosen_models(arguments):
        with serve() as model:
            for mode in arguments.mode or ["auto"]:
                label = f"{chosen}, {mode}"
                print(f"\n{label}\n", flush=True)
                outcomes, requests = enrich(arguments.texts, model, mode=mode, confirmed=confirmed)
                print_outcomes(outcomes, names=names)
                figures = score(
                    outcomes,
                    names=names,
                    references=references,
                    vocabulary={tag for reference in confirmed for tag in reference.tags},
                    requests=requests,
                )
                yield Run(label, outcomes, figures)


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make verify-llm", description=__doc__)
    more = "may be repeated"
    parser.add_argument("--mode", action="append", choices=MODES, help=f"how the draft is requested; {more}")
    parser.add_argument("--texts", type=Path, default=TEXTS, metavar="FOLDER", help="one file, one text")
    parser.add_argument("--no-tags", action="store_true", help="let the owner of the texts have used no tags before")
    parser.add_argument("--page", type=Path, default=PAGE, metavar="HTML", help="where to write the drafts")
    parser.add_argument(
        "--packaged", action="append", default=[], choices=PACKAGED, help=f"serve this small model; {more}"
    )
    parser.add_argument("--weights", action="append", default=[], metavar="GGUF", help=f"serve this file; {more}")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="PROVIDER/MODEL[@URL]",
        help=f"call this model, as LiteLLM writes it, at its own address or at this one; {more}",
    )
    parser.add_argument("--api-base", default="", metavar="URL", help="the address of each --model without one")
    arguments = parser.parse_args(words)
    if arguments.api_base and not arguments.model:
        parser.error("--api-base goes with --model")
    return arguments


def chosen_models(arguments: argparse.Namespace) -> Iterator[tuple[str, Callable[[], AbstractContextManager[Model]]]]:
    """Yield each model, to be served only while it is called."""
    for named in arguments.model:
        name, at, address = named.partition("@http")
        model = Model(name, api_base=f"http{address}" if at else arguments.api_base)
        yield named, partial(served_elsewhere, model)
    served = [*arguments.packaged, *arguments.weights]
    for weights in served or ([] if arguments.model else PACKAGED[:1]):
        yield weights, partial(served_here, weights)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
