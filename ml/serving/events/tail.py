"""The lines that were added to a day's segments since the last look.

Belongs here: places up to which a reader has read. Does not belong here: what the lines say.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import orjson

from ml.sources.events import SEGMENT, SHOWN_SEGMENT, day_folder

_BLOCK_BYTES = 1 << 22


@dataclass(slots=True)
class Tail:
    """A reader of one day of a journal; `places` are bytes read so far, by segment name."""

    folder: Path
    day: date
    places: dict[str, int] = field(default_factory=dict)
    # Every answer looks: making the path anew costs more than the look.
    _path: str = field(init=False)

    def __post_init__(self) -> None:
        self._path = str(day_folder(self.folder, self.day))

    def events(
        self, *, durable: bool = False, but: str | None = None
    ) -> Iterator[dict[str, object]]:
        """New whole lines as objects; lines that are no event are left out, and unparsed those of the kind
        `but`, as the journal writes them: a line begins with its kind.

        With `durable` they are on the disk before they are handed out: what a killed writer left may
        have reached no more than memory.
        """
        for name in self._grown(but):
            place = self.places.get(name, 0)
            for new in _whole_lines(Path(self._path, name), place, durable=durable):
                place += len(new)
                self.places[name] = place
                lines = new.splitlines()
                if but is not None:
                    start = f'{{"kind":"{but}"'.encode()
                    lines = [line for line in lines if not line.startswith(start)]
                yield from filter(None, map(_parsed, lines))

    def _grown(self, but: str | None) -> list[str]:
        """Names of segments with bytes that were not read, in the order in which they were begun; where
        impressions are not wanted, without those that hold nothing else."""
        unwanted = SHOWN_SEGMENT if but == "impression" else None
        try:
            with os.scandir(self._path) as found:
                grown = [
                    entry.name
                    for entry in found
                    if entry.name.endswith(SEGMENT)
                    and not (unwanted and entry.name.endswith(unwanted))
                    and entry.stat().st_size > self.places.get(entry.name, 0)
                ]
        except FileNotFoundError:
            return []
        return sorted(grown)


def _whole_lines(path: Path, place: int, *, durable: bool) -> Iterator[bytes]:
    """Blocks of whole lines from `place` to what is the end now."""
    with path.open("rb") as stream:
        end = os.fstat(stream.fileno()).st_size
        if durable:
            os.fsync(stream.fileno())
        stream.seek(place)
        rest = b""
        # A segment may be cut off meanwhile: then a block is empty.
        while place < end and (block := stream.read(min(_BLOCK_BYTES, end - place))):
            place += len(block)
            held = rest + block
            cut = held.rfind(b"\n") + 1
            rest = held[cut:]
            if cut:
                yield held[:cut]


def _parsed(line: bytes) -> dict[str, object] | None:
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None
