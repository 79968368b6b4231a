"""The same call to the same model by each library, used as well as it can be."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")
django.setup()

import aiohttp
import httpx
from django.conf import settings  # needs django.setup()

from enrichment.prompts import build_messages
from enrichment.providers.factory import build_provider

MODEL = "gpt-4o-mini"


@asynccontextmanager
async def calls(address: str, text: str) -> AsyncIterator[dict[str, Callable[[], Awaitable[Any]]]]:
    """From the dearest to the cheapest."""
    provider = build_provider(settings.LLM)  # first, because it sets up what litellm reads at import
    import instructor
    import litellm
    import openai

    from enrichment.providers.draft import Draft

    messages: Any = build_messages(text)
    body = {"model": MODEL, "messages": messages, "temperature": 0.3, "max_tokens": 1024}
    over_httpx = httpx.AsyncClient(timeout=60)
    over_openai = openai.AsyncOpenAI(base_url=address, api_key="none", max_retries=0)
    over_aiohttp = aiohttp.ClientSession()
    own = {"api_base": address, "api_key": "none", "timeout": 60, "max_retries": 0, "num_retries": 0}
    schema = instructor.response_schema(Draft)

    async def by_aiohttp() -> Any:
        async with over_aiohttp.post(f"{address}/chat/completions", json=body) as answer:
            return await answer.json()

    async def by_httpx() -> Any:
        return (await over_httpx.post(f"{address}/chat/completions", json=body)).json()

    async def by_openai() -> Any:
        return await over_openai.chat.completions.create(**body)

    async def by_litellm(**request: Any) -> Any:
        return await litellm.acompletion(**(body | {"model": f"openai/{MODEL}"} | request), **own, drop_params=True)

    client = instructor.from_litellm(by_litellm, mode=instructor.Mode.TOOLS)

    async def by_instructor() -> Any:
        request = body | {"model": f"openai/{MODEL}"}
        return await client.create_with_completion(**request, response_model=schema, max_retries=0)

    async def by_ours() -> Any:
        return await provider.enrich_item(text)

    async with over_httpx, over_openai, over_aiohttp:
        yield {
            "LiteVault's provider": by_ours,
            "litellm and Instructor, used well": by_instructor,
            "litellm": by_litellm,
            "OpenAI's own library": by_openai,
            "httpx": by_httpx,
            "aiohttp": by_aiohttp,
        }
    await provider.close()
