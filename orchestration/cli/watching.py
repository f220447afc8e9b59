"""`segue doctor --alert`: what a schedule that does not run cannot say itself.

Belongs here: the check for cron. Does not belong here: finding (orchestration.alerting) or telling
(orchestration.notify).
"""

from datetime import UTC, datetime

from ml.errors import SegueError
from orchestration.alerting import missed_day, tell_of_missed
from orchestration.cli.console import console, then
from orchestration.delivery import addresses
from orchestration.home import LIVE, read_home
from orchestration.notify import send_again
from orchestration.settings import load_settings


def watch_the_schedule(by_hour: int, now: datetime | None = None) -> None:
    """Alert on a day that is due and not lived, and send alerts again that no address took.

    Raises:
        SegueError: such a day, so that cron's own mail tells of it too; or an address of SEGUE_ALERTS
            that is not understood.
    """
    settings = load_settings()
    home = read_home(settings)
    at = now or datetime.now(UTC)
    addresses(settings.alert_urls)
    if again := send_again(settings, at):
        console.print(f"{again} earlier alerts were sent now.")
    if home.source.kind != LIVE:
        console.print(f"A home with {home.source.kind} data has no clock: it cannot miss a day.")
        then("segue doctor")
        return
    missed = missed_day(settings, home, at, by_hour)
    if missed is not None:
        told = tell_of_missed(settings, missed, at)
        raise SegueError(f"{missed.words} (alert: {told.value if told else 'told before'})")
    console.print("Every day that is due was lived.")
