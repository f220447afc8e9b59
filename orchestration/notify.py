"""Telling people that something went wrong.

Belongs here: one function for the failure sensor and the command line, which no sensor sees. Does not
belong here: deciding what is wrong.
"""

import json
from datetime import datetime

from orchestration.settings import Settings


def notify(settings: Settings, *, at: datetime, title: str, text: str) -> None:
    """Append an alert to log/alerts.jsonl of the home."""
    settings.alerts.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"at": at.isoformat(), "title": title, "text": text}, sort_keys=True)
    with settings.alerts.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
