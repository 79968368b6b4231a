"""Silences the model libraries, which log keys, texts and replies. Import this module before any of them."""

import logging
import warnings


def silence_libraries() -> None:
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "httpcore", "httpx", "instructor", "openai"):
        # The level also silences the libraries' own handlers.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # A warning about a reply of an unexpected form quotes it on standard error.
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings", category=UserWarning)


silence_libraries()
