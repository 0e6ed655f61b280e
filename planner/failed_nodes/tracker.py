"""The tracker itself: a tick looks at all nodes at once, by comparing columns."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from dsmt_core.names import Host
from planner.failed_nodes.columns import NUMBER, STATES
from planner.failed_nodes.doubt import Doubt, is_mass
from planner.failed_nodes.excuses import Excuses
from planner.failed_nodes.notes import MAINTENANCE, PROBE, TRACKER, Note
from planner.failed_nodes.patience import Patience
from planner.failed_nodes.probing import Probe
from planner.failed_nodes.verdicts import Chance, Judgement, Verdict
from planner.failed_nodes.watch import Watch
from planner.fleet.seen import NodeState
from planner.standing import Mark

# A heartbeat is late after half a period more: jitter of the node and of the broker.
_LATE: Final = 1.5
_EVER: Final = float("inf")
_ALIVE: Final = NUMBER[NodeState.ALIVE]
_FAILED: Final = NUMBER[NodeState.FAILED]
_PROBATION: Final = NUMBER[NodeState.PROBATION]

NOBODY: Final[Mapping[Host, Mark]] = MappingProxyType({})

Rows = npt.NDArray[np.intp]


class FailedNodes(Watch):
    """Judges nodes; one task owns it. All times are seconds of one clock that does not go back.

    Args:
        patience: how long it waits.
        now: it begins to listen now.
        chance: its luck.
    """

    def __init__(
        self, patience: Patience | None = None, *, now: float, chance: Chance | None = None
    ) -> None:
        super().__init__(patience or Patience(), chance or Chance())
        self._doubt = Doubt()
        self._excuses = Excuses()
        self._listening_since = now
        self._ticked = now
        self._away_at = self._back_at = -_EVER
        self._distrusted: Mapping[Host, Mark] = NOBODY

    def probed(self, host: Host, nonce: str, *, passed: bool, reason: str, now: float) -> bool:
        """A node has answered a probe; False when it is not the one that is under way.

        That it did not pass is judged by a later tick, together with others.
        """
        row = self._columns.rows.get(host)
        failure = "" if passed else f"it did not pass the probe: {reason}"
        if row is None or not self._probing.answered(host, nonce, failure, now):
            return False
        if passed:
            self._columns.proven[row] = True
            self._note(host, "passed: a sliver was made and removed on it", now, PROBE)
        return True

    def deafened(self, now: float) -> None:
        """Heartbeats could not be heard (the connection to the broker was lost): silence counts from now.

        To be called as long as it lasts, at each tick.
        """
        self._listening_since = now
        self._probing.deafened(now)
        if len(self._columns):
            self._columns.codes("doubted")[:] = False

    def cut_off(self, now: float) -> None:
        """The broker is away, for the nodes too; to be called as long as it lasts, at each tick."""
        self.deafened(now)
        self._away_at, self._back_at = now, now + self._patience.back_s

    def heard(self, host: Host, *, now: float, period: float = 0.0) -> None:
        """See `Watch.heard`; its first since the broker was away tells that nodes are still coming back."""
        most = self._away_at + self._patience.most_back_s
        if now < most:
            row = self._columns.rows.get(host)
            if row is not None and self._columns.heard[row] <= self._away_at:
                self._back_at = max(self._back_at, min(now + self._patience.back_s, most))
        super().heard(host, now=now, period=period)

    # -- judging --------------------------------------------------------------------------------------

    def tick(
        self,
        now: float,
        *,
        unproven: AbstractSet[Host] = frozenset(),
        maintained: AbstractSet[Host] = frozenset(),
        distrusted: Mapping[Host, Mark] = NOBODY,
    ) -> list[Verdict]:
        """Judge; to be called several times a period.

        Args:
            now: the time.
            unproven: nodes that may not end their probation yet (`planner.placement.unproven`).
            maintained: nodes that people work on: their silence is noted, and not judged.
            distrusted: nodes that people say are broken: they fail, whatever is heard of them.

        Returns:
            Every change since the last call, in the order in which it happened.
        """
        if now - self._ticked > self._patience.lag_s:
            self.deafened(now)
        self._ticked = now
        self._believe_people(distrusted, now)
        if len(self._columns):
            self._excuses.take(maintained, self._columns, now)
            self._judge(self._look(now, unproven | distrusted.keys()), now)
            for host in maintained:
                self._probing.drop(host)
            self._judge_probes(now)
        changes, self._changes = self._changes, []
        return changes

    def probes(self, now: float) -> list[Probe]:
        """The probes to be ordered now; one that is not answered comes again, with the same nonce."""
        return self._probing.due(now)

    def judgement(self, host: Host) -> Judgement:
        """The same with since when, how often it failed, and when it is tried again."""
        columns, row = self._columns, self._columns.rows.get(host)
        if row is None:
            return Judgement()
        return Judgement(
            state=STATES[columns.state[row]],
            since=columns.judged_at[row],
            failures=columns.failures[row],
            out_until=columns.out_until[row] if columns.state[row] == _PROBATION else 0.0,
            probed=self._probing.is_open(host),
        )

    # -- inside ---------------------------------------------------------------------------------------

    def _believe_people(self, distrusted: Mapping[Host, Mark], now: float) -> None:
        """Whoever people distrust fails, and ends no probation: they know what no probe tells.

        It is told to give up what moved away as soon as it is heard, as every node on probation.
        """
        before, self._distrusted = self._distrusted, distrusted
        for host, mark in distrusted.items():
            row = self._columns.rows.get(host)
            if row is None:
                continue
            word = Note(f"distrusted: {mark.reason}", mark.since, mark.by)
            if before.get(host) != mark and word not in self.evidence(host):
                self._note(host, word.what, word.when, word.by)
            if self._columns.state[row] not in {_FAILED, _PROBATION}:
                self._fail(host, f"{mark.by} distrusts it: {mark.reason}", now)

    def _look(self, now: float, unproven: AbstractSet[Host]) -> Rows:
        """Suspect who is late, try to end probations; who is due for a verdict."""
        columns, patience = self._columns, self._patience
        state, period = columns.codes("state"), columns.numbers("period")
        since = np.maximum(columns.numbers("heard"), self._listening_since)
        silence, most = now - since, np.maximum(patience.misses * period, patience.listen_s)
        over, judged = silence > most, now - self._excuses.raised(since, columns) > most
        if now < self._back_at or self._awaits_most(now):
            over[:] = judged[:] = False
        late = (columns.codes("hinted") != 0) | (silence > _LATE * period)
        suspects = ((state == _ALIVE) & late & ~judged).nonzero()[0]
        trial = (state == _PROBATION) & ~over & (columns.counts("in_a_row") >= patience.proofs)
        trial &= columns.numbers("out_until") <= now
        expired: Rows = (judged & (state != _FAILED)).nonzero()[0]
        for row in (over & ~judged).nonzero()[0].tolist():
            self._excuse(row, float(silence[row]), now)
        for row in suspects.tolist():
            self._suspect(row, float(silence[row]), now)
        for row in trial.nonzero()[0].tolist():
            self._try_to_end_probation(row, now, unproven)
        return expired

    def _awaits_most(self, now: float) -> bool:
        """Whether most nodes have not been heard since the broker was away: for them it still is."""
        if now >= self._away_at + self._patience.most_back_s:
            return False
        unfailed = self._columns.codes("state") != _FAILED
        missing = unfailed & (self._columns.numbers("heard") <= self._away_at)
        return is_mass(int(missing.sum()), of=int(unfailed.sum()))

    def _suspect(self, row: int, silence: float, now: float) -> None:
        host = self._columns.hosts[row]
        reason = f"not heard for {silence:.1f} s"
        if self._columns.hinted[row] and host in self._notes:
            reason = [*self._notes[host]][-1].what
        self._become(host, NodeState.SUSPECT, reason, now=now)

    def _excuse(self, row: int, silence: float, now: float) -> None:
        host = self._columns.hosts[row]
        if self._excuses.is_news(host):
            self._note(host, f"not heard for {silence:.1f} s in a window; not judged", now, MAINTENANCE)

    def _try_to_end_probation(self, row: int, now: float, unproven: AbstractSet[Host]) -> None:
        host = self._columns.hosts[row]
        if host in unproven:
            return
        if not self._columns.proven[row]:
            self._probing.want(host, now)
            return
        self._columns.alive_since[row] = now
        beats = self._columns.in_a_row[row]
        self._become(host, NodeState.ALIVE, f"{beats} heartbeats in a row, and a probe passed", now=now)

    def _judge(self, expired: Rows, now: float) -> None:
        """Give the verdicts, unless so many expire at once that the tracker is the likelier patient.

        A node is doubted once: if it is silent for a full limit more, nothing speaks for it any longer.
        """
        columns = self._columns
        if not len(expired):
            return
        doubted = columns.codes("doubted")[expired] != 0
        again, fresh = expired[doubted].tolist(), expired[~doubted].tolist()
        for row in again:
            self._expire(row, now)
        if not fresh:
            return
        unfailed = int((columns.codes("state") != _FAILED).sum())
        window = max(self._limit(row) for row in fresh)
        if self._doubt.is_due(len(fresh), unfailed=unfailed, window=window, now=now):
            self._listening_since = now
            for row in fresh:
                columns.doubted[row] = True
                self._note(columns.hosts[row], "expired with most others; listening on", now, TRACKER)
            return
        for row in fresh:
            self._expire(row, now)

    def _judge_probes(self, now: float) -> None:
        judged = self._probing.judge(now)
        for host, reason in judged.believed.items():
            self._note(host, reason, now, PROBE)
            self._fail(host, reason, now)
        for host, reason in judged.doubted.items():
            # The node stays where it is, on probation, and no failure is counted.
            self._columns.out_until[self._columns.rows[host]] = now + self._patience.probe_s
            self._note(host, f"{reason}; most others failed, too: not judged, probed again", now, PROBE)

    def _limit(self, row: int) -> float:
        """How long a node may be silent, seconds."""
        return max(self._patience.misses * self._columns.period[row], self._patience.listen_s)

    def _expire(self, row: int, now: float) -> None:
        self._doubt.given(now)
        silence = now - self._columns.heard[row]
        self._fail(self._columns.hosts[row], f"not heard for {silence:.1f} s", now)

    def _fail(self, host: Host, reason: str, now: float) -> None:
        columns, row = self._columns, self._columns.rows[host]
        if columns.state[row] != _PROBATION:
            alive_s = columns.heard[row] - columns.alive_since[row]
            columns.failures[row] = self._patience.left(columns.failures[row], alive_s)
        columns.failures[row] += 1
        self._probing.drop(host)
        self._become(host, NodeState.FAILED, reason, now=now)
