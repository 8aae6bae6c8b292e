"""Words of the report that follow from a name: levels, reasons, causes and helps, why a home cannot be judged."""

from collections.abc import Mapping

Pair = tuple[str, str]
"""Korean and English."""

LEVELS: dict[str, Pair] = {
    "attention": ("관심 이상", "attention or more"),
    "caution": ("주의 이상", "caution or more"),
    "serious": ("심각", "serious"),
}

REASONS: dict[str, Pair] = {
    "silent": ("평소보다 오래 조용함", "quiet for longer than usual"),
    "silent_new": ("배우는 동안 오래 조용함", "quiet for long while still being learned"),
    "unlike": ("사람이 없는 집과 비슷함", "looked like an empty home"),
    "": ("-", "-"),
}

CAUSES: dict[str, tuple[Pair, Pair]] = {
    "gaps": (
        ("검침값이 한 달에 {hours}시간쯤 빠집니다.", "Readings are missing for about {hours} h a month."),
        ("계량기와 통신을 점검해 주세요.", "Have the meter and its connection looked at."),
    ),
    "away": (
        (
            "알림의 {percent}%가 {hours}시간 넘게 이어졌습니다. 집을 자주 비우는 것 같습니다.",
            "{percent} % of its alerts lasted over {hours} h: the resident seems to be away often.",
        ),
        ("집을 비울 때 알려 달라고 부탁하고 부재를 등록해 주세요.", "Ask to be told of absences, and register them."),
    ),
    "limit": (
        ("알림의 {percent}%가 정해진 한도를 넘은 것입니다.", "{percent} % of its alerts passed the fixed limit."),
        (
            "건강이 허락하면 위험군을 낮추거나 한도(limits)를 늘려 주세요.",
            "Where health allows, choose a lower risk group or a longer limit (settings `limits`).",
        ),
    ),
    "changed": (
        (
            "알림의 {percent}%가 {weeks}주 안에 몰려 있습니다. 여행, 입원, 손님처럼 생활이 달라진 때로 보입니다.",
            "{percent} % of its alerts fall into {weeks} weeks: a time of change, such as a trip, a hospital or a "
            "guest.",
        ),
        (
            "그때 무슨 일이 있었는지 여쭙고, 부재였다면 다음부터 등록해 주세요.",
            "Ask what happened then; if it was an absence, register the next one.",
        ),
    ),
    "little": (
        (
            "있는 신호로는 생활이 잘 보이지 않습니다 (빈집이 되어도 주의까지 {hours}시간쯤).",
            "The signals show little of this life (were it empty, caution would take about {hours} h).",
        ),
        (
            "문열림이나 움직임 감지기 같은 다른 신호를 더해 주세요.",
            "Add another signal, such as a door or motion sensor.",
        ),
    ),
    "hours": (
        (
            "알림의 {percent}%가 {from}시와 {until}시 사이에 났습니다.",
            "{percent} % of its alerts came between {from} and {until} o'clock.",
        ),
        (
            "그 시간을 어떻게 지내시는지(늦잠, 야간 근무, 외출) 여쭙고 적어 두세요.",
            "Ask how these hours are spent (sleeping late, night work, going out), and note it down.",
        ),
    ),
    "phone": (
        ("전화를 쓰는 때가 하루 {calls}번쯤뿐입니다.", "The phone is used only about {calls} times a day."),
        (
            "안부 전화 시간을 정하거나 다른 신호를 더해 주세요.",
            "Agree on a time for a call, or add another signal.",
        ),
    ),
    "no_phone": (
        ("전화 기록 없이 전기만 봅니다.", "It is judged by electricity alone: there is no phone feed."),
        ("동의를 얻어 전화 기록을 더해 주세요.", "With the resident's consent, add the phone feed."),
    ),
    "unclear": (
        ("수치로는 까닭이 드러나지 않습니다.", "The figures do not show why."),
        ("한번 찾아뵙고 생활을 여쭤 주세요.", "A word with the resident will tell more."),
    ),
}

UNABLE: dict[str, Pair] = {
    "well": ("잘 보입니다.", "It can be judged well."),
    "quiet": ("평소에도 오래 조용합니다.", "It is often quiet for long."),
    "load_hidden": (
        "생활하는 전기가 빈집의 전기와 거의 같습니다.",
        "The load of life is hardly above that of the empty home.",
    ),
    "phone_rare": (
        "전기로는 잘 보이지 않고 전화도 거의 쓰지 않습니다.",
        "Electricity shows little, and the phone is hardly used.",
    ),
    "no_phone": (
        "전기로는 잘 보이지 않고 전화 기록이 없습니다.",
        "Electricity shows little, and there is no phone feed.",
    ),
    "no_meter": ("전기 검침값 없이 전화만 봅니다.", "There is no meter feed, only the phone."),
    "no_readings": ("쓸 수 있는 밤 검침값이 아직 없습니다.", "No night of it has been measured yet."),
    "learning": ("아직 일주일을 배우지 못했습니다.", "Less than a week of it has been learned."),
    "no_feeds": ("들어오는 자료가 없습니다.", "Nothing comes from it."),
}


def filled(words: Pair, values: Mapping[str, float]) -> Pair:
    """Words with figures in them, whole numbers without a point."""
    shown = {k: f"{v:.0f}" if v == round(v) else f"{v:.1f}" for k, v in values.items()}
    return words[0].format(**shown), words[1].format(**shown)


def facts_of(about: Mapping[str, object]) -> str:
    """What a model file says of itself, in one line: words and numbers; its tables are for `docs/detection.md`."""
    plain = {k: v for k, v in about.items() if isinstance(v, str | int | float)}
    lists = {k: ", ".join(v) for k, v in about.items() if isinstance(v, list) and all(isinstance(x, str) for x in v)}
    return "; ".join(f"{k}: {v}" for k, v in {**lists, **plain}.items())
