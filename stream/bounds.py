"""How much is read of what others send: bytes, rows, columns. docs/security.md has all of them in a table."""

FRAME_ROWS = 10_000
"""Rows of one message: ours have fewer, and of others no more is read."""
FRAME_BYTES = 4 * 1024 * 1024
"""Bytes of one message's value, as the topics have it. Nothing in it is compressed, so it unpacks to no more."""
FRAME_BATCHES = 100
"""Record batches and dictionaries in one message: each is looked at with all of its dictionaries."""
BATCH_BYTES = 32 * 1024 * 1024
"""Bytes that a batch of messages unpacks to, compressed as Kafka's producers do it."""
RECORD_BYTES = 256 * 1024
"""Bytes of one JSON record: an enrolment with all that it may hold is a tenth of it, an alert a twentieth."""
COLUMNS = 1_000
"""Columns of a file, a body or a message."""
METADATA_BYTES = 1024 * 1024
"""Bytes that say what a message, a body or a file holds: an Arrow schema, a Parquet footer."""
LINE_BYTES = 1024 * 1024
"""Bytes of one line of text."""
CELL_BYTES = 4096
"""Bytes of one cell that is looked at: the longest that is any good is a tenth of it."""
RATIO, AT_LEAST = 200, 64 * 1024 * 1024
"""A file may unpack to so many times its size, and to so many bytes in any case: honest ones reach a tenth of it."""
ROWS_A_BYTE = 1_000
"""Rows that a byte of a file may hold: homes that never change come near a hundred."""


def unpacked(size: int) -> int:
    """Bytes that a file of ``size`` bytes may unpack to."""
    return max(AT_LEAST, RATIO * size)
