"""When monitoring asks for a new model: one pure function for the sensor.

Belongs here: the rule. Does not belong here: starting the training (orchestration) or promoting its
result (ml.registry): a retrained model still passes the gate.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from monitoring.areas import TITLES, AreaReport, Verdict
from monitoring.review import Decision, Review

# A fault in the data is mended at its source: training on it would make it permanent.
RETRAINING_AREAS = ("feature_drift", "score_drift", "ranking_quality")
CONSECUTIVE_DAYS = 2


def retraining_wanted(
    reports: Sequence[AreaReport], reviews: Sequence[Review], last_training_day: date | None
) -> str | None:
    """Why a training is wanted, or None.

    Wanted when a review of a later day than the last training decides `retrain`, or when one of
    RETRAINING_AREAS says `act` on two consecutive days after it. `last_training_day` is the last
    data day of the latest training, promoted or not (None = none yet: every day counts). A review `keep`
    takes its report out of the count: a person has looked.
    """
    since = last_training_day or date.min
    latest = latest_retrain(reviews, last_training_day)
    if latest is not None:
        return f"{latest.reviewer} decided to retrain after {latest.area} of {latest.day}"
    kept = {(one.day, one.area) for one in reviews if one.decision is Decision.KEEP}
    for area in RETRAINING_AREAS:
        days = {
            one.day
            for one in reports
            if one.area == area
            and one.verdict is Verdict.ACT
            and one.day > since
            and (one.day, area) not in kept
        }
        for day in sorted(days, reverse=True):
            if all(day - timedelta(days=back) in days for back in range(CONSECUTIVE_DAYS)):
                first = day - timedelta(days=CONSECUTIVE_DAYS - 1)
                return (
                    f"{TITLES[area]} said act on {CONSECUTIVE_DAYS} days running, {first} to {day}"
                )
    return None


def latest_retrain(reviews: Sequence[Review], last_training_day: date | None) -> Review | None:
    """The latest review that decides `retrain` for a day later than the last training; None = none."""
    since = last_training_day or date.min
    asked = [one for one in reviews if one.decision is Decision.RETRAIN and one.day > since]
    return max(asked, key=lambda one: (one.day, one.at), default=None)
