"""When scenarios happen, and what many of them begin with."""

from tests.response.town import Town

DAY = "2026-03-04 10:00"  # a Wednesday
NIGHT = "2026-03-04 23:00"
SATURDAY = "2026-03-07 10:00"
HOLIDAY = "2026-05-05 10:00"  # children's day, a Tuesday


def unanswered(town: Town, times: int = 3) -> None:
    """The resident is asked ``times`` times from now and answers none."""
    town.asked().is_not_answered()
    for minutes in (10, 50)[: times - 1]:
        town.wait(minutes=minutes)
        town.call().is_not_answered()


def an_officer_is_told(town: Town, ago_h: float = 0) -> None:
    """It is serious in office hours: the resident does not answer, guardian and officer are told. ``ago_h``: it was so
    many hours ago, of the past, and still stands."""
    town.alert("serious", ago_h=ago_h)
    if ago_h:
        town.wait(minutes=5)
    town.asked().is_not_answered()
    town.message("guardian", "tell_guardian")
    town.message("officer", "tell_officer")
