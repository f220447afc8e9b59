"""How an alert reaches people: Apprise, which knows chats, mail, telephones and web hooks.

Belongs here: Apprise. Does not belong here: what is told, or whether it was told before (notify).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ml.errors import SegueError

if TYPE_CHECKING:
    from apprise import Apprise


def deliver(urls: Sequence[str], title: str, text: str) -> bool:
    """Send to every address; True when one took it. Addresses that are not understood take nothing.

    One is enough: sending again for the sake of another would tell the first one twice.
    """
    try:
        reached = addresses(urls)
    except SegueError:
        return False
    taken = [bool(one.notify(title=title, body=text, body_format="text")) for one in reached]
    return any(taken)


def addresses(urls: Sequence[str]) -> "tuple[Apprise, ...]":
    """Apprise with one address each.

    Raises:
        SegueError: an address is not understood. It is named by its place alone: addresses hold
            passwords.
    """
    from apprise import Apprise, AppriseAsset

    # Memory alone: Apprise would keep a cache outside the home.
    asset = AppriseAsset(app_id="Segue", app_desc="Segue", storage_mode="memory")
    found = []
    for place, url in enumerate(urls, start=1):
        one = Apprise(asset=asset)
        if not one.add(url):
            raise SegueError(
                f"expected address {place} of SEGUE_ALERTS to be an Apprise address "
                "(json://host/path, slack://..., mailto://...), found one that it does not know; "
                "mend SEGUE_ALERTS and run `segue doctor --alert`"
            )
        found.append(one)
    return tuple(found)
