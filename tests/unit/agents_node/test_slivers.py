"""Names, users and paths of slivers, without making one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents import facts, heartbeat, state_file
from agents.container_manager.joining import Joined, _joined, _refused, claim_of, remember, remembered
from agents.container_manager.slivers import directories, record, users, visible
from agents.container_manager.slivers.choosing import choose
from agents.container_manager.slivers.place import Place
from agents.sliver_init import logs
from agents.sliver_init.census import Census, Process
from agents.sliver_init.logs import LOG_BYTES
from agents.sliver_init.pipes import CHUNK
from dsmt_core.errors import Conflict, DsmtError, Full, Invalid, Unavailable
from dsmt_core.names import Host, Slice

ANSWER = {"broker": "amqp://x", "queue": "q", "heartbeat_s": 1, "slivers": {"one": 3}}


def test_a_uid_is_stable_and_never_shared() -> None:
    first = users.uid_for("node/one", set())
    assert first == users.uid_for("node/one", set())
    assert users.uid_for("node/one", {first}) not in {first, 0}
    everything = set(range(users.FIRST_UID, users.FIRST_UID + users.UIDS))
    assert users.uid_for("node/one", everything - {first}) == first
    with pytest.raises(Full):
        users.uid_for("node/one", everything)


def test_uids_in_use_are_read_from_the_slivers(tmp_path: Path) -> None:
    for name, uid in (("one", 200_001), ("two", None)):
        (tmp_path / name).mkdir()
        state_file.save(tmp_path / name / "sliver.json", {"uid": uid})
    (tmp_path / "three").mkdir()
    assert users.taken_below(tmp_path) == {200_001}


def test_the_mark_of_a_sliver_tells_nodes_of_one_machine_apart(tmp_path: Path) -> None:
    one = Place(Slice("s"), Host("a"), tmp_path / "a" / "s")
    two = Place(Slice("s"), Host("b"), tmp_path / "b" / "s")
    assert one.mark != two.mark


def test_only_the_packages_of_a_node_are_seen_of_a_checkout() -> None:
    paths = visible.python_paths()
    assert all(path.is_absolute() for path in paths)
    assert not any(path != other and path.is_relative_to(other) for path in paths for other in paths)
    checkout = visible.package_directory("agents").parent
    assert checkout not in paths
    assert visible.package_directory("agents") in paths


def test_a_mount_point_is_made_real_whatever_lies_there(tmp_path: Path) -> None:
    base, victim = tmp_path / "etc", tmp_path / "victim"
    base.mkdir()
    victim.mkdir()
    (base / "a").symlink_to(victim)
    directories.mount_point(base, Path("a/b/c"), directory=True)
    assert (base / "a/b/c").is_dir()
    assert not (base / "a").is_symlink()
    (base / "file").symlink_to(victim / "target")
    directories.mount_point(base, Path("file"), directory=False)
    assert not (base / "file").is_symlink()
    assert list(victim.iterdir()) == []


def test_a_record_names_a_living_process_only() -> None:
    mine = record.record_of(os.getpid())
    assert mine is not None
    assert record.lives(mine)
    assert not record.lives(record.InitRecord(mine.pid, mine.start_time + 1, mine.boot_id))
    assert record.record_of(2**22 + 1) is None
    assert not record.lives(None)


@pytest.mark.parametrize("text", ["{}", '{"pid": "x"}', "[]", ""])
def test_a_torn_record_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "init.json").write_text(text)
    assert record.load(tmp_path / "init.json") is None


def test_an_unknown_driver_is_named() -> None:
    with pytest.raises(Invalid, match="'magic'"):
        choose("magic")


def test_auto_takes_the_best_that_works_and_says_what_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    choice = choose("auto")
    assert choice.driver.name == "process"
    assert "bwrap is missing (apt-get install bubblewrap)" in choice.warning
    with pytest.raises(Unavailable, match="bwrap is missing") as caught:
        choose("bubblewrap")
    assert "auto" in caught.value.hint


def test_a_claim_is_made_once(tmp_path: Path) -> None:
    assert claim_of(tmp_path) == claim_of(tmp_path)


def test_what_a_join_answered_is_remembered_without_what_was_wanted(tmp_path: Path) -> None:
    assert remembered(tmp_path) is None
    joined = _joined(ANSWER)
    assert joined.slivers == {Slice("one"): 3}
    remember(tmp_path, joined)
    assert remembered(tmp_path) == Joined(broker="amqp://x", queue="q", heartbeat_s=1.0)
    assert (tmp_path / "node.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "change",
    [{"broker": None, "queue": None, "heartbeat_s": "x"}, {"heartbeat_s": 0}, {"slivers": {"!": 1}}],
)
def test_an_answer_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        _joined({**ANSWER, **change})


def test_a_refusal_keeps_its_class_and_a_fault_of_the_planner_is_tried_again() -> None:
    assert isinstance(_refused(409, {"code": "conflict", "message": "m"}), Conflict)
    assert isinstance(_refused(502, {}), Unavailable)
    assert not isinstance(_refused(404, {}), Unavailable)
    assert isinstance(_refused(404, {}), DsmtError)


def test_facts_are_text_and_the_load_alone_is_no_news(tmp_path: Path) -> None:
    known = facts.facts(tmp_path, sliver_driver="process")
    assert all(value for value in known.values())
    assert int(known["cpus"]) > 0
    assert int(known["memory_mb"]) > 0
    assert known["sliver_driver"] == "process"
    assert not facts.differ(known, {**known, "load1": "99"})
    assert facts.differ(known, {**known, "cpus": "99"})


@pytest.mark.parametrize("draw", [0.0, 0.5, 1.0])
def test_a_heartbeat_comes_at_least_each_period(draw: float) -> None:
    assert 0.9 <= heartbeat.wait_s(1.0, draw) <= 1.0


def test_a_process_is_read_although_its_name_has_brackets() -> None:
    process = Process(7, "7 (a) b) c) S 1 5 6 0 -1 " + " ".join(str(n) for n in range(9, 30)))
    assert (process.parent, process.session, process.zombie) == (1, 6, False)


def test_a_census_of_nobody_counts_nobody() -> None:
    """The sweep after the end of a sliver must not meet the manager's own children."""
    assert Census("no-such-sliver", alone=False, below=-1).owners() == {}


def test_a_log_is_bounded_and_keeps_its_newest_part(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "log"
    chunk = b"x" * (CHUNK - 1) + b"\n"
    for _ in range(3 * LOG_BYTES // CHUNK):
        logs.append(str(path), chunk)
    logs.append(str(path), b"the end")
    assert path.read_bytes() == b"the end"
    assert path.with_name("log.1").stat().st_size == LOG_BYTES
    assert {each.name for each in path.parent.iterdir()} == {"log", "log.1"}


def test_a_log_that_cannot_be_written_is_lost_and_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")
    logs.append(str(tmp_path / "log"), b"secret")
    assert not (tmp_path / "elsewhere").exists()
    logs.append(str(tmp_path), b"a directory")
    logs.append("/proc/no/such/directory/log", b"nowhere")
