"""How a sliver's init is told of the deployment agent: with its configuration, which holds credentials.

The configuration goes from the node to the init and on to the agent in memory; no program of the sliver can
read it on the way. An init that an older DSMT booted has its agent read a file in the sliver.
"""

from __future__ import annotations

from collections.abc import Mapping

from agents import local_socket, state_file
from agents.container_manager.slivers.place import Place


def tell(place: Place, owner: tuple[int, int] | None, request: Mapping[str, object]) -> None:
    """Have the agent configured, and then what ``request`` says (``start`` or ``restart``). Blocks.

    Raises:
        Unavailable, Invalid: the init does not answer, or refuses.
        OSError: the file of an older init cannot be written.
    """
    config = state_file.load(place.agent_file).value or {}
    if local_socket.ask(place.init_socket, {"op": "agent"}).get("takes_config"):
        place.shown_agent_file.unlink(missing_ok=True)
        local_socket.ask(place.init_socket, {"op": "agent", "config": config, **request})
        return
    state_file.save(place.shown_agent_file, config, mode=0o400, owner=owner)
    local_socket.ask(place.init_socket, {"op": "agent", **request})
