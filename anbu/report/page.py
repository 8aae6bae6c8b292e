"""The report as one page: its sections in order, its style, nothing from elsewhere and no script."""

from collections.abc import Mapping

from anbu.report import alerts, homes
from anbu.report.element import Element, el, html
from simulators.review import Review

_STYLE = """
body { font: 15px/1.5 "Noto Sans KR", "Noto Sans CJK KR", "Malgun Gothic", "Apple SD Gothic Neo", sans-serif;
  color: #222; background: #fff; max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; border-bottom: 1px solid #999; margin-top: 2rem; }
h3 { font-size: 1rem; margin: 1rem 0 .2rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; }
.pair p { margin: .4rem 0; } [lang=en] { color: #555; } .small { font-size: .85rem; color: #555; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: .93rem; }
th { text-align: left; font-weight: 600; } th span { display: block; font-weight: 400; font-size: .8rem; }
th, td { border-bottom: 1px solid #ddd; padding: .25rem .5rem; vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; } td p { margin: .1rem 0; }
.chart { width: 100%; height: auto; display: block; }
@media (max-width: 40rem) { .pair { grid-template-columns: 1fr; gap: 0; } }
@page { size: A4; margin: 14mm; }
@media print { body { font-size: 9.5pt; margin: 0; padding: 0; max-width: none; }
  .pair { gap: 1rem; } h2, h3 { break-after: avoid; } .example, .chart, tr { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def page(r: Review, bad: int = 0, model: str = "shipped", about: Mapping[str, object] | None = None) -> str:
    """The report. ``bad``: rows that could not be used; ``model``: the name of the learned model, which tells
    ``about`` itself what it was fitted on."""
    sections = {
        "읽은 것 · What was read": homes.read(r, bad, model, about or {}),
        "알림의 수 · How many alerts": alerts.totals(r),
        "주마다 · By week": alerts.weekly(r),
        "보기 · Examples": alerts.examples(r),
        "손이 많이 갈 집 · Homes that will make trouble": homes.troubled(r),
        "얼마나 볼 수 있나 · How well homes can be judged": homes.judgeable(r),
        "이 보고서가 말할 수 없는 것 · What this report cannot say": homes.unknown(r),
    }
    title = "안부: 켜기 전에 보는 지난 기록 · anbu: your own history before switching on"
    parts: list[Element] = [el("h1", title)]
    for i, (name, body) in enumerate(sections.items(), 1):
        parts.append(el("section", el("h2", f"{i}. {name}"), *body))
    head = el(
        "head", el("meta", charset="utf-8"), el("title", title), el("style", _STYLE),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
    )  # fmt: skip
    return html(el("html", head, el("body", *parts), lang="ko"))
