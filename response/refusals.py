"""Why a person cannot do with a case what they asked for: one line in Korean and English, nobody's name in it."""

from collections.abc import Callable

from stream.records import OutcomeCode


class RefusedError(ValueError):
    """It cannot be done. ``{who}`` in the words stands for ``person_id``, to be shown as the reader may see them (an
    empty name: a colleague)."""

    def __init__(self, ko: str, en: str, person_id: str = "") -> None:
        self.ko, self.en, self.person_id = ko, en, person_id
        super().__init__(" · ".join(self.words()))

    def words(self, shown: Callable[[str], str] = str) -> tuple[str, str]:
        """Korean and English, the person as ``shown``."""
        name = shown(self.person_id) if self.person_id else ""
        who = (f"{name} 님", name) if name else ("다른 분", "a colleague")
        return self.ko.replace("{who}", who[0]), self.en.replace("{who}", who[1])


class TakenError(RefusedError):
    """Somebody else has the case."""

    def __init__(self, case_id: int, owner: str) -> None:
        super().__init__(
            "{who}이 이미 맡고 있습니다. 넘겨받고 싶다고 알릴 수 있습니다",
            f"{{who}} has case {case_id} already: you may ask to take it over", owner,
        )  # fmt: skip


class SureError(RefusedError):
    """An outcome that is asked once more."""

    def __init__(self, code: OutcomeCode) -> None:
        self.code = code
        super().__init__("한 번 더 확인해 주십시오", f"the outcome {code} is asked once more: say that you are sure")
