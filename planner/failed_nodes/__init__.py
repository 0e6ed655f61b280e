"""The failed-node tracker: from heartbeats to verdicts, with evidence, and with doubt in itself.

    unknown -> alive       a heartbeat
    alive   -> suspect     one period missed, or a hint; nothing is decided
    suspect -> failed      ``misses`` periods of silence: the verdict
    failed  -> probation   a heartbeat; broken nodes look idle, so it is not believed at once
    probation -> alive     it was heard long enough, longer after each further failure, several heartbeats
                           in a row, it has given up what moved away, and a probe passed: a sliver was
                           really made and removed on it
    any     -> failed      people say that it is broken; no probation ends until they trust it
    probation -> failed    silence, or a probe that did not pass while most others did

Lifeguard's lesson: an observer that has just started, was deaf or slow, or sees more than half of the nodes
expire at once, is sick itself as likely as they are; it listens for a full period before it judges.
"""

from planner.failed_nodes.misfit import Misfit
from planner.failed_nodes.misfits import Grace, Misfits
from planner.failed_nodes.notes import Note
from planner.failed_nodes.pace import period_s
from planner.failed_nodes.patience import Patience
from planner.failed_nodes.probing import Probe
from planner.failed_nodes.records import Past
from planner.failed_nodes.tracker import FailedNodes
from planner.failed_nodes.verdicts import Chance, Judgement, Verdict

__all__ = [
    "Chance",
    "FailedNodes",
    "Grace",
    "Judgement",
    "Misfit",
    "Misfits",
    "Note",
    "Past",
    "Patience",
    "Probe",
    "Verdict",
    "period_s",
]
