"""What a deployment agent does next, as plain values.

Rule of this room: no clock, no socket, no file, no log, no event loop. `Deployments` is one agent's
whole knowledge; one task owns it, asks it for steps and tells it how they went.
"""

from agents.deployment_agent.decide.backoff import RESTART, Backoff
from agents.deployment_agent.decide.deployment import Deployment
from agents.deployment_agent.decide.deployments import Deployments, Verdict
from agents.deployment_agent.decide.judgement import Periods
from agents.deployment_agent.decide.record import Goal, Life, Record
from agents.deployment_agent.decide.saying import Said, said
from agents.deployment_agent.decide.steps import (
    Checked,
    CheckStatus,
    Clean,
    Done,
    Fetch,
    Forget,
    Found,
    Install,
    Installed,
    Look,
    Outcome,
    Prepare,
    Publish,
    Report,
    Start,
    Started,
    Step,
    Stop,
    Troubled,
    Uninstall,
    WaitUntil,
)

__all__ = [
    "RESTART",
    "Backoff",
    "CheckStatus",
    "Checked",
    "Clean",
    "Deployment",
    "Deployments",
    "Done",
    "Fetch",
    "Forget",
    "Found",
    "Goal",
    "Install",
    "Installed",
    "Life",
    "Look",
    "Outcome",
    "Periods",
    "Prepare",
    "Publish",
    "Record",
    "Report",
    "Said",
    "Start",
    "Started",
    "Step",
    "Stop",
    "Troubled",
    "Uninstall",
    "Verdict",
    "WaitUntil",
    "said",
]
