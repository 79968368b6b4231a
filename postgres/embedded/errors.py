class PostgresUnavailable(Exception):
    """The embedded server is not available. The message says what to do."""
