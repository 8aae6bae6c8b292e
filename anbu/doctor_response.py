"""Whether the response has what it needs, and whether that is real: keys, telephone, channels, database, people. Part
of `anbu doctor`."""

import shutil
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from anbu import doctor_channels, doctor_feeds, doctor_people, doctor_rights
from anbu.configuration import Settings
from anbu.database import looking
from anbu.doctor import Finding
from anbu.errors import UserError
from deploy.postgres.errors import PostgresError
from response import database as db
from response import withdrawals
from response.gateways.gate import host, networks
from response.sentences import stamp
from response.vault import Vault, VaultError


def look(settings: Settings, now: datetime) -> list[Finding]:
    """All that is to be looked at for these settings; nothing is changed, nothing is sent."""
    own = settings.response
    return [
        keys(settings), telephone(settings), *doctor_channels.telephone(own), *doctor_channels.messages(own),
        *database(settings, now),
    ]  # fmt: skip


def not_real(settings: Settings) -> list[Finding]:
    """What reaches nobody by these settings, without a look at anything else: for whoever starts it."""
    own = settings.response
    found = [keys(settings), telephone(settings)]
    if not doctor_people.set_up(own):
        found += doctor_channels.messages(own)
    return [finding for finding in found if finding.unreal]


def keys(settings: Settings) -> Finding:
    """Keys of personal data: without one nobody can be called or told."""
    own, what = settings.response, ("개인정보 키", "keys of personal data")
    mend = ("`anbu people key`로 만들어 ANBU_RESPONSE__KEYS로", "make one: `anbu people key`, ANBU_RESPONSE__KEYS")
    if not own.keys:
        used = own.gateway != "simulated" or bool(own.channels) or bool(own.sms.url) or bool(own.alimtalk.url)
        value = "없음: 아무에게도 연락하지 못합니다 · none: nobody can be told"
        return Finding(not used, *what, value, *mend, unreal=True)
    try:
        Vault.of(own.keys)
    except VaultError as e:
        return Finding(False, *what, str(e), *mend)
    return Finding(True, *what, str(len(own.keys)))


def telephone(settings: Settings) -> Finding:
    """The gateway, and whether it can speak."""
    own, what = settings.response, ("자동 전화", "automatic calls")
    if own.gateway == "simulated":
        return Finding(
            True, *what, "모의: 아무에게도 전화가 가지 않습니다 · simulated: nobody can be called",
            "실제로 쓰려면 response.gateway를 sip 또는 http로", "for real people set response.gateway to sip or http",
            unreal=True,
        )  # fmt: skip
    if own.recordings is not None and not own.recordings.is_dir():
        return Finding(
            False, *what, f"녹음 폴더가 없습니다 · no such folder: {own.recordings}",
            "response.recordings를 고치십시오", "mend response.recordings",
        )  # fmt: skip
    sip, domain = own.gateway == "sip", own.sip.domain
    if sip and domain and not networks(own.sip.accept_from or (host(domain),)):
        return Finding(
            False, *what, "회선의 주소를 찾을 수 없습니다 · no address of the trunk is known: nothing goes out or in",
            "response.sip의 domain 또는 accept_from을 고치십시오", "mend domain or accept_from of response.sip",
        )  # fmt: skip
    silent = sip and own.recordings is None and shutil.which("espeak-ng") is None
    return Finding(
        not silent, *what, own.gateway,
        "녹음 폴더를 정하거나 espeak-ng를 설치하십시오", "set response.recordings, or install espeak-ng",
    )  # fmt: skip


def withdrawn(conn: Connection, settings: Settings) -> list[Finding]:
    """Whose data wait to be deleted; nothing where nobody's do."""
    pending = withdrawals.pending(conn)
    if not pending:
        return []
    first = stamp(pending[0].delete_at, ZoneInfo(settings.tz))
    value = f"{len(pending)}가구, 첫 파기 {first} · households, the first deleted then"
    return [Finding(True, "동의 철회", "consent withdrawn", value)]


def database(settings: Settings, now: datetime) -> list[Finding]:
    """The database: reachable and of this version, and what it knows of people. None is made to look at it."""
    what = ("데이터베이스", "database")
    try:
        with looking(settings) as (engine, sight), engine.connect() as conn:
            found = [Finding(True, *what, db.wanted()), *doctor_rights.look(conn, sight)]
            found += doctor_feeds.look(conn, settings)
            return [*found, *withdrawn(conn, settings), *doctor_people.look(conn, settings, now)]
    except UserError:
        return [Finding(
            True, *what, f"아직 없음 · none yet ({settings.data_dir.absolute()})",
            "다른 폴더에서 쓰고 있다면 data_dir을 정하십시오; 처음이면 anbu up이 만듭니다",
            "used in another folder: set data_dir; if this is the first time, `anbu up` makes it", unreal=True,
        )]  # fmt: skip
    except (PostgresError, db.SchemaError) as e:
        return [Finding(False, *what, str(e), "위의 줄대로 하십시오", "do as the line says")]
    except DBAPIError as e:
        return [Finding(False, *what, db.said(e), "데이터베이스의 기록을 보십시오", "see the log of the database")]
