"""The project's settings, with a fast password hasher."""

from litevault import settings

globals().update({name: value for name, value in vars(settings).items() if name.isupper()})

PASSWORD_HASHERS = ["tests.plugins.users.QuickHasher"]
