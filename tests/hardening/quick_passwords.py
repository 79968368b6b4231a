"""The settings of the project, with passwords that take little to check."""

from litevault.settings import *  # noqa: F403  # as Django's settings modules do

PASSWORD_HASHERS = ["tests.plugins.users.QuickHasher"]
