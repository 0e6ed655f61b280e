"""Steps of an agent, complete and without choices, and how they went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dsmt_core.configuration import NONE, Configuration
from dsmt_core.lifecycle import State
from dsmt_core.packages import PackageRef
from dsmt_core.watch import USUAL, Watch


@dataclass(frozen=True, slots=True)
class Publish:
    """Tell a change of state, once; the next step waits until it is confirmed or in the outbox."""

    state: State
    version: str
    generation: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Tell how the application is doing (what repeats, with its period)."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Have these packages on the node, verified."""

    packages: tuple[PackageRef, ...]


@dataclass(frozen=True, slots=True)
class Prepare:
    """Unpack these packages, which are on the node, beside what runs, as far as that is possible.

    Attributes:
        packages: what is ordered.
        version: of it.
        taken: receipts of what must not be touched.
        keep: the packages of what runs: they are to stay on the node.
    """

    packages: tuple[PackageRef, ...]
    version: str
    taken: tuple[Mapping[str, str], ...] = ()
    keep: tuple[PackageRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Install:
    """Install these packages, which are on the node, as this version; nothing of it runs.

    Attributes:
        packages: what is to be installed.
        version: of it.
        before: the receipt of what it replaces.
        prepared: the receipt of the same packages, when they lie beside already.
        taken: receipts of what must not be touched.
    """

    packages: tuple[PackageRef, ...]
    version: str
    before: Mapping[str, str] = field(default_factory=dict)
    prepared: Mapping[str, str] = field(default_factory=dict)
    taken: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Clean:
    """Remove versions that nobody needs; what ``keep`` names stays."""

    receipts: tuple[Mapping[str, str], ...]
    keep: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Start:
    """Call the start script of this version, with this configuration."""

    version: str
    configuration: Configuration = NONE


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """Make the check and look at the processes.

    Attributes:
        start_pid: the start script's, or 0.
        watch: says by what it is checked.
    """

    version: str
    start_pid: int = 0
    watch: Watch = USUAL


@dataclass(frozen=True, slots=True)
class Stop:
    """End the application: its stop script, then signals to everything that it started."""

    version: str


@dataclass(frozen=True, slots=True)
class Uninstall:
    """Remove what `Installed.receipt` names, and what further receipts do."""

    receipt: Mapping[str, str]
    more: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing is left of it; its record goes."""


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Nothing to do before ``at`` (seconds of the clock that is passed in)."""

    at: float


@dataclass(frozen=True, slots=True)
class Look:
    """What was known is lost: see what is installed and whether it runs; ``version`` is what is ordered."""

    version: str


Step = (
    Look
    | Publish
    | Report
    | Fetch
    | Prepare
    | Install
    | Clean
    | Start
    | CheckStatus
    | Stop
    | Uninstall
    | Forget
    | WaitUntil
)


@dataclass(frozen=True, slots=True)
class Done:
    """It was done."""


@dataclass(frozen=True, slots=True)
class Troubled:
    """It was not done.

    Attributes:
        reason: one plain line.
        final: trying again with the same order cannot help.
    """

    reason: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Installed:
    """It is installed; ``receipt`` is what the installer needs in order to remove it."""

    receipt: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Started:
    """The start script runs, or has run, as this process.

    Attributes:
        found: it was not called, since the application runs already: with this configuration.
    """

    pid: int
    found: Configuration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the check said, and what the processes show.

    Attributes:
        scripted: there is a status script, or a check by network.
        code: exit code of the script, or 0 and 1 for a check by network that passed or not; None when there
            was no answer in time (or nobody to ask).
        text: its first line, or the text that it names in JSON.
        metrics: what it says in numbers, by name.
        probe: the URL that was checked; empty for a script.
        alive: a process of the application lives.
        start_code: the exit code of the start script; None while it runs or when that is unknown.
        start_text: the last line that the start script wrote.
        killed: why the kernel ended one of its processes, which nobody had asked for; empty: it did not.
    """

    scripted: bool
    code: int | None = None
    text: str = ""
    metrics: Mapping[str, str] = field(default_factory=dict)
    probe: str = ""
    alive: bool = False
    start_code: int | None = None
    start_text: str = ""
    killed: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a `Look` has found.

    Attributes:
        version: what is installed; empty: none that is known.
        receipt: of its installer.
        alive: processes of it live.
        configuration: with which it was last started, as far as the node knows.
    """

    version: str
    receipt: Mapping[str, str]
    alive: bool
    configuration: Configuration = NONE


Outcome = Found | Done | Troubled | Installed | Started | Checked
