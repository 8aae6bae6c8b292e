"""When many homes fall silent in one slot it is one event of their area, not an emergency each."""


def is_out(silent: int, members: int, was_out: bool, share: float, end_share: float, least: int) -> bool:
    """Whether an area is out in a slot: from ``share`` of its members silent, until fewer than ``end_share`` are.

    An area of fewer than ``least`` members is never judged as a whole.
    """
    if members < least:
        return False
    part = silent / members
    return part >= (end_share if was_out else share)


def surely_out(
    silent: int, unknown: int, members: int, was_out: bool, share: float, end_share: float, least: int
) -> bool | None:
    """Whether an area is out whatever ``unknown`` further members turn out to be; None where it depends on them."""
    low, high = (is_out(n, members, was_out, share, end_share, least) for n in (silent, silent + unknown))
    return low if low == high else None
