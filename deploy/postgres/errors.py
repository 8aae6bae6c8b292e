"""The one error of the local database: a line a person can act on."""


class PostgresError(Exception):
    """What was wrong, with which value, and what to do, in one line."""


class PostgresInUseError(PostgresError):
    """Another process has these data: it may have the server running."""
