"""The lines that were added to a day's segments since the last look.

Belongs here: places up to which a reader has read. Does not belong here: what the lines say.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import orjson

from ml.sources.events import day_folder


@dataclass(slots=True)
class Tail:
    """A reader of one day of a journal; `places` are bytes read so far, by segment name."""

    folder: Path
    day: date
    places: dict[str, int] = field(default_factory=dict)

    def events(self, *, durable: bool = False) -> Iterator[dict[str, object]]:
        """New whole lines as objects; lines that are no event are left out.

        With `durable` they are on the disk before they are handed out: what a killed writer left may
        have reached no more than memory.
        """
        try:
            found = list(os.scandir(day_folder(self.folder, self.day)))
        except FileNotFoundError:
            return
        for entry in sorted(found, key=lambda entry: entry.name):
            place = self.places.get(entry.name, 0)
            if not entry.name.endswith(".jsonl") or entry.stat().st_size <= place:
                continue
            new = _whole_lines(Path(entry.path), place, durable=durable)
            self.places[entry.name] = place + len(new)
            for line in new.splitlines():
                event = _parsed(line)
                if event is not None:
                    yield event


def _whole_lines(path: Path, place: int, *, durable: bool) -> bytes:
    with path.open("rb") as stream:
        stream.seek(place)
        new = stream.read()
        if durable:
            os.fsync(stream.fileno())
    return new[: new.rfind(b"\n") + 1]


def _parsed(line: bytes) -> dict[str, object] | None:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None
