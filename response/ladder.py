"""The contact ladder: one literal list of steps that a reader can recite. docs/ladder.md draws it."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from response.records import Means, Role

MOST_HOURS = 72
"""So long at most a step waits, and a case is somebody's without a word of theirs: nobody else is told meanwhile."""


class Step(BaseModel):
    """One rung: after ``wait_minutes`` since the step before (of the first: since the case), within ``hours``, ``to``
    these, ``by`` these means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z_]{1,32}$", description="what the log calls it")
    to: tuple[Role, ...] = Field(min_length=1, description="who is told")
    by: tuple[Means, ...] = Field(("message",), min_length=1, description="sms, call, message; in this order")
    wait_minutes: float = Field(0, ge=0, description="minutes since the step before")
    one_source_minutes: float | None = Field(
        None, ge=0, description="instead of wait_minutes where one signal alone is silent"
    )
    hours: Literal["any", "calling", "office"] = Field("any", description="the step waits for these hours")
    off_hours: str | None = Field(
        None, description="where the office is closed nobody of it is told: the ladder goes on at this step at once"
    )
    repeat_minutes: float | None = Field(None, gt=0, description="of the last step: told again so often, for ever")


class Ladder(BaseModel):
    """Steps in their order. ``urgent``: the step that a serious case, or a resident who asks for help, jumps to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[Step, ...] = Field(min_length=1, description="in their order")
    urgent: str = Field(description="name of the step where a serious case begins")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names):
            raise ValueError(f"two steps have one name: {names}")
        for name in [self.urgent, *(s.off_hours for s in self.steps if s.off_hours)]:
            if name not in names:
                raise ValueError(f"there is no step {name!r}: the steps are {', '.join(names)}")
        for n, step in enumerate(self.steps):
            if step.off_hours and names.index(step.off_hours) <= n:
                raise ValueError(f"step {step.name!r}: off_hours must name a later step")
        last = self.steps[-1]
        if last.repeat_minutes is None:
            raise ValueError(f"the last step {last.name!r} needs repeat_minutes: a ladder ends only with a person")
        if any(step.repeat_minutes for step in self.steps[:-1]):
            raise ValueError("only the last step may have repeat_minutes")
        return self

    def longest(self) -> float:
        """The most minutes that one of its steps waits, or waits to be told again."""
        waits = [(s.wait_minutes, s.one_source_minutes or 0, s.repeat_minutes or 0) for s in self.steps]
        return max(map(max, waits))

    def index(self, name: str) -> int:
        """Position of a step by name."""
        return next(n for n, step in enumerate(self.steps) if step.name == name)


SILENCE = Ladder(
    urgent="tell",
    steps=(
        Step(name="ask", to=("resident",), by=("sms", "call"), hours="calling"),
        Step(name="ask_again", to=("resident",), by=("call",), wait_minutes=10, hours="calling"),
        Step(name="ask_last", to=("resident",), by=("call",), wait_minutes=50, hours="calling"),
        Step(
            name="tell", to=("guardian", "officer"), wait_minutes=5, one_source_minutes=120, off_hours="tell_centre"
        ),
        Step(name="tell_deputy", to=("deputy",), wait_minutes=15, off_hours="tell_centre"),
        Step(name="tell_centre", to=("centre",), wait_minutes=15, repeat_minutes=15),
    ),
)
"""A resident who is silent. A serious case begins at ``tell``; the resident is rung beside it in calling hours."""

CHECK = Ladder(
    urgent="look",
    steps=(Step(name="look", to=("officer",), hours="office", repeat_minutes=24 * 60),),
)
"""A home that nothing is known of (no data for a day): a person looks, in office hours, every working day anew."""

DEFAULT: dict[str, Ladder] = {"silence": SILENCE, "data_gap": CHECK}
"""Ladder by the kind of alert; a kind without one has that of silence."""
