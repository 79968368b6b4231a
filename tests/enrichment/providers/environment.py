"""An environment without the variables of any provider, which is restored after the test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

PROVIDERS_NAMES = ("_API_KEY", "_TOKEN", "_API_BASE", "_BASE_URL", "_API_VERSION", "_KEY_FILE", "_TOKEN_FILE")


@contextmanager
def only(**variables: str) -> Iterator[None]:
    """Have no variable of a provider but these. The code under test may change the environment."""
    saved = dict(os.environ)
    try:
        for name in saved:
            if name.endswith(PROVIDERS_NAMES) or name.startswith(("AWS_", "AZURE_", "VERTEXAI_")):
                del os.environ[name]
        # Amazon's library would look for a role, and for files at home.
        os.environ.update(
            AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/none", AWS_SHARED_CREDENTIALS_FILE="/none"
        )
        os.environ.update(variables)
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)
