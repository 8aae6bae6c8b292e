"""Personal data: sealed for one place, opened with the right key alone, found by number."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from response.vault import Vault, VaultError, new_key, place

OLD, NEW = new_key(), new_key()


@given(st.text(), st.text(min_size=1))
def test_what_was_sealed_opens_in_its_place_alone(text: str, row: str) -> None:
    """A sealed value that somebody moves to another row or column is refused."""
    vault = Vault([NEW])
    sealed = vault.seal(text, place("people", "name", row))
    assert vault.open(sealed, place("people", "name", row)) == text
    for other in (place("people", "name", row + "x"), place("people", "phone", row)):
        with pytest.raises(VaultError, match="belongs to another row"):
            vault.open(sealed, other)


def test_sealing_twice_gives_two_values() -> None:
    """Nobody can tell from the table that two people have one name."""
    vault = Vault([NEW])
    assert vault.seal("김", "a") != vault.seal("김", "a")


@given(st.integers(0, 200), st.integers(1, 255))
def test_altered_value_is_refused(at: int, flip: int) -> None:
    """One changed byte anywhere."""
    vault = Vault([NEW])
    sealed = bytearray(vault.seal("010-1234-5678", "people.phone.1"))
    sealed[at % len(sealed)] ^= flip
    with pytest.raises(VaultError):
        vault.open(bytes(sealed), "people.phone.1")


def test_older_keys_open_and_the_first_seals() -> None:
    """A new key in front: what the old one sealed opens; with the new one alone it says which key is missing."""
    sealed = Vault([OLD]).seal("a", "b")
    assert Vault([NEW, OLD]).open(sealed, "b") == "a"
    with pytest.raises(VaultError, match="a key that is not in ANBU_RESPONSE__KEYS") as e:
        Vault([NEW]).open(sealed, "b")
    assert "\n" not in str(e.value)
    assert Vault([NEW]).open(Vault([NEW, OLD]).seal("a", "b"), "b") == "a"


@pytest.mark.parametrize("keys", [[], ["x"], [""], [base64.b64encode(b"short").decode()], [NEW, "한글"]])
def test_wrong_keys_are_one_line_that_shows_none_of_them(keys: list[str]) -> None:
    """What is wrong with which, and the command that makes one."""
    with pytest.raises(VaultError, match="anbu people key") as e:
        Vault(keys)
    assert "\n" not in str(e.value)
    assert NEW not in str(e.value)


@pytest.mark.parametrize(
    "number", ["010-1234-5678", "01012345678", "+82 10 1234 5678", "+82-010-1234-5678", "0082 1012345678"]
)
def test_a_number_is_found_however_it_is_written(number: str) -> None:
    """The network and the registry write one number in different ways."""
    assert Vault([NEW]).index(number) == Vault([NEW]).index("010 1234 5678")


def test_index_is_of_the_key() -> None:
    """Without the key nobody can try numbers; with an older one in the list its index is known too."""
    assert Vault([OLD]).index("010") != Vault([NEW]).index("010")
    assert Vault([OLD]).index("010") in Vault([NEW, OLD]).indexes("010")


def test_text_for_json_goes_and_comes() -> None:
    """Comments of cases are base64; nothing stays nothing."""
    vault = Vault([NEW])
    assert vault.open_text(vault.seal_text("아들과 통화", "c"), "c") == "아들과 통화"
    assert vault.seal_text("", "c") == vault.open_text("", "c") == ""
    with pytest.raises(VaultError, match="is not a sealed value"):
        vault.open_text("plain words", "c")


GUESSED = {
    "all zeros": bytes(32),
    "one byte": b"\xf0" * 32,
    "two halves": bytes(range(200, 216)) * 2,
    "counted": bytes(range(224, 256)),
    "counted down by threes": bytes(-3 * n % 256 for n in range(32)),
    "of our own pages": b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef",
    "of our own pages too": b"01234567890123456789012345678901",
    "words": b"correct horse battery staple....",
    "hexadecimal": b"9f86d081884c7d659a2feaa0c55ad015",
    "words in Korean": "안부를묻는비밀번호".encode().ljust(32, b"!"),
}


@pytest.mark.parametrize("key", GUESSED.values(), ids=GUESSED.keys())
def test_a_key_that_can_be_guessed_seals_nothing(key: bytes) -> None:
    """One line that says what to do, without the key; behind a good one it still opens, until all is sealed anew."""
    told = base64.b64encode(key).decode()
    with pytest.raises(VaultError, match=r"can be guessed.*`anbu people key`") as e:
        Vault([told, NEW])
    assert "\n" not in str(e.value)
    assert told not in str(e.value)
    assert Vault([NEW, told]).head == Vault([NEW]).head


def test_keys_that_are_made_are_taken() -> None:
    """All of them."""
    for _ in range(2000):
        Vault([new_key()])
