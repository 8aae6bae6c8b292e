"""A feed that stops: operators are told by wall clock, and no household is alarmed for it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from models import reasons
from stream.alerts import alert_id
from stream.records import Alert, ReasonCode
from stream.settings import Settings


@dataclass(slots=True)
class FeedWatch:
    """Last arrival per feed over all partitions (wall clock, UTC seconds) and the feeds told as stalled."""

    settings: Settings
    last: dict[str, float] = field(default_factory=dict)
    stalled: dict[str, float] = field(default_factory=dict)

    def heard(self, arrivals: dict[str, float], now: float) -> None:
        """One partition's last arrivals per feed in use; a feed that has never sent counts from now on."""
        for feed, at in arrivals.items():
            self.last[feed] = max(self.last.get(feed, 0.0), at or (0.0 if feed in self.last else now))

    def check(self, now: float) -> list[Alert]:
        """Feeds that stalled or came back by ``now``."""
        alerts = []
        for feed, last in self.last.items():
            quiet = now - last
            if feed in self.stalled:
                if last > self.stalled[feed]:
                    alerts.append(_alert("cleared", feed, self.stalled.pop(feed), now, ("feed_back", {"feed": feed})))
            elif quiet >= self.settings.feed(feed).stall_seconds:
                self.stalled[feed] = last
                why: reasons.Reason = ("feed_stalled", {"feed": feed, "minutes": round(quiet / 60, 1)})
                alerts.append(_alert("raised", feed, last, now, why))
        return alerts


def _alert(event: str, feed: str, last: float, now: float, why: reasons.Reason) -> Alert:
    korean, english = reasons.sentences([why])
    return Alert(
        event=event,  # type: ignore[arg-type]
        alert_id=alert_id(feed, "feed_stalled", int(last)),
        household_id="",
        kind="feed_stalled",
        level="serious",
        to="operator",
        at=datetime.fromtimestamp(now, UTC),
        onset=datetime.fromtimestamp(last, UTC),
        last_life=None,
        return_period_days=None,
        reasons=(ReasonCode(why[0], dict(why[1])),),
        text_ko=korean,
        text_en=english,
    )
