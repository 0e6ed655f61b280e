"""Every bound of a bus, with the reason for its figure.

The times are chosen together: whatever happened between a bus and its broker, the bus is back within 15 s
of the end of that. An attempt that was under way when the trouble ended costs at most `Limits.connect_s`,
the wait behind it at most `Limits.retry_most_s`, and setting everything up about a second. Only a broker
that accepts and is too busy to serve is waited for longer (`connect_most_s`, `consume_s`): ADR 15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dsmt_core.errors import Invalid
from dsmt_core.leases import DURATION_S
from dsmt_core.wire import BODY_BYTES

# What DSMT says of itself has room below the least. The most is half of the smallest bound in bytes that
# an event meets on its way (what waits for one follower of the planner), so that each holds two of them.
EVENT_BYTES_LEAST: Final = 64 << 10
EVENT_BYTES_MOST: Final = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every bound of a bus; times in seconds.

    Attributes:
        event_bytes: of one event's body, asked of what is sent and of what comes. All who speak with each
            other must have the same, so it is best said in the broker's URL (``?event_bytes=N``), which
            one part of the system hands on to the other.
        unconfirmed: events sent and not yet confirmed; a publisher waits at this number.
        unconfirmed_bytes: the same in bytes of body.
        outbox: posted events that wait while the broker is away.
        outbox_bytes: the same in bytes of body; 1,000 events of the usual size have less than 1 MiB.
        confirm_s: how long a publish may wait for its confirm. A quorum queue whose leader is cut off
            stalls one for 7 s and more, so it stays above 10 s.
        settle_s: how long an event may be without confirm before its channel is left, and it is sent again
            on a new one. Above those 10 s, and so far below ``confirm_s`` that its publisher hears of it.
        consume_s: how long a queue may leave a request to consume it unanswered; see `Bus.consume`. With
            thousands that come back a broker takes its time, and asking again makes it longer.
        connect_s: one attempt to connect. The kernel accepts for a broker that is only slow, and a private
            one answers within 0.1 s; a lost first packet is sent again after 1 s and after 3 s.
        connect_most_s: the same where the broker accepted and was then too slow: with each such attempt in
            a row the time doubles, up to this. After an outage all clients come at once; if each gave up
            in the middle of being served and came again, none would ever be through.
        reach_s: how long one of several hosts may take to accept a connection before the next is tried.
            The kernel accepts for a broker that is only slow, so a host that is silent so long is off.
        blocked_s: a broker that blocks publishers longer than this is left and connected to again.
        heartbeat_s: of the AMQP connection. The broker gives up a client that was silent for two periods,
            and pika a broker from which nothing came for one and 5 s, looking as often: after 15 to 30 s.
        keepalive_idle_s, keepalive_interval_s, keepalive_probes: the kernel asks a silent peer so soon, and
            so often: one that is gone (and not only its program) is noticed after 10 s.
        unacknowledged_s: what was sent and not acknowledged by the peer's kernel ends the connection, where
            the platform knows it (TCP_USER_TIMEOUT); without it a publisher waits for minutes.
        retry_first_s, retry_most_s: the back-off between attempts grows from the one to the other;
            the wait is drawn evenly between 0 and it (full jitter). Thousands of clients of one broker may
            be given more, for which they come back later.
        lease_buffer: deliveries that wait for a slow subscriber of a lease.
        lease_buffer_bytes: the same in bytes of body.
        lease_s: the most that a lease is granted; whoever asks for more gets this.
        renew_s: a lease is renewed this often; a short term is renewed more often. Each time costs the
            broker some bindings and a message: with ten thousand leases over a thousand a second. That an
            exchange was made again it is told sooner (`broker.renewal.summons`).
        probe_s: how long the probe of a renewal, or any step of it, may take. The probe comes behind what
            waits in the lease's queue: while deliveries come, it is still on its way.
        close_s: how long `broker.bus.Bus.close` may wait for what is under way.
    """

    event_bytes: int = BODY_BYTES
    unconfirmed: int = 1_000
    unconfirmed_bytes: int = 16 << 20
    outbox: int = 1_000
    outbox_bytes: int = 16 << 20
    confirm_s: float = 30.0
    settle_s: float = 15.0
    consume_s: float = 20.0
    connect_s: float = 4.0
    connect_most_s: float = 60.0
    reach_s: float = 3.0
    blocked_s: float = 60.0
    heartbeat_s: float = 10.0
    keepalive_idle_s: float = 4.0
    keepalive_interval_s: float = 2.0
    keepalive_probes: int = 3
    unacknowledged_s: float = 8.0
    retry_first_s: float = 0.2
    retry_most_s: float = 10.0
    lease_buffer: int = 10_000
    lease_buffer_bytes: int = 64 << 20
    lease_s: float = DURATION_S
    renew_s: float = 30.0
    probe_s: float = 4.0
    close_s: float = 5.0

    def __post_init__(self) -> None:
        """Refuse an `event_bytes` that other bounds have no room for."""
        if not EVENT_BYTES_LEAST <= self.event_bytes <= EVENT_BYTES_MOST:
            raise Invalid(
                f"event_bytes is {self.event_bytes}",
                hint=f"it takes {EVENT_BYTES_LEAST} to {EVENT_BYTES_MOST}",
            )
