"""Sections on the alerts of a history: how many at each setting, when, and what some of them look like."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import numpy as np

from anbu.report.charts import COLOURS, against, bars
from anbu.report.element import Element, el, pair, table
from anbu.report.picture import picture
from anbu.report.words import LEVELS
from simulators.review import Review
from simulators.tally import LEVELS as NAMES
from simulators.tally import Episode
from simulators.tried import days_of

_THIN = 0.1  # of the fullest week's homes: weeks with fewer are not drawn


def totals(r: Review) -> Iterator[Element]:
    """Alerts by level, and cautions at each setting: asked and found."""
    t = r.thresholds
    days = dict(zip(NAMES, (t.attention_days, t.caution_days, t.serious_days), strict=True))
    yield pair(
        "한 알림은 이른 단계에서 시작해 더 높은 단계로 갈 수 있습니다. 아래는 그 단계에 이른 알림의 수입니다. "
        "‘설정’은 우연히 그만큼 울리라고 정한 값이고, ‘기록’은 이 기록에서 실제로 센 값입니다.",
        "An alert begins at a low level and may rise; counted here are alerts that reached a level. ‘Asked’ is "
        "what the setting allows by chance, ‘found’ is what was counted in this history.",
    )
    yield table(
        (("단계", "level"), ("알림 수", "alerts"), ("설정 (100가구·주)", "asked per 100 homes, week"),
         ("기록 (100가구·주)", "found per 100 homes, week")),
        ((_both(LEVELS[name]), int(n), days_of(days[name]), r.rate(int(n)))
         for name, n in zip(NAMES, r.tally.total, strict=True)),
    )  # fmt: skip
    many, by_limit = len(r.tally.episodes), sum("limit" in e.codes for e in r.tally.episodes)
    others = sorted((_KINDS[k], n) for k, n in r.tally.others.items() if n)
    yield pair(
        f"주의 {many:,}건 가운데 {by_limit:,}건은 고정 한도를 넘은 것으로, 단계 설정으로는 줄지 않습니다. "
        + (f"이 밖에 {', '.join(f'{ko} {n:,}건' for (ko, _), n in others)}." if others else ""),
        f"Of {many:,} cautions {by_limit:,} had passed the fixed limit: settings of levels do not make them fewer. "
        + (f"Besides, {', '.join(f'{en}: {n:,}' for (_, en), n in others)}." if others else ""),
    )
    yield el("h3", "주의를 다르게 정한다면 · If caution were set otherwise")
    yield pair(
        "‘주의’를 더 자주 또는 더 드물게 정하면 이 기록에서는 이만큼 울렸을 것입니다. 한 번의 판단에서 함께 센 "
        "어림값입니다 (한 시간마다 보았고, 고정 한도에 걸린 것은 어느 설정에서나 남습니다). 점이 점선 위에 있으면 "
        "정한 것보다 자주 울린 것입니다.",
        "How often caution would have been reached in this history if it were set to come more or less often: an "
        "estimate counted beside the same run (looked at hourly; alerts by the fixed limits remain at every "
        "setting). A point above the dashed line rang more often than asked.",
    )
    own = days_of(t.caution_days)
    found = [r.rate(int(n)) for n in r.tried]
    yield table(
        (("설정 (100가구·주)", "asked per 100 homes, week"), ("levels.caution_days", "setting"),
         ("알림 수", "alerts"), ("기록 (100가구·주)", "found per 100 homes, week"), ("", "")),
        ((a, days_of(a), int(n), f, "◀ 지금 now" if np.isclose(a, own) else "")
         for a, n, f in zip(r.asked, r.tried, found, strict=True)),
    )  # fmt: skip
    yield against(r.asked, found, own, "설정(가로)과 기록(세로), 100가구·주마다 · asked (across) and found (up)")


def weekly(r: Review) -> Iterator[Element]:
    """Alerts of each week, one picture a level."""
    yield pair(
        "명절, 휴가, 한파처럼 많은 집이 한꺼번에 달라지는 주에는 막대가 높습니다. 점선은 설정에서 정한 값입니다. "
        "지켜본 집이 적은 주는 그리지 않습니다. 처음 한 주는 아직 배우지 못해 한도만 말합니다.",
        "Weeks in which many homes change at once, as holidays, stand out. The dashed line is what the setting "
        "allows. Weeks in which few homes were watched are not drawn. In a home's first week nothing is learned "
        "yet: only the limits speak.",
    )
    use = [i for i, n in enumerate(r.home_weeks) if n > 0 and n >= _THIN * r.home_weeks.max()]
    weeks = [r.weeks[i] for i in use]
    months = _months(weeks)
    t = r.thresholds
    days = (t.attention_days, t.caution_days, t.serious_days)
    for level in reversed(range(len(NAMES))):
        counts = [r.tally.weeks[w][level] if w in r.tally.weeks else 0 for w in weeks]
        rates = [100 * int(c) / float(r.home_weeks[i]) for c, i in zip(counts, use, strict=True)]
        name = " · ".join(LEVELS[NAMES[level]])
        yield el("h3", f"{name} (100가구마다 per 100 homes)")
        yield bars(
            rates, [w.isoformat() for w in weeks], months, COLOURS[NAMES[level]], name, line=days_of(days[level])
        )


def _months(weeks: Sequence[date]) -> list[str]:
    """What stands under each week: its Thursday's month where that begins with it, and there is room."""
    every = 1 + len(weeks) // 30
    out: list[str] = []
    shown = -every
    for week in weeks:
        thursday = week + timedelta(days=3)
        number = thursday.year * 12 + thursday.month
        fits = (not out or thursday.day <= 7) and number - shown >= every
        out.append(thursday.strftime("%Y-%m") if fits else "")
        shown = number if fits else shown
    return out


def examples(r: Review) -> Iterator[Element]:
    """Three alerts as pictures, chosen by rule."""
    yield pair(
        "끝이 난 주의 이상의 알림 가운데 규칙으로 골랐습니다. 가장 뚜렷한 것: 우연히는 가장 드문 것. 의심스러운 "
        "것: 주의에 이른 뒤 가장 빨리 생활이 돌아온 것. 보통: 나머지 가운데 드물기가 한가운데인 것. 푸른 띠는 그 "
        "시간의 평소 범위, 선은 시간마다 쓴 전기(kWh), 노란 바탕은 알림이 말하는 조용한 때, 굵은 세로줄은 주의에 "
        "이른 때, 아래 초록 점은 전화를 쓴 때, 갈색 점은 받지 않은 전화와 받은 문자입니다.",
        "Chosen by rule among the cautions that ended. Clearest: the rarest by chance. Doubtful: the one after "
        "which life came back soonest. Typical: of the rest, the middle one by rarity. The blue band is what is "
        "usual at that hour, the line is electricity by the hour (kWh), the yellow ground is the silence that the "
        "alert speaks of, the thick upright is when caution was reached; green marks below: the phone was used, "
        "brown: calls not answered and messages received.",
    )
    c = r.chosen
    told = {("가장 뚜렷한 것", "the clearest"): c.clearest, ("보통", "a typical one"): c.typical,
            ("의심스러운 것", "a doubtful one"): c.doubtful}  # fmt: skip
    if not any(told.values()):
        yield pair("주의에 이르러 끝난 알림이 없습니다.", "No alert reached caution and ended.")
    for (ko, en), e in told.items():
        if e is not None:
            yield el("div", *_example(r, ko, en, e), class_="example")


def _example(r: Review, ko: str, en: str, e: Episode) -> Iterator[Element]:
    yield el("h3", f"{ko} · {en}: {e.household_id}, {e.at:%Y-%m-%d %H:%M}, {' '.join(_LEVEL[e.level])}")
    yield picture(r.picture(e), f"{e.household_id} {e.at:%Y-%m-%d %H:%M}")
    ended = e.ended or e.at
    hours = (ended - e.at).total_seconds() / 3600
    rare = "" if e.period is None else f" 우연히는 {e.period:,.0f}일에 한 번쯤 볼 모습입니다."
    seldom = "" if e.period is None else f" By chance it would be seen once in about {e.period:,.0f} days."
    yield pair(
        f"{e.text_ko}{rare} {hours:.0f}시간 뒤 알림이 끝났습니다.",
        f"{e.text_en}{seldom} The alert ended {hours:.0f} h later.",
    )


def _both(words: tuple[str, str]) -> Element:
    return el("span", words[0] + " ", el("span", words[1], lang="en"))


_LEVEL = {"attention": ("관심", "attention"), "caution": ("주의", "caution"), "serious": ("심각", "serious")}
_KINDS = {
    "data_gap": ("자료 없음", "data gaps"), "decline": ("서서히 줄어듦", "slow declines"),
    "reversal": ("낮밤 바뀜", "reversals of day and night"), "area_outage": ("지역 정전", "area outages"),
    "feed_stalled": ("자료 멈춤", "stalled feeds"),
}  # fmt: skip
