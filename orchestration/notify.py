"""Telling people that something went wrong.

Belongs here: one function for the failure sensor and the command line, which no sensor sees, and the
words it is given. Does not belong here: deciding what is wrong.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from orchestration.settings import Settings

if TYPE_CHECKING:
    import dagster as dg


def notify(settings: Settings, *, at: datetime, title: str, text: str) -> None:
    """Append an alert to log/alerts.jsonl of the home."""
    settings.alerts.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"at": at.isoformat(), "title": title, "text": text}, sort_keys=True)
    with settings.alerts.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


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
