"""No exception of a library is taken for an outage, apart from those about connections and time-outs."""

import importlib
import inspect

import pytest

from enrichment.errors import EnrichmentError
from enrichment.providers.fault_tables import BY_CLASS
from enrichment.providers.faults import fault_of

pytestmark = pytest.mark.usefixtures("litellm_provider")

# All that are transient, apart from those whose names end with Timeout or TimeoutError.
TRANSIENT = {
    "botocore.exceptions": "ConnectionClosedError ConnectionError EndpointConnectionError HTTPClientError "
    "ProxyConnectionError ResponseStreamingError SSLError",
    "builtins": "BlockingIOError BrokenPipeError ChildProcessError ConnectionAbortedError ConnectionError "
    "ConnectionRefusedError ConnectionResetError EOFError EnvironmentError FileExistsError IOError InterruptedError "
    "OSError ProcessLookupError",
    "httpx": "CloseError ConnectError NetworkError ProtocolError ProxyError ReadError RemoteProtocolError RequestError "
    "TimeoutException TransportError WriteError",
    "instructor.core.exceptions": "",
    "json": "",
    "litellm.exceptions": "",
    "openai": "APIConnectionError ConflictError RateLimitError",
    "requests.exceptions": "ChunkedEncodingError ConnectionError ProxyError SSLError",
    "socket": "error gaierror herror timeout",
}


def fault_behind_a_wrapper(kind: type[Exception]) -> EnrichmentError:
    error = RuntimeError("private")
    error.__cause__ = kind.__new__(kind)
    return fault_of(error)


@pytest.mark.parametrize("module", TRANSIENT)
def test_only_errors_of_connections_are_transient(module: str) -> None:
    kinds = {
        name: kind
        for name, kind in inspect.getmembers(importlib.import_module(module), inspect.isclass)
        if issubclass(kind, Exception) and not issubclass(kind, BaseExceptionGroup)
    }

    transient = {name for name, kind in kinds.items() if fault_behind_a_wrapper(kind).is_transient}

    assert kinds
    assert {name for name in transient if not name.endswith(("Timeout", "TimeoutError"))} == set(
        TRANSIENT[module].split()
    )


@pytest.mark.parametrize("name", [name for name in BY_CLASS if not name.startswith("google.")])
def test_class_in_the_table_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")

    found = getattr(importlib.import_module(module), kind)

    assert f"{found.__module__}.{found.__qualname__}" == name
