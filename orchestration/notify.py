"""Telling people that something went wrong, once for each finding.

Belongs here: the record of alerts, the one function that sensors, assets and the command line call, and
the words of a failed run. Does not belong here: deciding what is wrong (alerting) or how a message
travels (delivery).
"""

import fcntl
import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO

from ml.lines import append_line, whole_objects
from orchestration.delivery import deliver
from orchestration.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

Line = dict[str, str]


class State(StrEnum):
    """What became of an alert: no address was configured, an address took it, none did."""

    RECORDED = "recorded"
    SENT = "sent"
    NOT_SENT = "not sent"


def notify(
    settings: Settings, *, at: datetime, title: str, text: str, finding: str = ""
) -> State | None:
    """Send an alert to the addresses of SEGUE_ALERTS and append it to log/alerts.jsonl of the home.

    `finding` names what was found. The same finding is told once: None is returned and nothing written,
    unless no address took it the last time. Without a name, the same words count as the same finding
    for a day. An address that cannot be reached is no error: a failed run must end with its own.
    """
    name = finding or _name(title, text, at)
    settings.alerts.parent.mkdir(parents=True, exist_ok=True)
    with settings.alerts.open("a+b") as file:
        # Held while the message travels: two processes that find the same must not both send.
        fcntl.flock(file, fcntl.LOCK_EX)
        known = _last(file).get(name)
        if known is not None and known["state"] != State.NOT_SENT:
            return None
        return _tell(settings, file, at, {"finding": name, "title": title, "text": text})


def send_again(settings: Settings, at: datetime) -> int:
    """Send what no address took; returns how many alerts an address has taken now."""
    if not settings.alerts.is_file() or not settings.alert_urls:
        return 0
    with settings.alerts.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        states = [_tell(settings, file, at, one) for one in _waiting(file)]
    return states.count(State.SENT)


def waiting(settings: Settings) -> int:
    """How many alerts no address took."""
    if not settings.alerts.is_file():
        return 0
    with settings.alerts.open("rb") as file:
        return len(_waiting(file))


def _waiting(file: BinaryIO) -> list[Line]:
    return [one for one in _last(file).values() if one["state"] == State.NOT_SENT]


def failure_text(events: Iterable["dg.DagsterEvent"]) -> str:
    """The messages of the failed steps, the innermost error's own words; empty where none failed."""
    texts = []
    for event in events:
        if not event.is_step_failure:
            continue
        data = event.step_failure_data
        error = data.error
        while error is not None and error.cause is not None:
            error = error.cause
        said = data.user_failure_data.description if data.user_failure_data else None
        text = said or (error.message.strip() if error else "no message")
        texts.append(f"{event.step_key}: {text}")
    return "\n".join(texts)


def _name(title: str, text: str, at: datetime) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return f"{title}/{at.date()}/{digest}"


def _last(file: BinaryIO) -> dict[str, Line]:
    """The last line of each finding. A line cut short by a killed process is passed over, and one from
    before findings had names is none."""
    file.seek(0)
    return {one["finding"]: one for one in whole_objects(file.read()) if "finding" in one}


def _tell(settings: Settings, file: BinaryIO, at: datetime, alert: Line) -> State:
    state = State.RECORDED
    if settings.alert_urls:
        taken = deliver(settings.alert_urls, alert["title"], alert["text"])
        state = State.SENT if taken else State.NOT_SENT
    line = {**alert, "at": at.isoformat(), "state": state.value}
    append_line(file, json.dumps(line, sort_keys=True))
    return state
