"""Why an alert was raised, changed or cleared, in words: codes with values, and sentences in Korean and English."""

from collections.abc import Mapping, Sequence

Values = Mapping[str, float | str]
Reason = tuple[str, Values]

SENTENCES: dict[str, tuple[str, str]] = {
    "silent": (
        "생활 신호가 {hours}시간째 없습니다. 평소 하루 중 가장 오래 조용한 때는 {usual_hours}시간쯤입니다.",
        "No sign of life for {hours} h; the longest silence of a usual day is about {usual_hours} h.",
    ),
    "silent_new": (
        "생활 신호가 {hours}시간째 없습니다. 등록 {days}일째라 평소 모습은 아직 배우는 중입니다.",
        "No sign of life for {hours} h; day {days} since enrolment, what is usual is still being learned.",
    ),
    "unlike": (
        "{hours}시간째 사람이 없는 집과 비슷한 모습입니다. 마지막으로 뚜렷한 생활 신호는 {life_hours}시간 전입니다.",
        "For {hours} h this has looked like an empty home; the last clear sign of life was {life_hours} h ago.",
    ),
    "load_low": (
        "전기는 {watts} W쯤으로, 평소 이 시간의 {low}~{high} W보다 적습니다.",
        "Electricity is at about {watts} W, below the {low} to {high} W usual at this hour.",
    ),
    "load_quiet": (
        "전기는 {watts} W쯤으로, 이 집의 조용한 밤과 같습니다 ({quiet} W 이하).",
        "Electricity is at about {watts} W, as in this home's quiet nights (up to {quiet} W).",
    ),
    "load": ("전기는 {watts} W쯤입니다.", "Electricity is at about {watts} W."),
    "phone_quiet": (
        "전화와 문자를 {hours}시간째 쓰지 않았습니다.",
        "The phone has not been used for {hours} h.",
    ),
    "phone_quiet_week": (
        "전화와 문자를 일주일 넘게 쓰지 않았습니다.",
        "The phone has not been used for over a week.",
    ),
    "phone_none": ("전화 기록이 없는 가구입니다.", "No phone feed watches this household."),
    "phone_unknown": (
        "전화 기록이 아직 오지 않아 전기만 보았습니다.",
        "The phone feed is behind; electricity alone was judged.",
    ),
    "phone_out": (
        "전화에 문제가 있다고 하여 전기만 보았습니다.",
        "The phone is known to have a problem; electricity alone was judged.",
    ),
    "meter_gap": (
        "전기 검침값이 {hours}시간째 없어 전화만 보았습니다.",
        "No meter reading for {hours} h; the phone alone was judged.",
    ),
    "power_off": ("집에 전기가 들어오지 않는 것 같습니다 (0 W).", "The home seems to have no power at all (0 W)."),
    "limit": ("정해진 한도 {limit_hours}시간을 넘었습니다.", "The fixed limit of {limit_hours} h has passed."),
    "heat_limit": (
        "폭염 특보로 한도를 {limit_hours}시간으로 줄였습니다.",
        "A heat warning shortens the limit to {limit_hours} h.",
    ),
    "cold_limit": (
        "한파 특보로 한도를 {limit_hours}시간으로 줄였습니다.",
        "A cold warning shortens the limit to {limit_hours} h.",
    ),
    "told_in": (
        "이 집은 생활이 끊기면 보통 {hours}시간쯤 지나 알 수 있습니다.",
        "When life stops in this home, that is usually told after about {hours} h.",
    ),
    "told_by_limit": (
        "이 집은 자료만으로는 판단할 수 없어 정해진 한도 {limit_hours}시간으로 지켜봅니다.",
        "This home cannot be judged by what it shows: it is watched by the fixed limit of {limit_hours} h.",
    ),
    "why_quiet": (
        "평소에도 오래 조용한 때가 많아 늦게 알게 됩니다.",
        "It is often silent for long, so silence is told late.",
    ),
    "why_load_hidden": (
        "사람이 있을 때와 없을 때의 전기 사용이 비슷해 늦게 알게 됩니다.",
        "Its load is much the same with nobody in, so silence is told late.",
    ),
    "why_phone_rare": (
        "사람이 있을 때와 없을 때의 전기 사용이 비슷하고 전화도 드물게 써 늦게 알게 됩니다.",
        "Its load is much the same with nobody in and its phone is rarely used, so silence is told late.",
    ),
    "why_no_phone": (
        "사람이 있을 때와 없을 때의 전기 사용이 비슷하고 전화 기록이 없어 늦게 알게 됩니다.",
        "Its load is much the same with nobody in and no phone feed watches it, so silence is told late.",
    ),
    "why_no_meter": (
        "전기 검침이 없고 전화만으로는 늦게 알게 됩니다.",
        "No meter watches it, and its phone alone tells silence late.",
    ),
    "why_no_readings": (
        "전기 검침값이 아직 모이지 않아 전화만으로 보며 늦게 알게 됩니다.",
        "No quiet night was measured yet, and its phone alone tells silence late.",
    ),
    "why_learning": (
        "평소 모습을 아직 배우는 중입니다 (처음 7일).",
        "What is usual is still being learned (the first 7 days).",
    ),
    "why_no_feeds": ("전기도 전화도 지켜보지 않는 가구입니다.", "Neither a meter nor a phone feed watches it."),
    "life_phone": ("전화를 다시 썼습니다.", "The phone was used again."),
    "life_load": ("전기를 다시 평소처럼 쓰고 있습니다.", "Electricity shows life again."),
    "life_again": ("평소와 같은 모습으로 돌아왔습니다.", "Life looks usual again."),
    "late_life": (
        "늦게 온 기록으로 {life}에 생활 신호가 있었음을 확인했습니다.",
        "Late data shows a sign of life at {life}.",
    ),
    "late_data": ("늦게 온 기록으로 다시 판단했습니다.", "Judged again with data that came late."),
    "made_sure": (
        "{at}에 사람이 안부를 확인했습니다.",
        "Somebody made sure at {at} that the resident is there.",
    ),
    "left": (
        "이사나 사망으로 이 집은 더 지켜보지 않습니다.",
        "The resident moved or died; this home is not watched any more.",
    ),
    "absence": ("부재가 등록되었습니다.", "An absence is registered for this time."),
    "withdrawn": ("동의가 철회되어 더 지켜보지 않습니다.", "Consent was withdrawn; nothing is watched any more."),
    "no_data": ("전기 검침값이 {hours}시간째 오지 않습니다.", "No valid meter reading for {hours} h."),
    "no_data_no_life": (
        "그동안 다른 생활 신호도 없어 사람이 확인해야 합니다.",
        "Nor was there another sign of life: a person should look.",
    ),
    "data_back": ("검침값이 다시 옵니다.", "Readings are coming again."),
    "use_less": (
        "지난 2주 동안 전기를 쓰는 시간이 평소보다 {percent}% 줄었습니다.",
        "Over the last two weeks electricity was in use for {percent} % less of the day than usual.",
    ),
    "rhythm_less": (
        "하루하루의 생활 시간이 평소보다 불규칙합니다 (규칙성 {percent}% 감소).",
        "The hours of life are less regular than usual, by {percent} %.",
    ),
    "phone_less": (
        "전화와 문자를 쓰는 때가 보통 하루 {usual}번쯤에서 {now}번쯤으로 줄었습니다.",
        "The phone is used about {now} times on a typical day, down from about {usual}.",
    ),
    "night_more": (
        "밤(0~6시) 생활이 하루 활동의 {usual}%에서 {now}%로 늘었습니다.",
        "The night (0 to 6) holds {now} % of the day's activity, up from {usual} %.",
    ),
    "drift_back": ("요즘 모습이 다시 평소와 같습니다.", "The last two weeks look usual again."),
    "drift_over": (
        "한 달이 지나 알림을 닫습니다. 달라진 모습을 새로운 평소로 배우고 있습니다.",
        "A month has passed: the alert is closed, and the changed life is being learned as usual.",
    ),
    "area_silent": (
        "{area} 지역 {members}가구 가운데 {silent}가구가 한꺼번에 조용합니다 (정전 또는 통신 장애).",
        "{silent} of {members} households in area {area} went silent at once (power cut or lost connection).",
    ),
    "area_back": ("{area} 지역이 다시 돌아왔습니다.", "Area {area} is back."),
    "feed_stalled": (
        "{feed} 자료가 {minutes}분째 오지 않습니다. 이 자료로는 아무도 지켜볼 수 없습니다.",
        "Feed {feed} has sent nothing for {minutes} min; nobody can be watched by it.",
    ),
    "feed_back": ("{feed} 자료가 다시 옵니다.", "Feed {feed} is coming again."),
}


def sentences(reasons: Sequence[Reason]) -> tuple[str, str]:
    """Reasons in words: (Korean, English). A number is written without needless digits."""
    korean, english = [], []
    for code, values in reasons:
        shown = {k: _shown(v) for k, v in values.items()}
        ko, en = SENTENCES[code]
        korean.append(ko.format(**shown))
        english.append(en.format(**shown))
    return " ".join(korean), " ".join(english)


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"
