"""Debian's Chromium without a window, and its pictures in few bytes.

Belongs here: the browser and the form of a picture. Does not belong here: what is in it (the pages).
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ml.errors import SegueError
from orchestration.settings import load_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTH, HEIGHT, PHONE = 1280, 900, 390
# In a container there is no sandbox; nothing but the page itself may be asked for over the network.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Milliseconds until a page that does not show what was waited for is given up.
PATIENCE = 60_000
_COLOURS = 128


def chromium_path() -> str:
    """Where Chromium is.

    Raises:
        SegueError: it is not on the PATH.
    """
    found = shutil.which("chromium")
    if found is None:
        raise SegueError(
            "expected the browser chromium on the PATH, found none; run `apt-get install chromium`"
        )
    return found


@contextmanager
def browser() -> Iterator["Browser"]:
    """Chromium, ended with the block.

    Raises:
        SegueError: there is no Chromium or no playwright.
    """
    path = chromium_path()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise SegueError(f"expected playwright, found {error}; run `make install`") from error
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=list(QUIET))
        try:
            yield opened
        finally:
            opened.close()


def quantised(png: bytes) -> bytes:
    """The picture in a palette of 128 colours: a third to a half of the bytes; text stays readable."""
    with Image.open(BytesIO(png)) as picture:
        few = picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    stream = BytesIO()
    few.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


_UNNAMED = """([home, name]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode())
    texts.currentNode.nodeValue = texts.currentNode.nodeValue.replaceAll(home, name);
}"""


def keep(page: "Page", folder: Path, name: str) -> Path:
    """What the page shows now, as docs/`name`.png; where the home lies on this machine is nobody's
    business."""
    page.evaluate(_UNNAMED, [str(load_settings().home), "SEGUE_HOME"])
    path = folder / f"{name}.png"
    path.write_bytes(quantised(page.screenshot()))
    return path
