"""A server that plays the model: always the same answer, after always the same time. `python -m benchmarks.model`."""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from benchmarks.scratch import PROJECT
from postgres.embedded.processes import dying_with_parent

LATENCY_SECONDS = 0.5
DRAFT = json.dumps(
    {
        "title": "A walk along the river",
        "summary": "Somebody walks along a river and counts the herons.",
        "tags": ["river", "herons", "walking"],
        "source_type": "NOTE",
    }
)
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}


@contextmanager
def serving(seconds: float) -> Iterator[str]:
    """Serve from a process of its own. Yields the address for an OpenAI client."""
    command = [sys.executable, "-m", "benchmarks.model", "--seconds", str(seconds)]
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=dying_with_parent(signal.SIGKILL),
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def answer_to(request: dict[str, Any]) -> bytes:
    """As a tool call where tools are offered, else as text."""
    message: dict[str, Any] = {"role": "assistant", "content": DRAFT}
    reason = "stop"
    if tools := request.get("tools"):
        call = {"name": tools[0]["function"]["name"], "arguments": DRAFT}
        message = {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": call}],
        }
        reason = "tool_calls"
    choices = [{"index": 0, "message": message, "finish_reason": reason}]
    return json.dumps(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "fake", "choices": choices, "usage": USAGE}
    ).encode()


def application(seconds: float) -> web.Application:
    answers: dict[bool, bytes] = {}

    async def respond(request: web.Request) -> web.Response:
        has_tools = b'"tools"' in (body := await request.read())
        if has_tools not in answers:
            answers[has_tools] = answer_to(json.loads(body))
        if seconds:
            await asyncio.sleep(seconds)
        return web.Response(body=answers[has_tools], content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", respond)
    return app


async def serve(seconds: float) -> None:
    runner = web.AppRunner(application(seconds), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=LATENCY_SECONDS)
    asyncio.run(serve(parser.parse_args().seconds))
