"""Roll-outs: a new release of an application goes to the hosts of a slice in waves, and back by itself.

Rule of this room: each step follows from wanted, seen and the time, and is committed before anything is
ordered. So a planner that dies in any step goes on with it, or takes it again, and nothing is done twice.

    policy    waves, minimum healthy time, thresholds, deadline
    rollout   one roll-out as it is kept
    looks     how one host of the slice is, as a roll-out judges it
    order     which hosts come first
    judging   which hosts proved well, which failed
    advance   the next step of one roll-out
    round     the steps of all roll-outs of a slice
    turns     what people do with a roll-out: start, pause, resume, promote, abort
    report    how far it is, for people
"""

from planner.release import Release
from planner.rollout.policy import DEFAULT, Policy, policy
from planner.rollout.rollout import Phase, Rollout

__all__ = ["DEFAULT", "Phase", "Policy", "Release", "Rollout", "policy"]
