import re
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from jinja2 import meta
from msgspec import structs

from response.channels.words import HOW, ROLES, TEMPLATES, VALUES, WordsError, environment, masked, render, tried
from response.records import ROLES as ALL_ROLES
from response.records import CallOutcome, Message
from tests.response.channels.messages import FULL, MAY_BE_EMPTY, message, values

LANGUAGES = ("ko", "en")
CHANNELS = ("sms", "alimtalk", "email", "webhook")
every = pytest.mark.parametrize("template", TEMPLATES)


def _source(template: str, language: str) -> str:
    env = environment()
    assert env.loader is not None
    return env.loader.get_source(env, f"{template}.{language}.txt")[0]


@every
def test_the_table_is_what_templates_ask_for(template: str) -> None:
    """Both languages together ask for the values of the table, all of them and nothing else."""
    env = environment()
    asked = [meta.find_undeclared_variables(env.parse(_source(template, language))) for language in LANGUAGES]
    assert set().union(*asked) == set(TEMPLATES[template]) <= set(VALUES)


def test_every_template_is_in_the_table() -> None:
    """A file for each template and language, and no file besides."""
    files = {name for name in environment().list_templates() if "/" not in name}
    assert files == {f"{t}.{lang}.txt" for t in TEMPLATES for lang in LANGUAGES}


@every
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", CHANNELS)
def test_every_template_says_something_from_exactly_its_values(template: str, language: str, channel: str) -> None:
    """With all values and with those empty that may be: no hole, no leftover of the template, no glued sentence."""
    for given_ in (values(template), {k: "" if k in MAY_BE_EMPTY else v for k, v in values(template).items()}):
        said = render(message(template, channel=channel, language=language, values=given_))
        assert len(said.text) > 15
        assert bool(said.subject) == (channel not in ("sms", "alimtalk"))
        assert "\n" not in said.subject
        for text in (said.subject, said.text):
            assert text == text.strip()
            assert not re.search(r"[{}]|None|\(\)|[,:] *$| [.,]|\n{3}|  |[.][가-힣A-Za-z](?!xample)", text), text


@every
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_missing_value_is_an_error_that_names_no_value(template: str, language: str) -> None:
    """A value that a template asks for must come; the error says which one, and nothing of the others."""
    for name in meta.find_undeclared_variables(environment().parse(_source(template, language))):
        rest = {k: v for k, v in values(template).items() if k != name}
        faults = [
            _fault(message(template, language=language, channel=channel, values=rest)) for channel in ("sms", "email")
        ]
        assert any(f"{name!r} is undefined" in fault for fault in faults)
        assert not any(value in fault for value in rest.values() if len(value) > 2 for fault in faults)


def _fault(told: Message) -> str:
    """What rendering says is wrong; empty where this form does without the value."""
    try:
        render(told)
    except WordsError as e:
        return str(e)
    return ""


def test_values_not_asked_for_are_passed_over() -> None:
    """The sender may hand on all that it knows."""
    assert render(message("calmed", values=FULL)) == render(message("calmed"))


def test_an_unknown_template_is_an_error() -> None:
    """A name that is in no table is not looked for among the files."""
    with pytest.raises(WordsError, match="no template"):
        render(structs.replace(message(), template="../words"))


@every
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_drill_says_so_first(template: str, language: str, channel: str) -> None:
    """Every text and every subject of a drill begins with its mark; no other message has it."""
    mark = {"ko": "[훈련] ", "en": "[DRILL] "}[language]
    drill = render(message(template, channel=channel, language=language, drill=True))
    plain = render(message(template, channel=channel, language=language))
    assert drill.text == mark + plain.text
    assert drill.subject == (mark + plain.subject if plain.subject else "")
    assert mark.strip() not in plain.text + plain.subject


def test_simulated_calls_say_so() -> None:
    """Where calls are only simulated, every message says it."""
    given_ = values("tell_officer") | {"simulated": "1"}
    assert render(message(values=given_)).text.startswith("[모의] ")
    assert render(message(values=given_, drill=True, language="en")).text.startswith("[DRILL] [SIMULATED] ")
    assert tried([CallOutcome.busy], "ko", real=False) == "모의 전화 1번: 통화 중 1"


@every
def test_korean_short_messages_are_in_the_letters_of_sms(template: str) -> None:
    """SMS of Korean networks are EUC-KR: no letter outside it, or the vendor puts a question mark there."""
    for how in HOW:
        text = render(message(template, values=values(template) | ({"how": how} if "how" in FULL else {}))).text
        assert text.encode("cp949").decode("euc_kr") == text


@pytest.mark.parametrize(
    ("template", "change"),
    [("ask_resident", {}), ("nobody_on_duty", {}), ("withdrawn", {}), *(("calmed", {"how": how}) for how in HOW)],
)
def test_messages_without_a_link_are_one_sms(template: str, change: dict[str, str]) -> None:
    """90 bytes of EUC-KR, with the office's default name."""
    assert len(render(message(template, values=values(template) | change)).text.encode("cp949")) <= 90


def test_the_officer_reads_what_matters() -> None:
    """Level, who, where, how long against usual, what was tried, help, link: in the short and the long form."""
    for channel in ("sms", "email"):
        text = render(message(channel=channel)).text
        for part in ("심각", "김○수", "역삼1동", "15시간", "7", "안 받음 3", "2번", FULL["link"]):
            assert part in text
    no_entry = message(channel="email", values=values("tell_officer") | {"entry": ""})
    assert "출입(개문) 동의: 있음" in render(message(channel="email")).text
    assert "출입(개문) 동의: 없음" in render(no_entry).text


def test_a_guardian_reads_less() -> None:
    """Nothing of hours, reasons, dong or links: whom to ring, and whom to tell."""
    for channel in CHANNELS:
        said = render(message("tell_guardian", channel=channel, values=FULL))
        assert "김○수" in said.text
        assert FULL["callback"] in said.text
        for hidden in ("15", "역삼1동", FULL["link"], "심각"):
            assert hidden not in said.text + said.subject


def test_every_role_and_reason_has_words() -> None:
    """Roles are all there; an unknown reason is shown as it is rather than not told."""
    assert set(ROLES) == set(ALL_ROLES)
    assert "moon" in render(message("calmed", values=values("calmed") | {"how": "moon", "code": ""})).text


@pytest.mark.parametrize(
    ("outcomes", "korean", "english"),
    [
        ([], "자동 전화 없었음", "no automatic call was made"),
        (["busy", "no_answer", "no_answer"], "자동 전화 3번: 안 받음 2, 통화 중 1",
         "3 automatic calls: no answer 2, busy 1"),
        (["unknown"], "자동 전화 1번: 결과 모름 1", "1 automatic call: end unknown 1"),
    ],
)  # fmt: skip
def test_what_was_tried_in_words(outcomes: list[str], korean: str, english: str) -> None:
    """How often, and how it ended."""
    assert tried([CallOutcome(o) for o in outcomes], "ko") == korean
    assert tried([CallOutcome(o) for o in outcomes], "en") == english


@given(st.lists(st.sampled_from(list(CallOutcome)), min_size=1), st.sampled_from(LANGUAGES))
def test_no_attempt_is_left_out(outcomes: list[CallOutcome], language: str) -> None:
    """The parts add up to the number of calls, whatever the outcomes."""
    head, _, tail = tried(outcomes, "ko" if language == "ko" else "en").partition(": ")
    assert re.findall(r"\d+", head) == [str(len(outcomes))]
    assert sum(int(part.rsplit(" ", 1)[1]) for part in tail.split(", ") if part[-1].isdigit()) == len(outcomes)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("김철수", "김○수"), ("김철", "김○"), ("남궁민수", "남○○수"), ("김", "○"), ("John Smith", "J*** S***"),
     ("Anne-Marie O'Neil", "A*** M*** *** N***"), ("王小明", "王○明"), ("", "○")],
)  # fmt: skip
def test_masked_names(name: str, shown: str) -> None:
    """First and last of a Korean name, first letters of a Latin one."""
    assert masked(name) == shown


@given(st.one_of(st.text(min_size=1), st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1)))
@example("J")
@example("J Jo")
@example("김○수")
@example("e\u0301a")
def test_a_masked_name_never_holds_the_name(name: str) -> None:
    """Whatever the name, as long as it has a letter: neither it nor any of its words is in what is shown."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", name))
    assume(words)
    shown = masked(name)
    assert name.strip() not in shown
    assert not any(len(word) > 1 and word in shown for word in words)


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_no_value_makes_a_line_or_a_header_of_its_own(template: str, channel: str) -> None:
    """What an alert or a name holds is one line of letters, in the subject and in the text."""
    attack = "x\r\nBcc: all@example.org\n\n119\u202e\x1b[2J\0"
    of_us = {"asked": "unanswered", "how": "life", "code": "", "role": "officer", "level": "serious"}
    told = Message("k", "p", "officer", channel, "a", template, dict.fromkeys(VALUES, attack) | of_us)
    quiet = render(Message("k", "p", "officer", channel, "a", template, dict.fromkeys(VALUES, "x") | of_us))
    said = render(told)
    assert said.subject.isprintable()
    assert all(c == "\n" or c.isprintable() for c in said.text)
    assert said.text.count("\n") == quiet.text.count("\n")
    assert "\ufffd" not in said.text
