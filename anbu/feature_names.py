"""The learned model's features in words, Korean and English, for the report of `anbu train`."""

import re

_NAMED = {
    "score": "생활이 없다는 근거의 합 · evidence of no life, ended by load and phone",
    "joint": "마지막 전화 사용 뒤 근거의 합 · evidence since the last own phone use",
    "meter": "그중 전기의 몫 · the meter's part of the evidence",
    "phone": "그중 전화의 몫 · the phone's part of the evidence",
    "joint before": "지난번 전화 사용 때까지 쌓였던 근거 · evidence there was when the phone was last used",
    "silent h": "생활 신호 없는 시간 · hours without a sign of life",
    "unused h": "전화를 쓰지 않은 시간 · hours since own phone use",
    "since life h": "생활 증거 뒤 시간 · hours since a proof of life",
    "callers": "걸려 온 연락 · who tried to reach",
    "waiting": "연락이 기다린 시간 · how long the first of them has waited",
    "joint / usual": "근거 ÷ 평소 하루의 최고 · evidence against a usual day's highest",
    "silent / usual": "침묵 ÷ 평소 하루의 최장 · silence against a usual day's longest",
    "silent / record": "침묵 ÷ 기록 · silence against the longest known",
    "phone / usual": "전화 침묵 ÷ 평소 · the phone's silence against the usual",
    "phone / record": "전화 침묵 ÷ 기록 · the phone's silence against the most known",
    "callers / record": "걸려 온 연락 ÷ 기록 · who tried to reach against the most known",
    "waiting / usual": "기다린 시간 ÷ 평소 · waiting against the usual",
    "waiting / record": "기다린 시간 ÷ 기록 · waiting against the longest known",
    "usual score": "평소 하루의 최고 근거 · a usual day's highest evidence",
    "usual joint": "평소 하루의 최고 (전화 뒤) · a usual day's highest since phone use",
    "calls a day": "하루 전화 사용 · own phone use a day",
    "days heard": "전화를 들은 날 · days the phone was heard",
    "days": "배운 날 · days learned",
    "since yesterday": "어제 이 시각보다 · load against yesterday at this hour",
    "joint - high here": "근거 − 이 시각의 높은 편 · evidence against rather high at this hour",
    "joint - worst here": "근거 − 이 시각의 최고 · evidence against the highest at this hour",
    "range - low here": "부하 폭 − 이 시각의 낮은 편 · range of load against rather low at this hour",
    "range - worst here": "부하 폭 − 이 시각의 최저 · range of load against the lowest at this hour",
    "told here": "이 시각에 빈집이 말하는 양 · what an empty home would tell at this hour",
    "told next": "다음 두 시간에 · ... in the next two hours",
    "told before": "앞 두 시간에 · ... in the two hours before",
    "told a day": "하루에 · ... in a day",
    "time of day": "시각 · the time of day",
}
_WINDOWS = {
    "mean": "평균 부하, 조용한 밤 대비 · mean load against quiet nights",
    "top": "최고 부하, 조용한 밤 대비 · highest load against quiet nights",
    "low": "최저 부하, 조용한 밤 대비 · lowest load against quiet nights",
    "stir": "부하의 움직임 · change from reading to reading",
    "bounded": "부하의 위쪽 여유 ÷ 아래쪽 · how far load goes above its middle against below",
    "range": "부하의 폭 · range of load",
    "slope": "평소 하루를 따르는 정도 · how load follows the home's own day",
    "off": "평소 하루에서 벗어난 정도 · how far load is from the home's own day",
    "varies": "평소 하루의 오르내림 · how much the home's own day varies",
}


def readable(name: str) -> str:
    """A feature's name in words; as it is, where there are none."""
    if name in _NAMED:
        return _NAMED[name]
    window = re.fullmatch(r"(\w+) (\d+) h", name)
    if window and window[1] in _WINDOWS:
        return f"{window[2]} h: {_WINDOWS[window[1]]}"
    return name
