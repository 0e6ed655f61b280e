"""The SDK: everything that ``dsmtc`` can do, as typed, synchronous Python over the planner's HTTP.

from dsmtc.client import Client, Credentials

with Client("http://127.0.0.1:7080", Credentials("me@example.com", "secret")) as client:
    print(client.status("my_slice")["running"])
"""

from dsmtc.client.answers import (
    Account,
    ApplicationStatus,
    Changed,
    Evaluation,
    Explanation,
    FunctionParameter,
    Health,
    HostReason,
    HostStatus,
    Invitation,
    Labels,
    Login,
    Plan,
    PlanFunction,
    PlanLoss,
    Slice,
    SliceStatus,
    WhoAmI,
)
from dsmtc.client.caller import DEFAULT_PLANNER, Credentials
from dsmtc.client.checkups import Checkup, Finding
from dsmtc.client.client import Client
from dsmtc.client.configurations import Configured
from dsmtc.client.guards import GuardShown
from dsmtc.client.heard import EventRecord, Lost
from dsmtc.client.kept import Package, PackageKnown, Stored
from dsmtc.client.limits import LimitsShown
from dsmtc.client.looked_in import LogLine, PingLine, RunResult
from dsmtc.client.machines import Evidence, Misfit, Node
from dsmtc.client.passages import Passage, Passed, Sample, Series
from dsmtc.client.previewed import HeldBack, Leaver, Motion, Preview, ToAgree, Touched
from dsmtc.client.rehearsal import Rehearsal, Would
from dsmtc.client.rolled import Foreseen, ForeseenWave, Rollout
from dsmtc.client.stood import Budget, Standing, Stood

__all__ = [
    "DEFAULT_PLANNER",
    "Account",
    "ApplicationStatus",
    "Budget",
    "Changed",
    "Checkup",
    "Client",
    "Configured",
    "Credentials",
    "Evaluation",
    "EventRecord",
    "Evidence",
    "Explanation",
    "Finding",
    "Foreseen",
    "ForeseenWave",
    "FunctionParameter",
    "GuardShown",
    "Health",
    "HeldBack",
    "HostReason",
    "HostStatus",
    "Invitation",
    "Labels",
    "Leaver",
    "LimitsShown",
    "LogLine",
    "Login",
    "Lost",
    "Misfit",
    "Motion",
    "Node",
    "Package",
    "PackageKnown",
    "Passage",
    "Passed",
    "PingLine",
    "Plan",
    "PlanFunction",
    "PlanLoss",
    "Preview",
    "Rehearsal",
    "Rollout",
    "RunResult",
    "Sample",
    "Series",
    "Slice",
    "SliceStatus",
    "Standing",
    "Stood",
    "Stored",
    "ToAgree",
    "Touched",
    "WhoAmI",
    "Would",
]
