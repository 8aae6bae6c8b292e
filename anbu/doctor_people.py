"""Whether there is somebody to be told: numbers that are none, and a week ahead, dong by dong, rosters and leaves."""

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, func, select

from anbu.configuration import Settings
from anbu.doctor import Finding
from response import ahead, numbers, tables
from response.ahead import Gap, Roll
from response.circle import STAFF
from response.hours import Hours, hours_of
from response.names import role
from response.sentences import stamp
from response.settings import ResponseSettings
from response.vault import Vault, VaultError, place

p, h = tables.people.c, tables.households.c
SHOWN = 50
"""Gaps shown one by one; the others are counted."""
NAMED = 8
"""People named by id in one finding; the others are counted."""
WHY = {
    "nobody": (
        ("등록된 사람이 없습니다", "nobody is registered"),
        ("anbu people import로 등록하십시오", "register somebody: `anbu people import`"),
    ),
    "off_duty": (
        ("당직표가 비어 있습니다", "the roster is empty"),
        ("anbu people duties로 당직을 채우십시오", "fill the roster: `anbu people duties`"),
    ),
    "leave": (
        ("모두 휴가입니다", "all are on leave"),
        ("다른 사람을 당직표에 넣거나 휴가를 끝내십시오", "put somebody else on the roster, or end a leave"),
    ),
    "unreachable": (
        ("메시지가 갈 수단이 없습니다", "no message can reach them"),
        ("전화번호와 채널을 고치십시오: anbu people import", "mend number and channels: `anbu people import`"),
    ),
}  # fmt: skip


def look(conn: Connection, settings: Settings, now: datetime) -> list[Finding]:
    """All about people; one finding a gap."""
    own, hours = settings.response, hours_of(settings.response.hours, settings.tz)
    roll = ahead.read(conn, now)
    if not roll.people:
        return [_nobody(own)]
    wrong, sealed = unusable(conn, own)
    channels = set_up(own) or frozenset(c for row in roll.people for c in row.channels)  # none: said elsewhere
    holes = ahead.gaps(roll, own.ladders, hours, ahead.ways(roll, channels, frozenset(wrong) | frozenset(sealed)), now)
    return [*_sealed(sealed), *_numbers(conn, own, roll, wrong), *_week(holes, roll, hours, own)]


def set_up(own: ResponseSettings) -> frozenset[str]:
    """Names of the channels that messages can go by."""
    named = [*own.channels, *(["sms"] if own.sms.url else []), *(["alimtalk"] if own.alimtalk.url else [])]
    return frozenset(named)


def unusable(conn: Connection, own: ResponseSettings) -> tuple[list[str], list[str]]:
    """Ids of people whose number is none, and of those whose number the keys do not open. Opens every number."""
    try:
        vault = Vault.of(own.keys)
    except VaultError:  # said elsewhere
        return [], []
    wrong, sealed = [], []
    for row in conn.execute(select(p.person_id, p.phone).where(p.phone.is_not(None), ~p.drill)):
        try:
            numbers.normal(vault.open(row.phone, place("people", "phone", row.person_id)), own.phone_region)
        except ValueError:
            wrong.append(row.person_id)
        except VaultError:
            sealed.append(row.person_id)
    return wrong, sealed


def _nobody(own: ResponseSettings) -> Finding:
    real = own.gateway != "simulated" or bool(set_up(own))
    return Finding(
        not real, "담당자", "staff",
        "등록된 사람이 없습니다: 아무에게도 알리지 못합니다 · nobody is registered: nobody can be told",
        "anbu people import로 등록하십시오", "register them: `anbu people import`", unreal=True,
    )  # fmt: skip


def _sealed(people: list[str]) -> list[Finding]:
    """People whose data no key opens."""
    return [Finding(
        False, "개인정보 키", "keys of personal data", f"키가 맞지 않음 · no key opens them: {_ids(people)}",
        "예전 키도 ANBU_RESPONSE__KEYS에 넣으십시오", "add the key of old to ANBU_RESPONSE__KEYS",
    )] if people else []  # fmt: skip


def _numbers(conn: Connection, own: ResponseSettings, roll: Roll, wrong: list[str]) -> list[Finding]:
    """Numbers that are none, staff without any, and residents who cannot be asked, dong by dong."""
    what = ("전화번호", "telephone numbers")
    mend = ("anbu people import로 고치십시오", "mend them: `anbu people import`")
    without = [row.person_id for row in roll.people if not row.phone and not row.email]
    found = []
    if wrong:
        found.append(Finding(False, *what, f"전화번호가 아님 · no numbers: {_ids(wrong)}", *mend))
    if without:
        found.append(Finding(False, *what, f"연락처 없음 · no number, no e-mail: {_ids(without)}", *mend))
    query = (
        select(p.dong, func.count().label("n")).where(p.role == "resident", p.phone.is_(None), ~p.drill)
        .group_by(p.dong).order_by(p.dong)
    )  # fmt: skip
    if silent := [f"{own.place(row.dong) or '-'} {row.n}" for row in conn.execute(query)]:
        found.append(Finding(
            True, *what, f"번호 없는 대상자 · residents without one: {', '.join(silent)} "
            "(묻지 않고 바로 담당에게 알림 · not asked, the officer is told at once)",
        ))  # fmt: skip
    return found


def _week(holes: list[Gap], roll: Roll, hours: Hours, own: ResponseSettings) -> list[Finding]:
    if not holes:
        value = f"동 · dongs {len(roll.dongs)}: 언제나 알릴 사람이 있음 · always somebody to be told"
        return [Finding(True, *_title(), value)]
    found = [_hole(list(same), hours, own) for _, same in groupby(sorted(holes, key=_order), key=_kind)]
    more = len(found) - SHOWN
    if more > 0:
        found[SHOWN:] = [Finding(False, *_title(), f"+{more}", "위의 것부터 고치십시오", "mend those above first")]
    return found


def _title() -> tuple[str, str]:
    return f"앞으로 {ahead.DAYS}일", f"the coming {ahead.DAYS} days"


def _kind(gap: Gap) -> tuple[str, str, str, tuple[str, ...]]:
    return gap.dong, gap.role, gap.why, gap.people


def _order(gap: Gap) -> tuple[int, str, str, tuple[str, ...], datetime]:
    return STAFF.index(gap.role), gap.dong, gap.why, gap.people, gap.from_at


def _hole(same: list[Gap], hours: Hours, own: ResponseSettings) -> Finding:
    """One gap, or one that comes again and again for one reason: told with its first and how often."""
    first, ((ko, en), mend) = same[0], WHY[same[0].why]
    dong = "모든 동 · every dong" if first.dong == ahead.EVERY else own.place(first.dong)
    times = f"{stamp(first.from_at, hours.tz)} - {stamp(first.until_at, hours.tz)}"
    again = f" (+{len(same) - 1}번 더 · more, ~{stamp(same[-1].until_at, hours.tz)})" if len(same) > 1 else ""
    who = f" ({_ids(first.people)})" if first.people else ""
    name = role(first.role)
    return Finding(
        False, f"{dong} {name[0]}", name[1], f"{times}{again}: {ko} · {en}{who}", *mend
    )


def _ids(people: Iterable[str]) -> str:
    ids = sorted(people)
    return ", ".join(ids[:NAMED]) + (f" +{len(ids) - NAMED}" if len(ids) > NAMED else "")
