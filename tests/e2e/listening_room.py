"""A visitor of the listening room: what one does there, and looks at the page as a whole."""

import json
from dataclasses import dataclass
from typing import Any

from tests.ml.serving.service.conftest import World

# Elements whose text stands out from its ground by less than 4.5 to 1 (WCAG 2.1, 1.4.3).
CONTRAST = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("body *")]
    .filter((one) => own(one) && one.checkVisibility() && !one.closest("[aria-hidden], :disabled, noscript"))
    .map((one) => [one, light(channels(getComputedStyle(one).color)), light(ground(one))])
    .filter(([, a, b]) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5)
    .map(([one]) => one.outerHTML.slice(0, 120));
}"""
# Controls and regions that a screen reader has no name for.
NAMELESS = """() => [...document.querySelectorAll("button, input, select, progress, dialog, section")]
  .filter((one) => !(one.textContent.trim() || one.labels?.length || one.ariaLabel
    || one.getAttribute("aria-labelledby")))
  .map((one) => one.outerHTML.slice(0, 120))"""


@dataclass
class Room:
    """An open page on a service of its own."""

    page: Any
    address: str
    world: World

    def choose(self, listener: str) -> None:
        """Be this listener and wait for Home."""
        self.page.get_by_label("Listener id").fill(listener)
        self.page.get_by_role("button", name="Listen", exact=True).click()
        self.page.locator(".card").first.wait_for()

    def tracks(self) -> list[str]:
        """Track ids on Home."""
        found = self.page.locator(".card").all()
        return [str(card.get_attribute("data-track")) for card in found]

    def play(self, place: int) -> str:
        """Play a card of Home, wait for what follows, say which track it is."""
        card = self.page.locator(".card").nth(place)
        track = str(card.get_attribute("data-track"))
        card.locator(".play").click()
        self.page.locator("#queue li").first.wait_for()
        return track

    def happened(self, text: str) -> None:
        """Wait until the newest line of what changed holds a text."""
        self.page.locator("#happened li").first.filter(has_text=text).wait_for()

    def listens(self) -> list[dict[str, Any]]:
        """The listens in the journal."""
        files = sorted(self.world.settings.journal.glob("day=*/*.jsonl"))
        rows = [json.loads(line) for path in files for line in path.read_text().splitlines()]
        return [row for row in rows if row["kind"] == "listen"]
