"""Which feeds speak for how many homes, and keys of feeds that speak for nobody: all that they send is dropped."""

from collections import Counter

from sqlalchemy import Connection, func, select

from anbu.configuration import Settings
from anbu.doctor import Finding
from response import tables

WHAT = ("자료원", "feeds")
SHOWN = 12
"""Feeds of a signal that are named; the others are counted."""
_h = tables.households.c


def look(conn: Connection, settings: Settings) -> list[Finding]:
    """Nothing where no home is known yet: whoever begins has keys first."""
    homes = {signal: _homes(conn, signal) for signal in ("meter", "phone")}
    if not any(many.total() for many in homes.values()):
        return []
    shown = "; ".join(f"{signal} {_shown(many)}" for signal, many in homes.items())
    found = [Finding(True, *WHAT, f"가구 수 · homes: {shown}")]
    for sender in dict.fromkeys(settings.http.senders().values()):
        if not homes[sender.signal][sender.feed]:
            setting = f"http.{sender.signal}_keys.{sender.feed}"
            found.append(Finding(
                False, *WHAT,
                f"{setting}: 이 이름을 쓰는 가구가 없어 모두 버립니다 · no home names it: all that it sends is dropped",
                f"가구 등록의 feeds.{sender.signal}에 이 이름을 적거나 키의 이름을 바꾸십시오 (docs/ingest.md)",
                f"put it into feeds.{sender.signal} of its homes' records, or call the key as they do (docs/ingest.md)",
            ))  # fmt: skip
    return found


def _homes(conn: Connection, signal: str) -> Counter[str]:
    """Homes by the feed that their records name; "" where there is none."""
    feed = func.coalesce(_h.record["feeds"][signal].astext, "")
    query = select(feed, func.count()).where(_h.withdrawn_at.is_(None)).group_by(feed)
    return Counter({row[0]: row[1] for row in conn.execute(query)})


def _shown(homes: Counter[str]) -> str:
    named = [f"{name or '-'} {many:,}" for name, many in homes.most_common(SHOWN)]
    return ", ".join(named) + (f", +{len(homes) - SHOWN}" if len(homes) > SHOWN else "")
