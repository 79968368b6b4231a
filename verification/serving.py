"""A model to ask: a small one served here, or one that is named."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PYTHON = PROJECT / ".venv-verify" / "bin" / "python"
LOG = PROJECT / "var" / "verify-model.log"

# What docs/models.md advises for a small model on a processor.
SMALL_AND_SLOW = {"LITEVAULT_LLM_MAX_TOKENS": "512", "LITEVAULT_LLM_TIMEOUT_SECONDS": "120"}


@dataclass(frozen=True)
class Model:
    """A model's name as LiteLLM writes it, and where it is, if that goes without saying.

    `advised` are settings that do it good, unless the environment says otherwise.
    """

    name: str
    api_base: str = ""
    advised: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, str]:
        """How the product is told of it."""
        return {
            "LITEVAULT_LLM_PROVIDER": "litellm",
            "LITEVAULT_LLM_MODEL": self.name,
            "LITEVAULT_LLM_API_BASE": self.api_base,
            "LITEVAULT_LLM_FALLBACK_MODELS": "",
        }


@contextmanager
def served_elsewhere(model: Model) -> Iterator[Model]:
    yield model


@contextmanager
def served_here(weights: str) -> Iterator[Model]:
    """Serve a packaged model, or the GGUF file that is named, until the block ends, however it ends."""
    LOG.parent.mkdir(exist_ok=True)
    command = [str(PYTHON), str(PROJECT / "verification" / "model_server.py"), weights]
    with (
        LOG.open("w") as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as server,
    ):
        try:
            yield Model("openai/local", api_base=f"{address_of(server)}/v1", advised=SMALL_AND_SLOW)
            if server.poll() is not None:
                raise SystemExit(f"The model's server ended by itself, with {server.returncode}. See {LOG}.")
        finally:
            # It has nothing to lose. If this process is killed, it ends with its standard input.
            server.kill()


def address_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    address: str = server.stdout.readline().strip()
    if not address.startswith("http://127.0.0.1:"):
        raise SystemExit(f"The model could not be served; {LOG} says why.")
    return address
