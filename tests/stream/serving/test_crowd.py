"""Who makes room, and who has taken too long: decisions alone, on a clock that the test moves."""

from dataclasses import dataclass, field, replace

from stream.serving.crowd import Crowd
from stream.serving.limits import Limits, Stage

LIMITS = Limits(body_bytes=1, bodies_bytes=1, connections=4)


@dataclass(eq=False)
class One:
    """A connection that is where the test puts it."""

    group: str
    stage: Stage = Stage.head
    request: int = 0
    came: int = 0
    gone: list[str] = field(default_factory=list)

    def at(self) -> tuple[Stage, object]:
        return self.stage, self.request

    def received(self) -> int:
        return self.came

    def end(self, stage: Stage) -> None:
        self.gone.append(stage.name)

    def cut(self) -> None:
        self.gone.append("cut")


@dataclass
class Watched:
    """A crowd, its clock and what it refused."""

    limits: Limits = LIMITS
    now: float = 0.0
    refused: list[str] = field(default_factory=list)
    crowd: Crowd = field(init=False)

    def __post_init__(self) -> None:
        self.crowd = Crowd(self.limits, self.refused.append, lambda: self.now)

    def enter(self, *ones: One) -> list[bool]:
        return [self.crowd.enter(one) for one in ones]

    def run(self, seconds: int) -> None:
        """Sweep every second."""
        for _ in range(seconds):
            self.now += 1
            self.crowd.sweep()


def test_whoever_has_most_makes_room_the_oldest_first() -> None:
    """An attacker's connections go one by one, the other's stays."""
    watched = Watched()
    honest, attackers = One("honest"), [One("attacker") for _ in range(20)]
    watched.enter(honest, *attackers)
    assert [one.gone for one in attackers] == [["cut"]] * 17 + [[]] * 3
    assert honest.gone == []
    assert watched.refused == ["crowded"] * 17


def test_nobody_who_waits_for_us_makes_room() -> None:
    """What has asked is answered; where all have, the new one is refused."""
    watched = Watched()
    asked = [One("proxy", Stage.answering) for _ in range(3)]
    waits = One("other")
    assert all(watched.enter(*asked, waits))
    assert watched.enter(One("new", Stage.answering)) == [True]
    assert (waits.gone, watched.refused) == (["cut"], ["crowded"])
    assert watched.enter(One("late")) == [False]
    assert watched.refused == ["crowded", "full"]
    assert not any(one.gone for one in asked)
    assert len(watched.crowd) == 4


def test_one_address_may_have_all_the_room_there_is() -> None:
    """A proxy in front of us is one address."""
    watched = Watched()
    assert all(watched.enter(*[One("proxy", Stage.idle) for _ in range(4)]))
    assert watched.refused == []


def test_who_leaves_is_forgotten() -> None:
    """Nothing is kept of connections that are gone, twice gone or never there."""
    watched = Watched()
    for n in range(1000):
        one = One(f"address {n}")
        watched.enter(one)
        watched.crowd.leave(one)
        watched.crowd.leave(one)
    assert len(watched.crowd) == 0
    assert not watched.crowd._groups


def test_each_stage_has_its_time() -> None:
    """Head, body, answer, rest and idleness are ended when theirs is over; our own turn never."""
    times = {"head": 10, "body": 10, "taking": 30, "rest": 3, "idle": 15}
    watched = Watched(replace(LIMITS, connections=100))
    ones = {stage: One("a", stage) for stage in Stage}
    watched.enter(*ones.values())
    for second in range(40):
        gone = {stage.name for stage, one in ones.items() if one.gone}
        assert gone == {name for name, limit in times.items() if second > limit}, second
        watched.run(1)
    assert set(watched.refused) == {"head_slow", "body_slow", "answer_not_taken", "rest_of_body"}


def test_the_next_request_begins_anew() -> None:
    """A busy connection is in the midst of a body at every look, each time of another request."""
    watched, one = Watched(), One("a", Stage.body)
    watched.enter(one)
    for one.request in range(10):
        watched.run(9)
    assert one.gone == []


def test_a_body_has_to_come_with_its_rate() -> None:
    """After ten seconds, 4,096 bytes in each."""
    for came, stays in ((4096, True), (3000, False)):
        watched, one = Watched(), One("a", Stage.body, came=came)
        watched.enter(one)
        watched.run(200)
        assert (one.gone == []) == stays


def test_a_process_that_stood_still_blames_nobody() -> None:
    """Stopped for an hour, it ends no connection for that."""
    watched, one = Watched(), One("a")
    watched.enter(one)
    watched.run(5)
    watched.now += 3600
    watched.run(2)
    assert one.gone == []
    watched.run(5)
    assert one.gone == ["head"]
