"""No call of a provider blocks the event loop."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from tests.enrichment.fake_llm_answers import DRAFT
from tests.enrichment.leaks import TEXT
from tests.plugins.providers import MakeProvider

pytestmark = pytest.mark.asyncio(loop_scope="package")

PATIENCE_SECONDS = 60.0


class Ollama(BaseHTTPRequestHandler):
    """Answers a chat when the loop of the client has run meanwhile, and everything else never."""

    paths: ClassVar[list[str]] = []
    has_request = threading.Event()
    has_ticked = threading.Event()

    def do_POST(self) -> None:
        self.paths.append(self.path)
        length = int(self.headers["Content-Length"])
        self.rfile.read(length)
        self.has_request.set()
        is_chat = self.path == "/api/chat" and self.has_ticked.wait(PATIENCE_SECONDS)
        message = {"role": "assistant", "content": json.dumps(DRAFT)}
        body = json.dumps({"model": "any", "message": message, "done": True, "done_reason": "stop"}).encode()
        self.send_response(HTTPStatus.OK if is_chat else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def ollama() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Ollama) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def tick(seen: Callable[[], bool], ticked: threading.Event) -> None:
    while True:
        await asyncio.sleep(0.005)
        if seen():
            ticked.set()


@pytest.mark.parametrize("model", ["ollama_chat/any-7b"])
async def test_ollama_is_called_without_blocking_the_loop(model: str, provider: MakeProvider, ollama: str) -> None:
    ticking = asyncio.create_task(tick(Ollama.has_request.is_set, Ollama.has_ticked))

    result = await provider(model=model, api_base=ollama, mode="auto", max_retries=0).enrich_item(TEXT)

    ticking.cancel()
    assert result.title == DRAFT["title"]
    assert Ollama.paths == ["/api/chat"]
