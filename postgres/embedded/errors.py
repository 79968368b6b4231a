class PostgresUnavailable(Exception):
    """The embedded server cannot be had. The message is one sentence that tells a person what to do."""
