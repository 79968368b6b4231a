"""LiteVault's settings, but for the URLs: what its middleware, authentication and throttle cost by themselves."""

from litevault.settings import *  # noqa: F403  # a settings module is made to be taken over whole

ROOT_URLCONF = "benchmarks.bare.empty"
