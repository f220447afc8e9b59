"""Which generators answer which surface, and how deep each goes.

Belongs here: the plan and fitting it. Does not belong here: any generator.
"""

from collections.abc import Collection, Mapping

from ml.candidates.artists import RepeatArtist, SameArtist
from ml.candidates.content import Content, SessionContent
from ml.candidates.country_popularity import CountryPopularity
from ml.candidates.ease import Ease
from ml.candidates.fresh import Fresh
from ml.candidates.friends import Friends
from ml.candidates.generator import FitInput, Generator
from ml.candidates.genre_popularity import GenrePopularity
from ml.candidates.ials import Ials
from ml.candidates.item_item import ItemItem
from ml.candidates.popularity import PersonalPopularity, Popularity
from ml.candidates.recent import RecentWalk
from ml.candidates.repeat_memory import RepeatMemory
from ml.candidates.session_item_item import SessionItemItem
from ml.candidates.session_knn import SessionKnn
from ml.candidates.session_memory import SessionMemory
from ml.candidates.suffix import Suffix
from ml.candidates.transitions import Transitions, Walk
from ml.state.state import State

# Depths make a union of 200 to 400 tracks a request.
PLAN: Mapping[str, tuple[tuple[type[Generator], int], ...]] = {
    "home": (
        (RepeatMemory, 80),
        (RepeatArtist, 60),
        (ItemItem, 80),
        (Ease, 60),
        (Ials, 60),
        (Friends, 80),
        (RecentWalk, 60),
        (Content, 40),
        (GenrePopularity, 60),
        (CountryPopularity, 40),
        (Fresh, 20),
        (Popularity, 100),
    ),
    "now_playing": (
        (Transitions, 80),
        (Walk, 80),
        (SessionKnn, 80),
        (Suffix, 40),
        (SessionItemItem, 60),
        (SessionContent, 40),
        (SameArtist, 30),
        (SessionMemory, 40),
        (Popularity, 20),
    ),
}

# A generator's score and rank are looked up this many depths deep among the other generators' tracks.
REACH = 3
# And this many where heard tracks are left out, as a listener's own favourites fill the tops of lists.
DISCOVERY_REACH = 10


def depths(surface: str) -> dict[str, int]:
    """Most tracks a request that each generator adds to the union."""
    return {generator.name: depth for generator, depth in PLAN[surface]}


# Judged beside the sources, never merged.
BASELINES: Mapping[str, tuple[type[Generator], ...]] = {
    "home": (PersonalPopularity,),
    "now_playing": (PersonalPopularity,),
}

GENERATORS: Mapping[str, type[Generator]] = {
    generator.name: generator for plan in PLAN.values() for generator, _ in plan
}


def grounded(surface: str, state: State) -> tuple[str, ...]:
    """The surface's generators that have something to go by: friends only where friendships are known, popularity by
    country only where countries are, and what is learned from whole histories only where listeners come back.

    Where there are none a ranker is trained as if the source did not exist.
    """
    ground = {Friends.name: state.has_friends, CountryPopularity.name: state.has_countries}
    # Of anonymous sessions these took a minute of five to fit, for listeners who are never asked for again.
    ground |= dict.fromkeys((ItemItem.name, Ease.name, Ials.name), state.has_returned)
    names = (generator.name for generator, _ in PLAN[surface])
    return tuple(name for name in names if ground.get(name, True))


def fit_generators(
    surface: str, data: FitInput, names: Collection[str] | None = None
) -> dict[str, Generator]:
    """The generators of a surface (the grounded, or the named ones), fitted, in the plan's order."""
    chosen = grounded(surface, data.state) if names is None else names
    return {
        generator.name: generator.fit(data)
        for generator, _ in PLAN[surface]
        if generator.name in chosen
    }
