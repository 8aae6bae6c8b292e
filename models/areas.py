"""When many homes fall silent in one slot it is one event of their area, not an emergency each."""


def is_out(silent: int, members: int, was_out: bool, share: float, end_share: float, least: int) -> bool:
    """Whether an area is out in a slot: from ``share`` of its members silent, until fewer than ``end_share`` are.

    An area of fewer than ``least`` members is never judged as a whole.
    """
    if members < least:
        return False
    part = silent / members
    return part >= (end_share if was_out else share)
