"""The environment variables that LiteLLM reads for each provider, as it does not say itself.

Each provider reads its key as PROVIDER_API_KEY and its address as PROVIDER_API_BASE, except as listed here.
"""

import os
from collections.abc import Mapping, MutableMapping

from enrichment.config import InvalidSettings, text_in

# They run on the user's machine: they cost nothing, and need no key.
LOCAL_PROVIDERS = frozenset(
    {
        "docker_model_runner",
        "hosted_vllm",
        "lemonade",
        "llamafile",
        "lm_studio",
        "ollama",
        "ollama_chat",
        "oobabooga",
        "vllm",
        "xinference",
    }
)

AZURE = ("AZURE_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_CLIENT_SECRET")
AZURE_AI = ("AZURE_AI_API_KEY", "AZURE_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_AD_TOKEN", "AZURE_CLIENT_SECRET")
COHERE = ("COHERE_API_KEY", "CO_API_KEY")
GEMINI = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
MISTRAL = ("MISTRAL_API_KEY", "MISTRAL_AZURE_API_KEY")
OPENAI = ("OPENAI_API_KEY",)
AWS = ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
AWS_PROVIDERS = frozenset({"bedrock", "bedrock_mantle", "sagemaker", "sagemaker_chat", "sagemaker_nova"})
WATSONX = ("WATSONX_API_KEY", "WATSONX_APIKEY", "WX_API_KEY", "WATSONX_TOKEN", "WATSONX_ZENAPIKEY")

# Any one of them is enough. LiteLLM knows one name of each provider when it checks for a missing key.
KEY_NAMES: Mapping[str, tuple[str, ...]] = {
    "ai21": ("AI21_API_KEY",),
    "ai21_chat": ("AI21_API_KEY",),
    "aiohttp_openai": OPENAI,
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    "anthropic_text": ("ANTHROPIC_API_KEY",),
    "apertis": ("STIMA_API_KEY",),
    "azure": AZURE,
    "azure_ai": AZURE_AI,
    "azure_text": AZURE,
    "codestral": ("CODESTRAL_API_KEY", *MISTRAL),
    "cohere": COHERE,
    "cohere_chat": COHERE,
    "cometapi": ("COMETAPI_KEY",),
    "custom_openai": OPENAI,
    "databricks": ("DATABRICKS_API_KEY", "DATABRICKS_CLIENT_SECRET"),
    "datarobot": ("DATAROBOT_API_TOKEN",),
    "featherless_ai": ("FEATHERLESS_AI_API_KEY", "FEATHERLESS_API_KEY"),
    "fireworks_ai": ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"),
    "friendliai": ("FRIENDLIAI_API_KEY", "FRIENDLI_TOKEN"),
    "gemini": GEMINI,
    "gigachat": ("GIGACHAT_CREDENTIALS", "GIGACHAT_API_KEY", "GIGACHAT_ACCESS_TOKEN"),
    "huggingface": ("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    "lambda_ai": ("LAMBDA_API_KEY",),
    "meta_llama": ("LLAMA_API_KEY",),
    "mistral": MISTRAL,
    "nano-gpt": ("NANOGPT_API_KEY",),
    "ollama_chat": ("OLLAMA_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY", "OR_API_KEY"),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "qwen_ai_platform": ("QWEN_AI_PLATFORM_API_KEY", "DASHSCOPE_API_KEY"),
    "qwencloud": ("QWENCLOUD_API_KEY", "DASHSCOPE_API_KEY"),
    "replicate": ("REPLICATE_API_KEY", "REPLICATE_API_TOKEN"),
    "scaleway": ("SCW_SECRET_KEY",),
    "scx-ai": ("SCX_API_KEY",),
    "snowflake": ("SNOWFLAKE_JWT",),
    "tensormesh": ("TENSORMESH_INFERENCE_API_KEY",),
    "text-completion-codestral": ("CODESTRAL_API_KEY",),
    "text-completion-inception": ("INCEPTION_API_KEY",),
    "text-completion-openai": OPENAI,
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"),
    "veniceai": ("VENICE_AI_API_KEY",),
    "vercel_ai_gateway": ("VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"),
    "watsonx": WATSONX,
    "watsonx_text": WATSONX,
}

# They sign requests, log in by other means, or have no key.
WITHOUT_KEY = AWS_PROVIDERS | frozenset(
    {
        "a2a",
        "custom",
        "gdc",
        "oci",
        "oobabooga",
        "petals",
        "predibase",
        "ragflow",
        "sap",
        "triton",
        "vertex_ai",
        "vertex_ai_beta",
        "vllm",
    }
)

ADDRESS_NAMES: Mapping[str, tuple[str, ...]] = {
    "ai21_chat": ("AI21_API_BASE",),
    "custom_openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    "fireworks_ai": ("FIREWORKS_API_BASE",),
    "friendliai": ("FRIENDLI_API_BASE",),
    "lambda_ai": ("LAMBDA_API_BASE",),
    "meta_llama": ("LLAMA_API_BASE",),
    "ollama_chat": ("OLLAMA_API_BASE",),
    "text-completion-openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
}

# Not a key of LiteLLM's: OpenAI's library sends it to every address, beside the key that is meant for it.
SENT_BESIDE_KEYS = "AZURE_OPENAI_AD_TOKEN"

# What LiteLLM needs and does not check.
REQUIRED_NAMES: Mapping[str, tuple[str, ...]] = {
    "azure_ai": ("AZURE_AI_API_BASE",),
    "azure_text": ("AZURE_API_BASE", "AZURE_API_VERSION"),
    "litellm_proxy": ("LITELLM_PROXY_API_BASE",),
}

# Module and package that LiteLLM needs and that are not installed with it.
PACKAGES: Mapping[str, tuple[str, str]] = {
    "gdc": ("google.auth", "google-auth"),
    "vertex_ai": ("google.auth", "google-auth"),
    "vertex_ai_beta": ("google.auth", "google-auth"),
    "vllm": ("vllm", "vllm"),
}


def key_names(provider: str) -> tuple[str, ...]:
    return () if provider in WITHOUT_KEY else KEY_NAMES.get(provider, (f"{_prefix(provider)}_API_KEY",))


def secret_names(provider: str) -> tuple[str, ...]:
    """Return the names of all secrets, which AWS has instead of one key."""
    return AWS if provider in AWS_PROVIDERS else key_names(provider)


def address_names(provider: str) -> tuple[str, ...]:
    prefix = _prefix(provider)
    return ADDRESS_NAMES.get(provider, (f"{prefix}_BASE_URL", f"{prefix}_API_BASE"))


def _prefix(provider: str) -> str:
    return provider.upper().replace("-", "_")


def clean_key(name: str, environment: MutableMapping[str, str]) -> str:
    """Return the key from NAME or from the file of NAME_FILE, and set NAME to it. An empty one is removed.

    Raises InvalidSettings for a key that no HTTP header can hold.
    """
    key = environment.pop(name, "").strip()
    if path := environment.pop(f"{name}_FILE", "").strip():
        if key:
            raise InvalidSettings(f"{name} and {name}_FILE are both set. Unset one of them")
        key = text_in(path)
        if not key:
            raise InvalidSettings(f"{name}_FILE must be the path of a readable text file, not empty")
    if not (key.isascii() and key.isprintable()):
        raise InvalidSettings(f"{name} must be one line of ASCII characters")
    if key:
        environment[name] = key
    return key


def clean_address(name: str, environment: MutableMapping[str, str]) -> str:
    """Return the address without white space, and set the variable to it. Raises InvalidSettings without a scheme."""
    address = environment.pop(name, "").strip()
    if address:
        if not address.startswith(("http://", "https://")):
            raise InvalidSettings(f"{name} must begin with http:// or https://")
        environment[name] = address
    return address


def missing_for_aws(model: str) -> list[str]:
    """Return the variables without which AWS is not reachable, as its library sees it: a profile or a role will do."""
    from boto3 import Session  # only with these providers

    session = Session()
    has_region = session.region_name or {"AWS_REGION_NAME", "AWS_REGION"} & os.environ.keys() or "arn:" in model
    has_credentials = "AWS_BEARER_TOKEN_BEDROCK" in os.environ or session.get_credentials() is not None
    return [
        *([] if has_credentials else ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]),
        *([] if has_region else ["AWS_REGION_NAME"]),  # else LiteLLM takes us-west-2
    ]
