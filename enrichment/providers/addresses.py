"""Decides where the requests for each model go, and which key goes with them.

A key goes to the provider's own address, or to LITEVAULT_LLM_API_BASE. A model with an address of its own gets the key
that it names, and else a placeholder: without one, LiteLLM would send the provider's key, or even OPENAI_API_KEY.
"""

import importlib.util
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field

from enrichment.config import InvalidSettings
from enrichment.model_settings import ModelSettings
from enrichment.providers.variables import (
    LOCAL_PROVIDERS,
    PACKAGES,
    REQUIRED_NAMES,
    SENT_BESIDE_KEYS,
    address_names,
    clean_address,
    clean_key,
    key_names,
    secret_names,
)

PLACEHOLDER_KEY = "none"


@dataclass(frozen=True)
class Target:
    """A model and its provider. `label` is what its setting is called, `missing` what LiteLLM says is not set."""

    settings: ModelSettings
    provider: str
    label: str
    missing: Sequence[str] = field(default=())

    @property
    def family(self) -> str:
        return "ollama" if self.provider == "ollama_chat" else self.provider


def addresses_of(
    targets: Sequence[Target], *, shared_base: str, environment: MutableMapping[str, str]
) -> Iterator[dict[str, str]]:
    """Yield api_base, api_key and api_version of each model, where the environment does not give them.

    `shared_base` is LITEVAULT_LLM_API_BASE: it holds for the first model, and for those of the same provider whose own
    variable gives no address. Raises InvalidSettings.
    """
    environment.pop(SENT_BESIDE_KEYS, None)
    own_bases = [_clean(target, environment) for target in targets]
    uses_shared = [
        bool(shared_base) and target.family == targets[0].family and (target is targets[0] or not own_base)
        for target, own_base in zip(targets, own_bases, strict=True)
    ]
    # A provider's key is meant for the address that its own variable gives, if a model is called there.
    other_bases = {
        own_base
        for target, own_base, is_shared in zip(targets, own_bases, uses_shared, strict=True)
        if not is_shared and target.family == targets[0].family
    }
    for target, is_shared in zip(targets, uses_shared, strict=True):
        base = shared_base if is_shared else target.settings.api_base
        is_key_for_base = is_shared and not other_bases - {shared_base}
        key = _key(target, base=base, is_key_for_base=is_key_for_base, environment=environment)
        address = {"api_base": base, "api_key": key, "api_version": target.settings.api_version}
        yield {name: value for name, value in address.items() if value}


def _clean(target: Target, environment: MutableMapping[str, str]) -> str:
    """Clean the variables of the provider, and return its own address. Raises InvalidSettings."""
    for name in secret_names(target.provider):
        clean_key(name, environment)
    addresses = [clean_address(name, environment) for name in address_names(target.provider)]
    module, package = PACKAGES.get(target.provider, ("", ""))
    if module and not _is_installed(module):
        raise InvalidSettings(f"{target.label} needs the Python package {package}, which is not installed")
    return next(filter(None, addresses), "")


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its parent is not installed
        return False


def _key(target: Target, *, base: str, is_key_for_base: bool, environment: MutableMapping[str, str]) -> str:
    """Return the key to pass, or "" if the environment gives it. Raises InvalidSettings for missing variables."""
    names = key_names(target.provider)
    own_name = target.settings.api_key_env
    is_set = any(name in environment for name in names)
    missing = [*_missing(target, base=base, environment=environment)]
    if own_name:
        key = clean_key(own_name, environment)
        missing += [] if key else [own_name]
    elif base and not is_key_for_base:
        key = PLACEHOLDER_KEY if names else ""
    elif target.provider in LOCAL_PROVIDERS:
        key = next((environment[name] for name in names if name in environment), PLACEHOLDER_KEY)
    elif is_set or not names:
        key = ""
    else:
        key = PLACEHOLDER_KEY
        missing += [] if base else [" or ".join(names)]
    if missing:
        raise InvalidSettings(f"{', '.join(missing)} must be set, because {target.label} needs it")
    return key


def _missing(target: Target, *, base: str, environment: MutableMapping[str, str]) -> Iterator[str]:
    """Yield the variables that the provider needs besides a key."""
    given = {*key_names(target.provider), *environment}
    if base or target.provider in LOCAL_PROVIDERS:
        given |= {*address_names(target.provider)}
    if target.settings.api_version:
        given |= {"AZURE_API_VERSION"}
    for name in (*target.missing, *REQUIRED_NAMES.get(target.provider, ())):
        if name not in given:
            yield name
