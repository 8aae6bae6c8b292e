"""Whether the response has what it needs: keys, telephone, database. Part of `anbu doctor`."""

import shutil

from anbu.configuration import Settings
from anbu.doctor import Finding
from response import database as db
from response.vault import Vault, VaultError


def look(settings: Settings) -> list[Finding]:
    """All that is to be looked at for these settings; nothing is changed."""
    return [keys(settings), telephone(settings), *database(settings)]


def keys(settings: Settings) -> Finding:
    """Keys of personal data: without one nobody can be called or told."""
    own, what = settings.response, ("개인정보 키", "keys of personal data")
    mend = ("`anbu people key`로 만들어 ANBU_RESPONSE__KEYS로", "make one: `anbu people key`, ANBU_RESPONSE__KEYS")
    if not own.keys:
        used = own.gateway != "simulated" or bool(own.channels) or bool(own.sms.url) or bool(own.alimtalk.url)
        return Finding(not used, *what, "없음: 아무에게도 연락하지 못합니다 · none: nobody can be told", *mend)
    try:
        Vault.of(own.keys)
    except VaultError as e:
        return Finding(False, *what, str(e), *mend)
    return Finding(True, *what, str(len(own.keys)))


def telephone(settings: Settings) -> Finding:
    """The gateway, and whether it can speak."""
    own, what = settings.response, ("자동 전화", "automatic calls")
    if own.gateway == "simulated":
        return Finding(True, *what, "모의: 전화가 울리지 않습니다 · simulated: no telephone rings")
    silent = own.gateway == "sip" and own.recordings is None and shutil.which("espeak-ng") is None
    return Finding(
        not silent, *what, own.gateway,
        "녹음 폴더를 정하거나 espeak-ng를 설치하십시오", "set response.recordings, or install espeak-ng",
    )  # fmt: skip


def database(settings: Settings) -> list[Finding]:
    """A database of one's own: reachable, and of this version. Ours is made when it is needed."""
    given = settings.response.database_url
    if given is None:
        return []
    what = ("데이터베이스", "database")
    try:
        engine = db.engine(given.get_secret_value(), pool_size=1)
        try:
            db.check(engine)
        finally:
            engine.dispose()
    except db.SchemaError as e:
        return [Finding(False, *what, str(e), "위의 줄대로 하십시오", "do as the line says")]
    return [Finding(True, *what, db.wanted())]
