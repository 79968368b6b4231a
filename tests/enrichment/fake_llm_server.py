"""An OpenAI-compatible server on loopback that replies by script.

Try it by hand, with a name from fake_llm_answers.py::

    python -m tests.enrichment.fake_llm_server --port 8900 --answer status_401
"""

import argparse
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from tests.enrichment import obedient_answers, untidy_answers  # noqa: F401  # both register their replies
from tests.enrichment.fake_llm_answers import ANSWERS, Call
from tests.enrichment.loopback_server import LoopbackServer
from tests.enrichment.rate_limits import RateLimiter


class FakeLLMServer(LoopbackServer):
    """Replies to chat completions by script."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host=host, port=port)
        self.calls: list[Call] = []
        self.most_at_once = 0
        self.limit: RateLimiter | None = None
        self.refused = 0
        self._script: dict[str | None, list[str]] = {None: ["ok"]}
        self._script_by_mark: dict[str, list[str]] = {}
        self._at_once = 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    def script(self, *names: str, model: str | None = None) -> None:
        """Send these replies in turn, then the last one for ever; only for this model, if given."""
        unknown = set(names) - ANSWERS.keys()
        assert not unknown, unknown
        self._script[model] = list(names)

    def script_text(self, mark: str, *names: str) -> None:
        """Send this reply for texts with this mark."""
        self._script_by_mark[mark] = list(names)

    def reset(self) -> None:
        """Send valid replies again, and forget the requests."""
        self._script = {None: ["ok"]}
        self._script_by_mark = {}
        self.calls.clear()
        self.most_at_once = self._at_once
        self.limit = None
        self.refused = 0

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1/chat/completions", self._respond)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        call = Call(request, await request.json(), self.closing)
        self.calls.append(call)
        if self.limit and (retry_after := self.limit.refusal()) is not None:
            self.refused += 1
            headers = {"Retry-After": f"{math.ceil(retry_after)}"}
            return web.json_response({"error": {"message": call.echo, "type": "requests"}}, status=429, headers=headers)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await ANSWERS[self._next_name(call)](call)
        finally:
            self._at_once -= 1

    def _next_name(self, call: Call) -> str:
        text = str(call.body.get("messages"))
        marked = next((names for mark, names in self._script_by_mark.items() if mark in text), None)
        names = marked or self._script.get(call.model) or self._script[None]
        return names.pop(0) if len(names) > 1 else names[0]


@contextmanager
def serving(*names: str) -> Iterator[FakeLLMServer]:
    server = FakeLLMServer().start()
    if names:
        server.script(*names)
    try:
        yield server
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Answer as a language model would, or as one should not.")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--answer", action="append", choices=sorted(ANSWERS), help="in turn; the last one repeats")
    arguments = parser.parse_args()
    server = FakeLLMServer(port=arguments.port)
    server.script(*(arguments.answer or ["ok"]))
    server.start()
    print(f"Answering on {server.url}. Stop with Ctrl-C.")  # output of a command
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()


if __name__ == "__main__":
    main()
