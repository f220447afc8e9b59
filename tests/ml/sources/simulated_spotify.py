"""A made-up extended Spotify export: one listener, two years, by seed.

Tracks have fame within the listener's taste, artists have albums, sessions stay near an artist, new
music arrives over the months, some tracks are skipped, and there are podcasts and rows without names.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

BLANK = {
    "platform": "android",
    "conn_country": "AT",
    "ip_addr": "192.0.2.1",
    "master_metadata_track_name": None,
    "master_metadata_album_artist_name": None,
    "master_metadata_album_album_name": None,
    "spotify_track_uri": None,
    "episode_name": None,
    "episode_show_name": None,
    "spotify_episode_uri": None,
    "audiobook_title": None,
    "audiobook_uri": None,
    "audiobook_chapter_uri": None,
    "audiobook_chapter_title": None,
    "reason_start": "trackdone",
    "reason_end": "trackdone",
    "shuffle": False,
    "skipped": False,
    "offline": False,
    "offline_timestamp": None,
    "incognito_mode": False,
}
_FIRST = ("amber", "blue", "cold", "dawn", "echo", "fire", "glass", "hollow")
_THEN = ("iron", "jade", "lost", "moon", "night", "open", "pale", "quiet", "river")


@dataclass(frozen=True)
class Taste:
    """Sizes of the made-up life."""

    listens: int = 20_000
    days: int = 730
    artists: int = 300
    tracks: int = 3_000
    seed: int = 7
    first_day: datetime = datetime(2023, 1, 2, tzinfo=UTC)


def row(ended: datetime, ms_played: int, **more: object) -> dict[str, object]:
    """A row of the extended export with the given fields."""
    return {"ts": ended.strftime("%Y-%m-%dT%H:%M:%SZ"), "ms_played": ms_played, **BLANK, **more}


def title(number: int) -> str:
    """A made-up name, another one for each number."""
    return f"{_FIRST[number % 8]} {_THEN[number // 8 % 9]} {number}".title()


def track(number: int, artist: int) -> dict[str, object]:
    """The naming fields of a track."""
    return {
        "master_metadata_track_name": title(number),
        "master_metadata_album_artist_name": f"The {title(artist)}s",
        "master_metadata_album_album_name": f"Album {number % 3} of {title(artist)}",
        "spotify_track_uri": f"spotify:track:{number:022d}",
    }


def a_life(taste: Taste) -> list[dict[str, object]]:
    """All rows in order of time."""
    random = np.random.default_rng(taste.seed)
    artist_of = np.sort(random.zipf(1.3, taste.tracks) % taste.artists)
    fame = random.pareto(1.1, taste.tracks) + 0.1
    born = random.integers(-200, taste.days - 20, taste.tracks)
    length = random.integers(120_000, 330_000, taste.tracks)
    rows: list[dict[str, object]] = []
    per_day = taste.listens / taste.days
    for day in range(taste.days):
        known = born <= day
        # A track is loved most when it is new to the listener, and never quite forgotten.
        weight = np.where(known, fame * (0.05 + np.exp((born - day) / 60.0)), 0.0)
        at = taste.first_day + timedelta(days=day, hours=float(random.uniform(6, 18)))
        left = int(random.poisson(per_day))
        while left > 0:
            long = min(left, int(random.geometric(0.1)))
            at = a_session(rows, random, at, long, weight, artist_of, length)
            at += timedelta(hours=float(random.uniform(0.6, 3.0)))
            left -= long
        if random.random() < 0.1:
            rows.append(
                row(
                    at,
                    1_800_000,
                    episode_name=f"Episode {day}",
                    episode_show_name="A Show",
                    spotify_episode_uri=f"spotify:episode:{day:022d}",
                )
            )
        if random.random() < 0.01:
            rows.append(row(at + timedelta(hours=1), 12_000))
    return rows


def a_session(
    rows: list[dict[str, object]],
    random: np.random.Generator,
    at: datetime,
    long: int,
    weight: np.ndarray,
    artist_of: np.ndarray,
    length: np.ndarray,
) -> datetime:
    """Append a session's rows; returns when it ended."""
    chosen = int(random.choice(len(weight), p=weight / weight.sum()))
    for _ in range(long):
        near = np.where(artist_of == artist_of[chosen], 8.0, 1.0) * weight
        near[chosen] = 0.0
        if near.sum() > 0:
            chosen = int(random.choice(len(weight), p=near / near.sum()))
        skipped = bool(random.random() < 0.15)
        played = int(random.integers(2_000, 29_000)) if skipped else int(length[chosen])
        at += timedelta(milliseconds=played)
        rows.append(
            row(
                at,
                played,
                skipped=skipped,
                reason_end="fwdbtn" if skipped else "trackdone",
                **track(chosen, int(artist_of[chosen])),
            )
        )
    return at


def write_export(folder: Path, taste: Taste, per_file: int = 12_000) -> int:
    """Write the life as Spotify cuts it into files, `folder` being what the zip unpacks to; the files
    overlap by ten rows. Returns the rows of the life.
    """
    rows = a_life(taste)
    folder.mkdir(parents=True, exist_ok=True)
    for place, start in enumerate(range(0, len(rows), per_file)):
        part = rows[max(start - 10, 0) : start + per_file]
        years = f"{str(part[0]['ts'])[:4]}-{str(part[-1]['ts'])[:4]}"
        name = f"Streaming_History_Audio_{years}_{place}.json"
        (folder / name).write_text(json.dumps(part, indent=2, ensure_ascii=False))
    return len(rows)
