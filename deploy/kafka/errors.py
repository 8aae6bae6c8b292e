"""The one error of the local broker: a line a person can act on."""


class BrokerError(Exception):
    """What was wrong, with which value, and what to do, in one line."""
