"""Reads Thrift's compact protocol, in which Parquet says what it holds: structs by the numbers of their fields.

Own code, since pyarrow ends the process where it is asked for the columns of some damaged footers.
"""

from typing import Any

from stream.fault import FileError

_DEEPEST = 12
_BOOLEANS, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _LISTS, _STRUCT = (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 12


class Struct(dict[int, Any]):
    """Fields of a struct by number: numbers, bytes, lists, structs."""

    def number(self, field: int) -> int:
        """A number. Raises FileError where there is none."""
        found = self.get(field)
        if type(found) is not int or found < 0:
            raise FileError("not readable Parquet: a size is missing")
        return found

    def struct(self, field: int) -> "Struct":
        """A struct within this one. Raises FileError where there is none."""
        found = self.get(field)
        if not isinstance(found, Struct):
            raise FileError("not readable Parquet: a part is missing")
        return found

    def structs(self, field: int) -> list["Struct"]:
        """A list of structs. Raises FileError where it is none."""
        found = self.get(field, [])
        if not isinstance(found, list) or not all(isinstance(one, Struct) for one in found):
            raise FileError("not readable Parquet: a part is of another kind")
        return found


def read(data: memoryview, at: int, most: int) -> tuple[Struct, int]:
    """The struct at a place, of ``most`` bytes at most, and where it ends. Raises FileError."""
    reader = _Reader(data[at : at + most])
    try:
        return reader.struct(0), at + reader.at
    except IndexError as e:
        raise FileError("not readable Parquet: what it says of itself is damaged") from e


class _Reader:
    """Raises IndexError where the bytes are no struct."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self.at = 0

    def struct(self, depth: int) -> Struct:
        if depth > _DEEPEST:
            raise IndexError
        found = Struct()
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else _signed(self._varint())
            found[field] = self._value(head & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in _BOOLEANS:
            return kind == 1
        if kind == _BYTE:
            return self._byte()
        if kind in _INTEGERS:
            return _signed(self._varint())
        if kind in (_DOUBLE, _BINARY):
            return self._bytes(8 if kind == _DOUBLE else self._varint())
        if kind in _LISTS:
            return self._list(depth + 1)
        if kind == _STRUCT:
            return self.struct(depth + 1)
        raise IndexError

    def _list(self, depth: int) -> list[Any]:
        if depth > _DEEPEST:
            raise IndexError
        head = self._byte()
        count, kind = head >> 4, head & 15
        if count == 15:
            count = self._varint()
        if count > len(self._data) - self.at:  # each of them is at least a byte
            raise IndexError
        return [self._value(_BYTE if kind in _BOOLEANS else kind, depth) for _ in range(count)]

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _bytes(self, count: int) -> bytes:
        self.at += count
        if self.at > len(self._data):
            raise IndexError
        return bytes(self._data[self.at - count : self.at])

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise IndexError


def _signed(value: int) -> int:
    return (value >> 1) ^ -(value & 1)
