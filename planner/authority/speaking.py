"""Who may speak and hear where through the planner's API. Pure.

Outside ``/org/dsmt/`` any account; on a command channel of a slice whoever may change the slice: what is
said there is a request to the planner, as when a program of an operator publishes it. Nowhere else: what
the parts of DSMT say, nobody says for them.
"""

from __future__ import annotations

from typing import Final

from dsmt_core.channels import DEPLOYMENT, Channel, lies_under
from dsmt_core.errors import Denied
from dsmt_core.names import DEPLOYMENT_AGENT, Slice, slice_name
from planner.authority.rights import Caller, Right, check, may

OWN: Final = Channel("/org/dsmt/")


def may_hear(caller: Caller, channel: Channel) -> bool:
    """Whether ``caller`` may know what is said on a channel: of a slice, who may look into it."""
    named = _slice_of(channel)
    return not named or may(caller, Right.READ_SLICE, named)


def check_hears(caller: Caller, channel: Channel) -> None:
    """Return if ``caller`` may ask for what is said at or below a channel; what it may hear, it hears.

    Raises:
        Denied: it is of a slice that the caller may not look into.
    """
    named = _slice_of(channel)
    if named:
        check(caller, Right.READ_SLICE, named)


def slice_commanded(channel: Channel) -> Slice:
    """The slice to which a command on ``channel`` is a request; empty when it is no command channel."""
    words = channel[1:-1].split("/")
    is_command = len(words) in {7, 8} and words[5:7] == [DEPLOYMENT_AGENT, "command"]
    return slice_name(words[4]) if lies_under(channel, DEPLOYMENT) and is_command else Slice("")


def check_speaks(caller: Caller, channel: Channel) -> Slice:
    """Return if ``caller`` may publish on ``channel``; the slice to which it is a request, or none.

    Raises:
        Denied: it may not.
        Invalid: the channel names a slice that cannot be one.
    """
    commanded = slice_commanded(channel)
    if commanded:
        check(caller, Right.CHANGE_SLICE, commanded)
    elif lies_under(channel, OWN):
        raise Denied(
            f"{caller.account} may not speak on {channel[:120]}: below /org/dsmt/ the parts of DSMT speak",
            hint="publish on a channel of your own, such as /com/example/NAME/; or ask for a command: "
            f"{DEPLOYMENT}SLICE/{DEPLOYMENT_AGENT}/command/",
        )
    return commanded


def _slice_of(channel: Channel) -> Slice:
    """The slice whose deployment a channel is about; empty for none."""
    if not lies_under(channel, DEPLOYMENT):
        return Slice("")
    return Slice(channel[len(DEPLOYMENT) :].partition("/")[0])
