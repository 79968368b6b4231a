"""Production settings, without a rate limit."""

from tests.privacy.web import HOST

PRODUCTION = {
    "LITEVAULT_DEBUG": "false",
    "LITEVAULT_SECRET_KEY": "for this test only, and long enough for every check there is",
    "LITEVAULT_ALLOWED_HOSTS": HOST,
    "LITEVAULT_THROTTLE_PER_MINUTE": "0",
    "LITEVAULT_REQUESTS_AT_ONCE": "1000",
}
# Two processes that share nothing but the database, each with enough threads for many requests at once.
TWO_WORKERS = ("--workers", "2", "--blocking-threads", "16", "--workers-kill-timeout", "5")
