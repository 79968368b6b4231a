"""LM Studio: OpenAI's chat, with an optional key and no quota."""

from typing import ClassVar

from tests.enrichment.leaks import KEY
from tests.enrichment.providers.native.openai_chat import InProse


class LMStudio(InProse):
    name = "lm_studio"
    title = "LM Studio"
    model = "lm_studio/qwen3"
    mode = "json_schema"
    environment: ClassVar = {"LM_STUDIO_API_KEY": KEY}
    absent = frozenset({"quota"})
