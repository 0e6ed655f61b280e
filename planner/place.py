"""To which slice and host an event belongs."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from dsmt_core.channels import DEPLOYMENT, NODE, Channel
from dsmt_core.events import Event
from dsmt_core.names import Host, Slice

NO_SLICE: Final = Slice("")
NO_HOST: Final = Host("")
# Parts speak on some channels, again and again.
_REMEMBERED: Final = 1 << 17


class Place(NamedTuple):
    """To which slice and host something belongs; empty where to none."""

    slice: Slice
    host: Host


NOWHERE: Final = Place(NO_SLICE, NO_HOST)


def place_of(event: Event) -> Place:
    """To which slice and host an event belongs, by its channel, else by its instance ``host/slice/…``."""
    place = _place_of_channel(event.channel)
    if place is not None:
        return place
    host, _, rest = event.instance.partition("/")
    slice_, slash, _ = rest.partition("/")
    return Place(Slice(slice_), Host(host)) if slash else NOWHERE


@lru_cache(_REMEMBERED)
def _place_of_channel(channel: Channel) -> Place | None:
    words = channel[1:-1].split("/")
    if channel.startswith(DEPLOYMENT) and len(words) > 4:
        return Place(Slice(words[4]), Host(words[7] if len(words) == 8 else ""))
    if channel.startswith(NODE) and len(words) > 4:
        return Place(NO_SLICE, Host(words[4]))
    return None


def is_of(place: Place, slice_: Slice, host: Host) -> bool:
    """Whether a place is of this slice, or on this host; an empty name is none's."""
    return (bool(slice_) and place.slice == slice_) or (bool(host) and place.host == host)
