"""The web server as a process of its own, as in production."""

from tests.end_to_end.conftest import start  # noqa: F401  # a fixture for the tests here
