"""What the bytes of a text file are: UTF-8, UTF-16 or CP949 (Korean Windows), read as UTF-8; or no text at all."""

import codecs
import io
from typing import Any, BinaryIO, cast

from stream.fault import FileError

HEAD = 1 << 16
"""Bytes by which an encoding is told."""
_NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet or a zip file: save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (xls): save the sheet as CSV UTF-8",
    b"\x1f\x8b": "compressed with gzip: name it .csv.gz",
    b"PAR1": "Parquet: name it .parquet",
    b"<html": "a web page: export the table as CSV",
    b"<!doc": "a web page: export the table as CSV",
    b"<table": "a web page: export the table as CSV",
    b"<?xml": "XML: export the table as CSV",
}


def text_of(file: BinaryIO) -> BinaryIO:
    """The same file as UTF-8, whatever it is written in. Raises FileError where it is no text."""
    reader = io.BufferedReader(cast(io.RawIOBase, file), HEAD)
    head = reader.peek(HEAD)
    start = head.lstrip()[:8].lower()
    for magic, said in _NO_TEXT.items():
        if start.startswith(magic.lower()):
            raise FileError(f"this is no text but {said}")
    encoding = encoding_of(head)
    return reader if encoding == "utf-8" else io.BufferedReader(_Recoded(reader, encoding), HEAD)


def encoding_of(head: bytes) -> str:
    """The encoding of a text by its beginning; bytes that are of none go by as UTF-8, and their rows are refused."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) > 3 and not any(head[1:64:2]):
        return "utf-16-le"
    for encoding in ("utf-8", "cp949"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(head)  # not final: the head may end within a character
            return encoding
        except UnicodeDecodeError:
            continue
    return "utf-8"


class _Recoded(io.RawIOBase):
    """A text of another encoding as UTF-8; what is none of its characters becomes U+FFFD."""

    def __init__(self, file: Any, encoding: str) -> None:
        self._text = io.TextIOWrapper(file, encoding, errors="replace", newline="")

    def readable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Close the file as well."""
        self._text.close()
        super().close()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer with UTF-8, of up to four bytes a character."""
        data = self._text.read(max(len(buffer) // 4, 1)).encode("utf-8", "replace")
        buffer[: len(data)] = data
        return len(data)
