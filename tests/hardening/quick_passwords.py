"""The settings of the project, with passwords that take little to check."""

from litevault import settings

globals().update({name: value for name, value in vars(settings).items() if name.isupper()})

PASSWORD_HASHERS = ["tests.plugins.users.QuickHasher"]
