"""How each of our processes and commands gets into the broker: by the login that the settings give, or at the broker of
this machine by one of its own, which the account finds that started it."""

from collections.abc import Mapping
from typing import TypeVar

from anbu.errors import UserError
from deploy.kafka import users
from deploy.kafka.ports import is_free
from stream.brokers import BrokerSettings, PasswordSettings, UserSettings
from stream.kafka import local_port
from stream.rights import Role
from stream.settings import Settings

S = TypeVar("S", bound=Settings)
FOLDER = "kafka"
"""Of the local broker, in data_dir."""


def acting_as(role: Role, settings: S, stays: bool = False) -> S:
    """Settings with which a role reaches the broker. Where none of ours has been started yet they are as given: who
    tries is told that nobody answers. ``stays``: for a process that would wait, and never get in with these.

    Raises:
        UserError: the broker of this machine is another account's, or not the one of ``data_dir``, or (``stays``) has
            never been started.
    """
    port = local_port(settings.broker)
    if port is None:
        return _of_cluster(role, settings)
    folder = settings.data_dir.absolute() / FOLDER
    try:
        login = users.login(folder, role)
    except PermissionError as e:
        raise UserError(
            f"이 컴퓨터의 브로커는 다른 계정의 것입니다 ({folder}): 그 계정으로 실행하거나 HTTP로 보내십시오 · the "
            f"broker of this machine is another account's ({folder}): run this as that account, or send by HTTP"
        ) from e
    except (FileNotFoundError, KeyError) as e:
        if is_free(port) and not stays:
            return settings
        raise UserError(
            f"포트 {port}의 브로커에 들어갈 암호가 {folder}에 없습니다 · no password for the broker at port {port} in "
            f"{folder}: start `anbu up`, set ANBU_DATA_DIR to its folder, or ANBU_BROKER__SECURITY_PROTOCOL if it is "
            "none of anbu's"
        ) from e
    return _with(settings, login | {"users": UserSettings()})  # the names that it knows


def _of_cluster(role: Role, settings: S) -> S:
    """The user of the role where its password is given, else the one login there is; and nobody else's password."""
    broker = settings.broker
    password = getattr(broker.passwords, role)
    if broker.passwords == PasswordSettings():
        return settings
    login = {} if password is None else {"sasl_username": getattr(broker.users, role), "sasl_password": password}
    return _with(settings, login | {"passwords": PasswordSettings()})


def _with(settings: S, changed: Mapping[str, object]) -> S:
    given = {name: getattr(settings.broker, name) for name in BrokerSettings.model_fields}
    return settings.model_copy(update={"broker": BrokerSettings(**{**given, **changed})})
