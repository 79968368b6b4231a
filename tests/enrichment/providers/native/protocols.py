"""The list of protocols."""

from tests.enrichment.providers.native.anthropic import Anthropic
from tests.enrichment.providers.native.azure_openai import AzureOpenAI
from tests.enrichment.providers.native.bedrock import Bedrock
from tests.enrichment.providers.native.cohere import Cohere
from tests.enrichment.providers.native.deepseek import DeepSeek
from tests.enrichment.providers.native.gemini import Gemini
from tests.enrichment.providers.native.groq import Groq
from tests.enrichment.providers.native.huggingface import HuggingFace
from tests.enrichment.providers.native.lm_studio import LMStudio
from tests.enrichment.providers.native.mistral import Mistral
from tests.enrichment.providers.native.ollama import Ollama
from tests.enrichment.providers.native.openai_chat import OpenAIChat
from tests.enrichment.providers.native.openai_responses import OpenAIResponses
from tests.enrichment.providers.native.openrouter import OpenRouter
from tests.enrichment.providers.native.protocol import Protocol
from tests.enrichment.providers.native.together import Together
from tests.enrichment.providers.native.vllm import VLLM

PROTOCOLS: tuple[Protocol, ...] = (
    OpenAIChat(),
    OpenAIResponses(),
    AzureOpenAI(),
    Anthropic(),
    Gemini(),
    Ollama(),
    OpenRouter(),
    Bedrock(),
    Mistral(),
    Groq(),
    DeepSeek(),
    VLLM(),
    Together(),
    Cohere(),
    HuggingFace(),
    LMStudio(),
)
