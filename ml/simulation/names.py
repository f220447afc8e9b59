"""Words for a catalogue that reads like one.

Belongs here: word lists and their combination by number. Does not belong here: what the words mean to a
listener (ml.simulation.catalogue).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# Genre, its shades (tags) and words its artists like.
GENRES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "rock",
        ("indie rock", "garage", "stoner", "shoegaze"),
        ("Ravens", "Static", "Gravel", "Vandals"),
    ),
    (
        "pop",
        ("synth pop", "dream pop", "dance pop", "chamber pop"),
        ("Parade", "Velvet", "Candy", "Mirrors"),
    ),
    (
        "hip hop",
        ("boom bap", "trap", "cloud rap", "jazz rap"),
        ("Cypher", "Block", "Ledger", "Kid"),
    ),
    (
        "electronic",
        ("house", "techno", "ambient", "breakbeat"),
        ("Circuit", "Module", "Pulse", "Vector"),
    ),
    ("jazz", ("bebop", "cool jazz", "fusion", "swing"), ("Quartet", "Trio", "Ensemble", "Blue")),
    (
        "classical",
        ("baroque", "romantic", "minimalism", "choral"),
        ("Philharmonic", "Consort", "Kammer", "Ars"),
    ),
    (
        "folk",
        ("singer-songwriter", "americana", "freak folk", "sea shanty"),
        ("Hollow", "Fern", "Lantern", "Brothers"),
    ),
    (
        "metal",
        ("doom", "black metal", "thrash", "progressive metal"),
        ("Crypt", "Iron", "Wyrm", "Ashen"),
    ),
    ("soul", ("neo soul", "funk", "motown", "quiet storm"), ("Honey", "Revue", "Groove", "Miss")),
    ("latin", ("reggaeton", "cumbia", "salsa", "bossa nova"), ("Corazón", "Sol", "Fuego", "Los")),
    (
        "country",
        ("outlaw", "bluegrass", "honky tonk", "alt country"),
        ("Dusty", "Wagon", "Creek", "Prairie"),
    ),
    ("reggae", ("dub", "roots", "dancehall", "ska"), ("Lion", "Riddim", "Irie", "Harbour")),
)
FIRST = (
    "Amber", "Björk", "Crimson", "Distant", "Electric", "Faded", "Golden", "Hidden", "Ivory", "Jade",
    "Kindred", "Lunar", "Midnight", "Northern", "Opal", "Paper", "Quiet", "Restless", "Silver", "Tender",
    "Umbra", "Violet", "Wandering", "Young", "Zephyr", "Café", "Señor", "Último", "Øyster", "Früh",
)  # fmt: skip
SECOND = (
    "Harbor", "Engine", "Garden", "River", "Signal", "Theory", "Motel", "Orchard", "Satellite", "Winter",
    "Temple", "Canyon", "Mirage", "Parlour", "Machine", "Compass", "Horizon", "Letters", "Shadows", "Tides",
)  # fmt: skip
VERBS = (
    "Falling", "Leaving", "Waiting", "Dancing", "Burning", "Dreaming", "Running", "Drifting", "Calling",
    "Breaking", "Holding", "Losing", "Chasing", "Counting", "Turning", "Singing",
)  # fmt: skip
PLACES = (
    "Home", "Tonight", "Alone", "Together", "in Blue", "on Fire", "Under Water", "by the Sea", "at Dawn",
    "Without You", "for Now", "in the Dark", "Past Midnight", "Over Again", "to Lisbon", "in May",
)  # fmt: skip
SUFFIXES = ("(Remastered)", "(Live)", "- Radio Edit")
COUNTRIES = ("US", "BR", "DE", "GB", "MX", "SE", "JP", "NG")


def pick(words: tuple[str, ...], number: NDArray[np.int64]) -> NDArray[np.str_]:
    """Words by number, around and around."""
    return np.array(words)[number % len(words)]


def joined(*parts: NDArray[np.str_] | str) -> NDArray[np.str_]:
    """Words with one space between them."""
    text: NDArray[np.str_] = np.asarray(parts[0])
    for part in parts[1:]:
        text = np.char.add(np.char.add(text, " "), part)
    return text


def numbered(prefix: str, digits: int, count: int) -> pa.Array:
    """`prefix` and the numbers 0 to count - 1, filled up with zeros."""
    number = pc.utf8_lpad(pa.array(np.arange(count)).cast(pa.string()), digits, "0")
    return pc.binary_join_element_wise(prefix, number, "")
