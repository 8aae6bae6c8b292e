"""Sections on the homes of a history: what was read, who will make trouble, who can be judged, what is not known."""

from collections.abc import Iterator, Mapping

import numpy as np

from anbu.report.charts import bars
from anbu.report.element import Element, el, number, pair, table
from anbu.report.words import CAUSES, REASONS, UNABLE, facts_of, filled
from models.judgeable import CAP
from simulators.review import Review
from simulators.standing import Standing
from simulators.trouble import CAUTION, Facts, causes, main_reason

_STEP = 4  # hours a bar
_LISTED = 50  # homes of a reason that are named


def read(r: Review, bad: int, model: str, about: Mapping[str, object]) -> Iterator[Element]:
    """What was read, with which settings it was judged."""
    both, meter, phone = r.feeds
    days, t = (r.last - r.first).total_seconds() / 86_400, r.thresholds
    lost = float(np.median(r.lost)) if len(r.lost) else 0.0
    gaps = int((r.lost >= 24).sum())
    yield pair(
        f"{r.first:%Y-%m-%d}부터 {r.last:%Y-%m-%d}까지 {days:,.0f}일, {r.households:,}가구(전기와 전화 {both:,}, "
        f"전기만 {meter:,}, 전화만 {phone:,})의 검침값 {r.readings:,}개와 전화 기록 {r.events:,}개를 읽었습니다. "
        f"쓸 수 없는 행은 {bad:,}개입니다. 검침값이 빠진 시간은 보통 집에서 한 달에 {number(lost)}시간이고, 한 "
        f"달에 하루 넘게 빠진 집은 {gaps:,}곳입니다. 모두 {float(r.home_weeks.sum()):,.0f} 가구·주를 보았습니다. "
        f"설정은 관심 {t.attention_days:g}일, 주의 {t.caution_days:g}일, 심각 {t.serious_days:g}일에 한 번, 한도는 "
        f"위험군에 따라 {', '.join(f'{h:g}' for h in t.limit_hours)}시간이며, 모델은 {model}입니다.",
        f"Read were {days:,.0f} days from {r.first:%Y-%m-%d} to {r.last:%Y-%m-%d} of {r.households:,} homes "
        f"({both:,} with meter and phone, {meter:,} with the meter alone, {phone:,} with the phone alone): "
        f"{r.readings:,} readings and {r.events:,} phone events; {bad:,} rows could not be used. Readings are "
        f"missing for {number(lost)} h a month in the middle home, for over a day a month in {gaps:,} homes. In "
        f"all {float(r.home_weeks.sum()):,.0f} weeks of homes were watched. Set was attention once in "
        f"{t.attention_days:g} days, caution in {t.caution_days:g}, serious in {t.serious_days:g}, limits of "
        f"{', '.join(f'{h:g}' for h in t.limit_hours)} h by risk group; the model was {model}.",
    )
    if about:
        yield el("p", f"모델 · model: {facts_of(about)}", class_="small")


def troubled(r: Review) -> Iterator[Element]:
    """Homes with most cautions, why, and what would help."""
    if not r.troubled:
        yield pair(
            "주의를 세 번 이상, 평균의 두 배 넘게 낸 집이 없습니다.",
            "No home had three cautions or more and twice the average.",
        )
        return
    share = sum(f.share for f in r.troubled)
    yield pair(
        f"주의가 세 번 이상이고 평균의 두 배가 넘는 집을 많은 순서로 적었습니다. 이 {len(r.troubled)}곳이 모든 "
        f"주의의 {share:.0%}를 냅니다. 까닭은 수치가 뚜렷할 때만 적었으며, 먼저 고치기 쉬운 것부터입니다.",
        f"Homes with three cautions or more and twice the average, most first. These {len(r.troubled)} make "
        f"{share:.0%} of all cautions. Causes are told only where a figure shows them, those that are easiest to "
        "mend first.",
    )
    yield table(
        (("가구", "home"), ("주의", "cautions"), ("비율", "share"), ("까닭과 도움", "why, and what would help")),
        ((f.household_id, f.count, f"{f.share:.0%}", _why(f)) for f in r.troubled),
    )


def _why(f: Facts) -> Element:
    code, many = main_reason(f.episodes)
    ko, en = REASONS.get(code, (code, code))
    lines = [
        el("p", f"가장 흔한 이유: {ko} ({many}/{f.count}). ", el("span", f"Most common: {en}.", lang="en")),
    ]
    for name, values in causes(f)[:3]:
        (why_ko, why_en), (help_ko, help_en) = (filled(words, values) for words in CAUSES[name])
        lines.append(
            el("p", f"{why_ko} ", el("b", help_ko), " ", el("span", f"{why_en} ", el("b", help_en), lang="en"))
        )
    return el("div", *lines)


def judgeable(r: Review) -> Iterator[Element]:
    """How many can be judged, the hours to caution, and who cannot be."""
    s = r.standing
    able, well = int(s.able.sum()), int((s.hours < 24).sum())
    yield pair(
        f"기록이 끝날 때 {len(s.ids):,}가구 가운데 {able:,}곳은 고정 한도(보통 위험군)보다 먼저, 그중 {well:,}곳은 "
        "하루 안에 주의에 이를 것으로 보입니다. 시간은 평소 모습에서 셈한 어림값이며, 집들의 차례를 보이는 것이지 "
        f"약속이 아닙니다. 마지막 막대는 {CAP:.0f}시간 이상 또는 ‘이르지 않음’입니다.",
        f"At the end of the history {able:,} of {len(s.ids):,} homes would be expected to reach caution before the "
        f"fixed limit of normal risk, {well:,} of them within a day. The hours are estimated from what is usual in "
        f"each home: they order homes and promise no time. The last bar is {CAP:.0f} h or more, or never.",
    )
    edges = np.arange(0, CAP + _STEP, _STEP)
    counts = np.bincount(np.minimum(s.hours / _STEP, CAP / _STEP).astype(int), minlength=len(edges))
    names = [f"{e:.0f}–{e + _STEP:.0f} h" for e in edges[:-1]] + [f"≥ {CAP:.0f} h"]
    marks = [f"{e:.0f}" if e % 12 == 0 else "" for e in edges]
    yield bars(counts.tolist(), names, marks, "#22577a", "주의까지 걸릴 시간 · expected hours to caution", height=140)
    if able == len(s.ids):
        yield pair("한도보다 먼저 알 수 없는 집은 없습니다.", "There is no home for which only the limits speak.")
        return
    yield el("h3", f"한도만 말하는 집 {len(s.ids) - able:,}곳 · Homes for which only the fixed limits speak")
    yield table((("까닭", "why"), ("집", "homes"), ("가구 (시간)", "which, with the hours")), _unable(s))


def _unable(s: Standing) -> Iterator[tuple[Element, int, str]]:
    """Reasons, most homes first, with the homes by id."""
    by_reason: dict[str, list[str]] = {}
    for i in sorted(np.flatnonzero(~s.able).tolist(), key=lambda i: s.ids[i]):
        took = f" ({s.hours[i]:.0f})" if s.hours[i] < CAP else ""
        by_reason.setdefault(s.reason[i], []).append(f"{s.ids[i]}{took}")
    for reason, found in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        ko, en = UNABLE[reason]
        more = len(found) - _LISTED
        rest = f" … 외 {more:,}곳, and {more:,} more" if more > 0 else ""
        yield el("span", f"{ko} ", el("span", en, lang="en")), len(found), ", ".join(found[:_LISTED]) + rest


def unknown(r: Review) -> Iterator[Element]:
    """What such a report cannot say."""
    yield pair(
        "이 기록에 쓰러진 사람이 있었는지 이 보고서는 모릅니다. 모든 알림을 헛알림으로 세었지만, 그 가운데 진짜가 "
        "있었을 수 있습니다. 얼마나 찾아내는지, 몇 시간 만인지는 여기서 알 수 없습니다. 그 값은 지어낸 쓰러짐으로 "
        "재어 docs/detection.md에 적혀 있습니다.",
        "This report does not know whether anybody collapsed in this history. All alerts are counted as raised in "
        "vain, though some may have been right. What share would be found, and after how many hours, cannot be "
        "seen here: it was measured with made-up collapses and stands in docs/detection.md.",
    )
    yield pair(
        "자료는 모두 제때 온 것으로 쳤습니다. 실제로는 늦게 오는 만큼 늦게 울립니다. 등록되지 않은 부재는 "
        "알림으로 셌습니다. 적은 알림(열 건 아래)의 비율은 우연에 크게 흔들립니다.",
        "All data counts as having come on time; in life an alert is as late as its data. Absences that nobody "
        "registered count as alerts. Rates of few alerts (less than ten) are shaken by chance.",
    )
    if not r.tally.total[CAUTION]:
        yield pair("이 기록에는 주의가 하나도 없었습니다.", "There was no caution in this history.")
