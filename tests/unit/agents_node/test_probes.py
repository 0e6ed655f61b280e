"""At most one probe at a time, and the same answer to the same order."""

from __future__ import annotations

from agents.container_manager.decide import Probes
from dsmt_core.nodes import ProbeResult


def test_an_order_that_comes_again_begins_nothing_and_is_answered_again() -> None:
    probes = Probes()
    assert probes.asked("a")
    assert not probes.asked("a")
    assert probes.answer_again("a") is None
    probes.done(ProbeResult(nonce="a", reason="no space"))
    assert not probes.asked("a")
    assert probes.answer_again("a") == ProbeResult(nonce="a", reason="no space")


def test_one_at_a_time() -> None:
    probes = Probes()
    assert probes.asked("a")
    assert not probes.asked("b")
    probes.done(ProbeResult(nonce="a"))
    assert probes.asked("b")
    assert probes.answer_again("b") is None


def test_an_order_without_a_nonce_is_none() -> None:
    assert not Probes().asked("")
