import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as quickly
from hypothesis import strategies as st
from structlog.testing import capture_logs

from response.channels.make import make
from response.channels.words import TEMPLATES
from response.records import DeliveryResult, GatewayError, Message, NotSent
from response.settings import ResponseSettings
from tests.response.channels.messages import FULL, message
from tests.response.channels.vendor import Vendor, vendor

NAMES = ("sms", "alimtalk", "email", "webhook")


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Vendor, Vendor]]:
    """The world, and the place of drills."""
    with vendor() as real, vendor() as drill:
        yield real, drill


def _url(to: Vendor) -> str:
    return f"json://127.0.0.1:{to.port}/?:to={{address}}"


@st.composite
def _setups(draw: st.DrawFn) -> tuple[frozenset[str], frozenset[str], bool, bool]:
    names = st.frozensets(st.sampled_from(NAMES))
    return draw(names), draw(names), draw(st.booleans()), draw(st.booleans())


messages = st.builds(
    Message, key=st.just("k"), person_id=st.just("p"), role=st.sampled_from(["officer", "resident", "operator"]),
    channel=st.sampled_from((*NAMES, "fax", "")), address=st.sampled_from(["01012345678", "a@b.example", ""]),
    template=st.sampled_from((*TEMPLATES, "none")), values=st.sampled_from([FULL, {}]),
    language=st.sampled_from(["ko", "en"]), drill=st.booleans(),
)  # fmt: skip


@given(_setups(), messages, st.booleans())
@quickly(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_drills_and_the_world_never_meet(
    two: tuple[Vendor, Vendor], setup: tuple[frozenset[str], frozenset[str], bool, bool], told: Message, drill: bool
) -> None:
    """Whatever the settings and the message: a drill reaches only drill channels, everything else only real ones."""
    real, drills = two
    real.asked.clear()
    drills.asked.clear()
    real_names, drill_names, sms, alimtalk = setup
    settings = ResponseSettings.model_validate({
        "channels": {name: _url(real) for name in real_names},
        "drill_channels": {name: _url(drills) for name in drill_names},
        "sms": {"url": real.url if sms else ""},
        "alimtalk": {"url": real.url if alimtalk else "", "template_codes": {"calmed": "C"}},
        "message_seconds": 5,
    })  # fmt: skip
    delivery = await make(settings, drill).send(told)
    assert bool(real.asked) <= (not told.drill and not drill)
    assert bool(drills.asked) <= (told.drill and drill)
    assert (delivery.result is DeliveryResult.sent) == bool(real.asked or drills.asked)
    assert all("[" in json and ("\\ud6c8\\ub828" in json or "[DRILL]" in json) for json in drills.texts)
    if told.drill != drill:
        assert (delivery.result, delivery.reason) == (DeliveryResult.not_sent, NotSent.drill)


@pytest.mark.parametrize("drill", [False, True])
async def test_nothing_set_up_is_never_sent(drill: bool) -> None:
    """By default there is no channel: not sent, and why."""
    channels = make(ResponseSettings(), drill)
    delivery = await channels.send(message(drill=drill))
    assert channels.names == frozenset()
    assert (delivery.result, delivery.reason) == (DeliveryResult.not_sent, NotSent.no_channel)


def test_names_are_those_that_can_send() -> None:
    """What a sender may choose from."""
    settings = ResponseSettings.model_validate({
        "channels": {"email": "jsons://x"}, "drill_channels": {"sms": "jsons://x"}, "sms": {"url": "https://x"},
        "alimtalk": {"url": "https://x"},
    })  # fmt: skip
    assert make(settings, drill=False).names == {"email", "sms", "alimtalk"}
    assert make(settings, drill=True).names == {"sms"}


def test_a_bad_channel_stops_the_start() -> None:
    """One line, at once."""
    with pytest.raises(GatewayError, match="email"):
        make(ResponseSettings.model_validate({"channels": {"email": "mail//x:secret@y"}}), drill=False)


async def test_what_is_missing_in_a_message_is_failed(two: tuple[Vendor, Vendor]) -> None:
    """A message that cannot be put in words did not go out, and the log has one line about it without its content."""
    settings = ResponseSettings.model_validate({"channels": {"sms": _url(two[0])}})
    with capture_logs() as logs:
        delivery = await make(settings, drill=False).send(message(values={"name": "김○수"}))
    assert delivery.result is DeliveryResult.failed
    (line,) = logs
    assert (line["result"], line["channel"], line["template"]) == ("failed", "sms", "tell_officer")
    assert "010-2345-6789" not in repr(line)
    assert "김○수" not in repr(line)


async def test_a_fault_of_ours_is_unknown() -> None:
    """A channel that raises does not stop the others; whether it sent nobody knows."""
    channels = make(ResponseSettings.model_validate({"channels": {"sms": "json://127.0.0.1"}}), drill=False)

    async def broken(message: Message) -> None:
        raise RuntimeError(message.address)

    channels._by_name["sms"].send = broken  # type: ignore[method-assign, assignment]
    delivery = await channels.send(message())
    assert (delivery.result, delivery.detail) == (DeliveryResult.unknown, "a fault: RuntimeError")
    await channels.close()


def test_the_example_of_the_page_works() -> None:
    """docs/messages.md: its anbu.toml makes the channels that it says."""
    page = (Path(__file__).parents[3] / "docs" / "messages.md").read_text(encoding="utf-8")
    example = tomllib.loads(page.split("```toml\n")[1].split("```")[0])
    settings = ResponseSettings.model_validate(example["response"])
    assert make(settings, drill=False).names == {"email", "webhook", "sms", "alimtalk"}
    assert make(settings, drill=True).names == {"sms"}
    assert all(f"`{reason}`" in page for reason in NotSent)
    assert all(f"`{result}`" in page for result in DeliveryResult)
