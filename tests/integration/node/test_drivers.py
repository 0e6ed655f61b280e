"""The contract of the slivers' drivers, kept by each of them with real processes."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from agents import local_socket
from agents.container_manager.slivers import directory_driver, record
from agents.container_manager.slivers.bubblewrap import BubblewrapDriver
from agents.container_manager.slivers.driver import AgentCommand, SliverDriver
from agents.container_manager.slivers.place import Place
from agents.container_manager.slivers.process import ProcessDriver
from agents.sliver_init.logs import LOG_BYTES
from dsmt_core.errors import Invalid, Unavailable
from dsmt_core.names import Slice
from tests.descriptors import many_descriptors
from tests.integration.node.world import alive

NO_AGENT = AgentCommand()
SLEEPER = AgentCommand(argv=("sleep", "1000"), env={"PATH": "/usr/bin:/bin"})


def ask(place: Place, **request: Any) -> dict[str, Any]:
    return local_socket.ask(place.init_socket, request, timeout_s=60)


def run(place: Place, script: str, **more: Any) -> dict[str, Any]:
    request = {"argv": ["sh", "-c", script], "cwd": "/", "timeout": 60, "limit": 1 << 16, **more}
    return ask(place, op="run", **request)


def wait_for(condition: Callable[[], object], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def booted(driver: SliverDriver, place: Place, agent: AgentCommand = NO_AGENT) -> record.InitRecord:
    driver.create(place)
    return driver.boot(place, agent)


def test_a_sliver_is_made_booted_and_destroyed_without_a_trace(driver: SliverDriver, place: Place) -> None:
    assert not driver.exists(place)
    init = booted(driver, place)
    assert driver.exists(place)
    assert record.lives(init)
    driver.destroy(place)
    assert not record.lives(init)
    assert not place.directory.exists()


def test_a_manager_with_many_descriptors_boots_a_sliver(driver: SliverDriver, place: Place) -> None:
    with many_descriptors():
        init = booted(driver, place)
        assert psutil.pid_exists(init.pid)


def test_every_step_may_be_repeated(driver: SliverDriver, place: Place) -> None:
    init = booted(driver, place)
    driver.create(place)
    assert driver.boot(place, NO_AGENT) == init
    driver.end(place)
    driver.end(place)
    assert booted(driver, place) != init
    driver.destroy(place)
    driver.destroy(place)


def test_the_commands_of_the_init_work(driver: SliverDriver, place: Place) -> None:
    booted(driver, place)
    done = run(place, "echo hello; echo $GREETING >&2; exit 3", env={"GREETING": "world"})
    assert done == {"exit": 3, "output": "hello\nworld\n", "timed_out": False}
    with pytest.raises(Invalid, match="cannot start"):
        ask(place, op="run", argv=["/no/such/program"])
    with pytest.raises(Invalid, match="operation"):
        ask(place, op="dance")


def test_output_is_cut_and_a_run_too_long_is_ended(driver: SliverDriver, place: Place) -> None:
    booted(driver, place)
    cut = run(place, "head -c 3000000 /dev/zero | tr '\\0' x", limit=1000)
    assert (cut["exit"], len(cut["output"])) == (0, 1000)
    begun = time.monotonic()
    late = run(place, "echo before; sleep 100 & sleep 100", timeout=2.0)
    assert late == {"exit": -signal.SIGKILL, "output": "before\n", "timed_out": True}
    assert time.monotonic() - begun < 50


def test_what_the_program_leaves_behind_does_not_hold_the_answer(
    driver: SliverDriver, place: Place
) -> None:
    booted(driver, place)
    begun = time.monotonic()
    assert run(place, "sleep 100 & echo started")["output"] == "started\n"
    assert time.monotonic() - begun < 50


def test_a_spawned_program_is_counted_signalled_and_its_end_told(
    driver: SliverDriver, place: Place
) -> None:
    booted(driver, place)
    pid = ask(place, op="spawn", argv=["sleep", "1000"], cwd="/", application="app")["pid"]
    ask(place, op="spawn", argv=["sleep", "1000"], cwd="/", application="other")
    assert ask(place, op="processes", application="app") == {"pids": [pid], "exited": {}}
    assert ask(place, op="signal", application="app", signal="TERM") == {"signalled": 1}
    wait_for(lambda: ask(place, op="processes", application="app")["exited"] == {str(pid): -15})
    assert ask(place, op="processes", application="app")["pids"] == []
    assert len(ask(place, op="processes", application="other")["pids"]) == 1


def test_a_daemon_that_left_its_session_is_found_and_ended(driver: SliverDriver, place: Place) -> None:
    booted(driver, place)
    script = "setsid sh -c 'sleep 1000 & sleep 1001 &' & sleep 0.1"
    ask(place, op="spawn", argv=["sh", "-c", script], cwd="/", application="app")
    wait_for(lambda: len(ask(place, op="processes", application="app")["pids"]) == 2)
    assert ask(place, op="signal", application="app", signal="KILL")["signalled"] >= 2
    wait_for(lambda: ask(place, op="processes", application="app")["pids"] == [])


def test_a_running_status_script_does_not_count_as_the_application(
    driver: SliverDriver, place: Place
) -> None:
    booted(driver, place)
    app = driver.inside(place).app
    # Its children come and go: none of them may be met between two looks either.
    script = f"while sleep 0.002; do touch {app}/runs; done"
    request = {"op": "run", "argv": ["sh", "-c", script]}
    with local_socket.connect(place.init_socket, timeout_s=60) as waiting:
        waiting.sendall(json.dumps({**request, "application": "app", "timeout": 90}).encode() + b"\n")
        wait_for((place.root / "app" / "runs").exists)
        met = [ask(place, op="processes", application="app")["pids"] for _ in range(200)]
    assert met == [[]] * 200


def test_what_prints_without_end_fills_no_disk_and_takes_no_time(
    driver: SliverDriver, place: Place
) -> None:
    init = booted(driver, place)
    log = place.root / "app" / "loud.log"
    inside = f"{driver.inside(place).app}/loud.log"
    ask(place, op="spawn", argv=["yes"], application="loud", log=inside)
    wait_for(log.with_name("loud.log.1").exists)
    turned = log.with_name("loud.log.1").stat().st_mtime
    before, begun = cpu_s(init.pid), time.monotonic()
    wait_for(lambda: log.with_name("loud.log.1").stat().st_mtime > turned)
    assert (
        log.with_name("loud.log.1").stat().st_size <= LOG_BYTES
    )  # the other one is away for a moment at each turn
    # Whoever read all that comes would take a core.
    assert cpu_s(init.pid) - before < 0.3 * max(1.0, time.monotonic() - begun)
    assert ask(place, op="processes", application="loud")["pids"]


def test_ends_are_told_to_who_watches(driver: SliverDriver, place: Place) -> None:
    booted(driver, place)
    with local_socket.connect(place.init_socket, timeout_s=60) as watch:
        stream = watch.makefile("rwb")
        stream.write(b'{"op": "watch"}\n')
        stream.flush()
        assert stream.readline()
        pid = ask(place, op="spawn", argv=["sh", "-c", "exit 7"], cwd="/", application="app")["pid"]
        told = stream.readline().decode()
    assert f'"reaped": {pid}, "exit": 7, "application": "app"' in told


def test_the_agent_waits_for_its_word_and_is_restarted_when_killed(
    driver: SliverDriver, place: Place
) -> None:
    booted(driver, place, SLEEPER)
    assert ask(place, op="agent")["starts"] == 0
    first = ask(place, op="agent", start=True)
    assert ask(place, op="agent", start=True) == first
    assert run(place, f"kill -9 {first['pid']}")["exit"] == 0
    wait_for(lambda: ask(place, op="agent")["starts"] == 2)
    wait_for(lambda: ask(place, op="agent")["pid"] not in {0, first["pid"]})


def test_another_life_of_the_manager_adopts_what_runs(
    driver: SliverDriver, make_driver: Callable[[], SliverDriver], place: Place
) -> None:
    init = booted(driver, place)
    another = make_driver()
    assert another.adopt(place) == init
    assert another.boot(place, NO_AGENT) == init


def test_an_init_is_adopted_although_its_record_is_torn(
    driver: SliverDriver, make_driver: Callable[[], SliverDriver], place: Place
) -> None:
    init = booted(driver, place)
    place.init_file.write_text("{")
    assert make_driver().adopt(place) == init
    assert record.load(place.init_file) == init


def test_a_dead_init_is_not_adopted(driver: SliverDriver, place: Place) -> None:
    init = booted(driver, place)
    os.kill(init.pid, signal.SIGKILL)
    wait_for(lambda: driver.adopt(place) is None)
    assert driver.boot(place, NO_AGENT) != init


def test_a_record_of_another_boot_or_of_a_reused_pid_is_not_believed(
    driver: SliverDriver, place: Place
) -> None:
    driver.create(place)
    me = record.record_of(os.getpid())
    assert me is not None
    for wrong in (
        record.InitRecord(me.pid, me.start_time + 1, me.boot_id),
        record.InitRecord(me.pid, me.start_time, "another boot"),
    ):
        record.save(place.init_file, wrong)
        assert driver.adopt(place) is None


def test_the_end_meets_daemons_and_what_ignores_signals(
    driver: SliverDriver, place: Place, tmp_path: Path
) -> None:
    booted(driver, place, SLEEPER)
    ask(place, op="agent", start=True)
    # In its words alone, and not in those of the wall around it, which ends a moment after the sliver.
    mark = f"sleep 1000; : {tmp_path}"
    script = f"trap '' TERM HUP INT; setsid sh -c 'trap \"\" TERM; {mark}' & sleep 0.1"
    ask(place, op="spawn", argv=["sh", "-c", script], cwd="/", application="app")
    wait_for(lambda: alive(mark))
    begun = time.monotonic()
    driver.end(place, grace_s=0.3)
    assert time.monotonic() - begun < 50
    assert alive(mark) == []


def test_an_init_that_hangs_is_ended_all_the_same(
    driver: SliverDriver, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The politeness costs its waits; what counts is that it ends.
    monkeypatch.setattr(directory_driver, "POLITE_S", 0.5)
    init = booted(driver, place)
    os.kill(init.pid, signal.SIGSTOP)
    driver.end(place, grace_s=0.2)
    assert not record.lives(init)


def test_a_boot_that_fails_says_why_and_leaves_nothing(
    driver: SliverDriver, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.create(place)
    nonsense = ["sh", "-c", "echo no luck >&2; exit 1", "--"]
    monkeypatch.setattr(driver, "_init_command", lambda _place: nonsense)
    with pytest.raises(Unavailable, match="no luck"):
        driver.boot(place, NO_AGENT)
    assert driver.adopt(place) is None


def test_links_laid_by_a_sliver_lead_no_driver_outside(
    driver: SliverDriver, place: Place, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "keep").write_text("kept")
    booted(driver, place)
    driver.end(place)
    for name in ("hosts", "ssl", "alternatives"):
        target = place.root / "etc" / name
        if target.is_dir() and not target.is_symlink():
            target.rmdir()
        else:
            target.unlink(missing_ok=True)
        target.symlink_to(victim / "keep" if name == "hosts" else victim)
    (place.root / "tmp" / "way").symlink_to(victim)
    driver.boot(place, NO_AGENT)
    driver.destroy(place)
    assert [path.name for path in victim.iterdir()] == ["keep"]
    assert (victim / "keep").read_text() == "kept"


def test_nonsense_on_the_socket_is_answered_or_cut_off(driver: SliverDriver, place: Place) -> None:
    booted(driver, place)
    for bad in (b"[]\n", b"\xff\n", b"{}\n", b'{"op": "run", "argv": "ls"}\n', b'{"op": ["run"]}\n'):
        with local_socket.connect(place.init_socket, timeout_s=60) as connection:
            connection.sendall(bad)
            assert b"error" in connection.recv(4096)
    talker = local_socket.connect(place.init_socket, timeout_s=60)
    with talker, pytest.raises(OSError, match=r"reset|Broken"):
        talker.sendall(b"x" * (8 << 20))
    idle = [local_socket.connect(place.init_socket, timeout_s=60) for _ in range(40)]
    for connection in idle:
        connection.close()
    wait_for(lambda: run(place, "true")["exit"] == 0)


def test_two_slices_see_nothing_of_one_another(
    bubblewrap: SliverDriver, place_of: Callable[[Slice], Place]
) -> None:
    one, two = place_of(Slice("one")), place_of(Slice("two"))
    try:
        booted(bubblewrap, one)
        booted(bubblewrap, two)
        run(one, "echo secret > /app/mine; chmod 777 /app /app/mine")
        ask(one, op="spawn", argv=["sleep", "4242"], cwd="/", application="app")
        assert run(two, "cat /app/mine")["exit"] != 0
        assert run(two, "grep -l '424[2]' /proc/[0-9]*/cmdline")["exit"] == 1
        assert run(two, f"ls {one.directory}")["exit"] != 0
        assert bubblewrap.owner(one) != bubblewrap.owner(two) or os.geteuid() != 0
    finally:
        bubblewrap.destroy(one, grace_s=0.2)
        bubblewrap.destroy(two, grace_s=0.2)


def test_a_bubblewrap_sliver_has_no_privilege_and_little_of_the_host(
    bubblewrap: SliverDriver, place_of: Callable[[Slice], Place]
) -> None:
    place = place_of(Slice("walls"))
    try:
        init = booted(bubblewrap, place)
        status = run(place, "grep -E '^(CapEff|CapBnd|CapPrm|CapInh|CapAmb|NoNewPrivs|Uid)' /proc/1/status")
        fields = {line.split()[0]: line.split()[1:] for line in status["output"].splitlines()}
        assert all(fields[name] == ["0" * 16] for name in ("CapEff:", "CapPrm:", "CapInh:", "CapAmb:"))
        assert fields["NoNewPrivs:"] == ["1"]
        if os.geteuid() == 0:
            assert fields["CapBnd:"] == ["0" * 16]
            assert "0" not in fields["Uid:"]
            assert f"\nUid:\t{fields['Uid:'][0]}" in Path(f"/proc/{init.pid}/status").read_text()
        assert run(place, "echo $$; ls -d /proc/[0-9]* | wc -l")["output"].split()[1] in {"2", "3", "4"}
        assert run(place, "touch /usr/x || touch /x || touch /packages/x")["exit"] != 0
        assert run(place, "ls /etc/shadow /etc/ssh /root/.ssh /sys")["exit"] != 0
        assert run(place, "env")["output"].count("SECRET") == 0
        writable = (
            "for d in /app /var /tmp /home /opt /usr/local /run /dev/shm; do touch $d/x || exit 1; done"
        )
        assert run(place, writable)["exit"] == 0
        assert (
            run(place, "id -un; awk 'BEGIN {print 1}'; cat /etc/hostname")["output"].split()[0] == "sliver"
        )
    finally:
        bubblewrap.destroy(place, grace_s=0.2)


def test_an_unknown_reason_not_to_work_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "bwrap is missing" in BubblewrapDriver().probe()
    assert ProcessDriver().probe() == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives slivers users of their own")
def test_a_sliver_whose_user_is_not_known_is_never_booted_as_root(
    bubblewrap: SliverDriver, place_of: Callable[[Slice], Place]
) -> None:
    place = place_of(Slice("torn"))
    try:
        bubblewrap.create(place)
        before = bubblewrap.owner(place)
        for torn in ("{", '{"uid": 0}', ""):
            place.sliver_file.write_text(torn)
            with pytest.raises(Unavailable, match="no user"):
                bubblewrap.boot(place, NO_AGENT)
            assert not bubblewrap.exists(place)
        (place.root / "app" / "link").symlink_to("/etc/passwd")
        (place.root / "app" / "file").write_text("of another driver")
        bubblewrap.create(place)
        assert bubblewrap.owner(place) == before
        assert (place.root / "app" / "file").stat().st_uid == (before or (0, 0))[0]
        assert Path("/etc/passwd").stat().st_uid == 0
        bubblewrap.boot(place, NO_AGENT)
    finally:
        bubblewrap.destroy(place, grace_s=0.2)


def test_an_init_that_no_record_names_does_not_stay_beside_the_next(
    bubblewrap: SliverDriver, place_of: Callable[[Slice], Place]
) -> None:
    place = place_of(Slice("stray"))
    try:
        stray = booted(bubblewrap, place)
        place.init_file.unlink()
        place.init_socket.unlink()
        assert bubblewrap.adopt(place) is None
        assert bubblewrap.boot(place, NO_AGENT) != stray
        assert not record.lives(stray)
    finally:
        bubblewrap.destroy(place, grace_s=0.2)
