"""The listening room as its visitor has it: in Chromium without a window, on a service that answers."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from time import perf_counter
from typing import Any

import pyarrow as pa
import pytest
import uvicorn

from ml.serving.service.app import create_app
from ml.serving.service.service import Service
from ml.state.state import State
from tests.e2e.listening_room import CONTRAST, NAMELESS, Room
from tests.ml.conftest import make_state, stream
from tests.ml.serving.service.conftest import (
    NOW,
    TRACKS,
    USERS,
    World,
    build,
    built,
    plays_of,
    world,
)
from tests.pictures.browser import QUIET

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="the listening room's browser tests need playwright"
)
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        CHROMIUM is None, reason="there is no chromium on the PATH: apt-get install chromium"
    ),
]
# Fixtures of other folders, known here by their names.
__all__ = ["build", "built", "make_state", "stream", "world"]

EVIL_TITLE = '<img src=x onerror="document.title=1">'
EVIL_ARTIST = "</script><script>document.title=2</script>"
EVIL_LISTENER = "<b>u&1"


@pytest.fixture
def state(make_state: Callable[..., State], stream: Callable[..., dict[str, float]]) -> State:
    """Twelve listeners of ten tracks each; titles and artists are markup."""
    plays = {
        (user, track): stream(1.0 + (7 * user + 3 * track) % 23 / 10 + track / 500)
        for user in range(USERS)
        for track in plays_of(user)
    }
    made = make_state(USERS, TRACKS, plays)
    titles = [f"{EVIL_TITLE} {track}" for track in range(TRACKS)]
    artists = [f"{EVIL_ARTIST} {track // 2}" for track in range(TRACKS)]
    words = replace(made.catalogue, titles=pa.array(titles), artist_names=pa.array(artists))
    return replace(made, catalogue=words)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium."""
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def enter(world: World, browser: Any) -> Iterator[Callable[..., Room]]:
    """A function that serves with changed settings and opens the room; what the page gets wrong fails."""
    begun = perf_counter()
    wrong: list[str] = []
    ends: list[Callable[[], object]] = []

    def opened(width: int = 1280, **changed: object) -> Room:
        settings = replace(world.settings, **changed)
        clock = lambda: NOW + timedelta(seconds=perf_counter() - begun)  # noqa: E731
        listening = socket.create_server(("127.0.0.1", 0))
        app = create_app(Service(settings, clock, perf_counter))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        page = browser.new_page(viewport={"width": width, "height": 800})
        ends.extend([thread.join, lambda: setattr(server, "should_exit", True), page.close])
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: "Policy" in said.text and wrong.append(said.text))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        page.on("request", lambda sent: sent.url.startswith(address) or wrong.append(sent.url))
        page.goto(address)
        return Room(page, address, world)

    yield opened
    for end in reversed(ends):
        end()
    assert wrong == []


def test_home_stands_on_shelves_with_a_reason_on_each_track(enter: Callable[..., Room]) -> None:
    room = enter()
    room.page.locator(".chip").first.click()
    room.page.locator(".card").first.wait_for()
    assert room.page.locator(".shelf h3").count() >= 2
    reasons = room.page.locator(".card .reason").all_inner_texts()
    assert len(reasons) == len(room.tracks()) == 40
    assert all(reasons)
    assert room.world.first in room.page.inner_text("#facts")
    assert "2026-03-09" in room.page.inner_text("#facts")


def test_a_skip_is_stored_and_gone_from_the_next_home_and_the_session_goes_on(
    enter: Callable[..., Room],
) -> None:
    room = enter()
    room.choose("u1")
    skipped = room.play(0)
    room.page.get_by_role("button", name="Skip", exact=True).click()
    room.happened("Skipped")
    assert skipped not in room.tracks()
    (listen,) = room.listens()
    assert (listen["user_id"], listen["track_id"], listen["surface"]) == ("u1", skipped, "home")
    assert listen["ms_played"] < 30_000
    assert listen["request_id"]
    room.page.get_by_role("button", name="Skip", exact=True).click()
    room.page.locator("#happened li").nth(1).wait_for()
    first, second = room.listens()
    assert (first["track_id"], second["surface"]) == (skipped, "now_playing")
    assert second["track_id"] != skipped


def test_a_like_is_stored_as_one_full_play(enter: Callable[..., Room]) -> None:
    room = enter()
    room.choose("u1")
    liked = room.play(1)
    room.page.get_by_role("button", name="Like", exact=True).click()
    room.happened("Liked")
    room.page.get_by_role("button", name="Next", exact=True).click()
    room.happened("Left")
    assert [(one["track_id"], one["ms_played"]) for one in room.listens()] == [(liked, 200_000)]


def test_somebody_new_gets_what_is_popular_and_soon_what_goes_with_what_was_heard(
    enter: Callable[..., Room],
) -> None:
    room = enter()
    room.page.get_by_role("button", name="Be somebody new").click()
    room.page.locator(".card").first.wait_for()
    assert room.page.locator(".shelf h3").all_inner_texts() == ["Popular these days40"]
    assert "nothing is known" in room.page.inner_text("#known")
    heard = room.play(0)
    room.page.get_by_label("Speed").select_option("300")
    room.happened("to its end")
    room.page.get_by_role("button", name="Pause").click()
    assert room.page.locator(".shelf").count() >= 2
    first = room.listens()[0]
    assert (first["track_id"], first["ms_played"]) == (heard, 200_000)


def test_the_drawer_shows_sources_and_what_made_the_score_and_gives_the_focus_back(
    enter: Callable[..., Room],
) -> None:
    room = enter()
    room.choose("u1")
    room.page.locator(".card .why").first.press("Enter")
    drawer = room.page.get_by_role("dialog")
    drawer.get_by_text("Who proposed it").wait_for()
    assert "Place 1 of Home" in drawer.inner_text()
    assert drawer.locator("tbody tr").count() > 10
    assert drawer.locator("summary").count() >= 3
    assert drawer.locator(".warning").count() == 0
    room.page.keyboard.press("Escape")
    drawer.wait_for(state="hidden")
    assert "why" in room.page.evaluate("() => document.activeElement.className")


def test_a_track_of_ones_own_choice_is_explained_or_said_to_be_unknown(
    enter: Callable[..., Room],
) -> None:
    room = enter()
    room.choose("u1")
    for track, words in (("t1", "Home"), ("no such track", "There is no such thing")):
        room.page.get_by_label("Why not another track").fill(track)
        room.page.get_by_role("button", name="Explain").click()
        room.page.locator("#drawer-body").filter(has_text=words).wait_for()
        room.page.get_by_role("button", name="Close").click()


def test_markup_in_titles_artists_and_ids_stays_text(enter: Callable[..., Room]) -> None:
    room = enter()
    room.choose(EVIL_LISTENER)
    assert room.page.inner_text("#home-title") == f"Home of {EVIL_LISTENER}"
    room.play(0)
    room.page.locator("#playing-title").filter(has_text=EVIL_TITLE).wait_for()
    room.page.get_by_role("button", name="Skip", exact=True).click()
    room.happened(EVIL_TITLE)
    room.page.locator(".card .why").first.click()
    # The title stands at once, the artist when the service has answered.
    room.page.locator("#drawer-title").filter(has_text=EVIL_ARTIST).wait_for()
    assert EVIL_TITLE in room.page.inner_text("#drawer-title")
    assert room.page.locator("img, b, body script ~ script").count() == 0
    assert room.page.title() == "Segue: the listening room"


def test_a_token_is_asked_for_until_it_is_right_and_kept_in_the_tab(
    enter: Callable[..., Room],
) -> None:
    room = enter(token="secret")
    for token in ("wrong", "secret"):
        room.page.get_by_label("Bearer token").fill(token)
        room.page.get_by_role("button", name="Go on").click()
        if token == "wrong":
            room.page.get_by_text("That token is not right").wait_for()
    room.page.locator(".chip").first.wait_for()
    room.page.reload()
    room.page.locator(".chip").first.wait_for()
    assert room.page.get_by_role("dialog").count() == 0
    assert room.page.evaluate("() => localStorage.length") == 0


def test_trouble_is_said_in_words_and_a_listen_is_neither_lost_nor_doubled(
    enter: Callable[..., Room],
) -> None:
    room = enter()
    room.choose("u1")
    skipped = room.play(0)
    room.page.route("**/v1/events", lambda route: route.abort())
    room.page.get_by_role("button", name="Skip", exact=True).click()
    room.page.get_by_role("alert").filter(has_text="The service does not answer").wait_for()
    room.page.unroute("**/v1/events")
    room.page.get_by_role("button", name="Try again").click()
    room.happened("Skipped")
    assert [one["track_id"] for one in room.listens()] == [skipped]
    assert room.page.get_by_role("alert").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_reads_and_names_its_controls(enter: Callable[..., Room], width: int) -> None:
    room = enter(width)
    room.choose("u1")
    room.play(0)
    room.page.get_by_role("button", name="Skip", exact=True).click()
    room.happened("Skipped")
    sizes = room.page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert sizes == [width, width]
    assert room.page.evaluate(NAMELESS) == []
    assert room.page.evaluate(CONTRAST) == []
    room.page.locator(".card .why").first.click()
    room.page.get_by_text("Who proposed it").wait_for()
    assert room.page.evaluate(CONTRAST) == []


def test_the_keyboard_alone_plays_and_keeps_its_place(enter: Callable[..., Room]) -> None:
    room = enter()
    room.choose("u1")
    for place in (3, 4):
        button = room.page.locator(".card .play").nth(place)
        name = button.get_attribute("aria-label")
        button.press("Enter")
    room.happened("Skipped")
    assert room.page.evaluate("() => document.activeElement.ariaLabel") == name
