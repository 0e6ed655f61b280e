"""`dsmt-node install`: what is written, what is refused, and what comes next."""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.container_manager import installing, main, options
from agents.container_manager.unit import MARK, Unit, quoted
from dsmt_core.errors import Conflict, Invalid, NotFound

NODE = ["--planner", "http://planner:7080", "--host", "n1.example.org", "--data", "/var/lib/dsmt-node"]


def install(folder: Path, *more: str) -> None:
    installing.run(["install", *NODE, "--directory", str(folder), *more])


def unquoted(word: str) -> str:
    """What systemd makes of one word of a command line (systemd.service(5), `COMMAND LINES`)."""
    inside = word[1:-1] if word.startswith('"') else word
    return re.sub(r"\\(.)|\$(\$)|%(%)", lambda found: found[1] or found[2] or found[3], inside)


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20))
def test_a_word_comes_out_of_the_unit_as_it_went_in(word: str) -> None:
    written = quoted(word)
    assert unquoted(written) == word
    assert written[0] != "'"


@pytest.mark.parametrize("word", ["two\nlines", "tab\there", "\x00"])
def test_what_could_begin_another_line_is_refused(word: str) -> None:
    with pytest.raises(Invalid):
        quoted(word)
    with pytest.raises(Invalid):
        _ = Unit(host=word, command=["x"], environment=Path("/e"), root=True).text
    with pytest.raises(Invalid):
        _ = Unit(host="n", command=["x"], environment=Path("/e", word), root=True).text


def test_a_node_outlived_by_its_slivers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(tmp_path, "--status-period", "5", "--facts-dir", "facts of mine", "--sliver-driver", "process")
    said = capsys.readouterr().out
    text = (tmp_path / "dsmt-node.service").read_text()
    assert {"KillMode=process", "Delegate=yes", "OOMPolicy=continue"} <= set(text.splitlines())
    command = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    assert command.endswith(
        "--planner http://planner:7080 --host n1.example.org --data /var/lib/dsmt-node "
        f'--facts-dir "{Path.cwd()}/facts of mine" --sliver-driver process --status-period 5.0'
    )
    assert "nodes invite" in said
    assert "enable --now dsmt-node" in said


def test_a_token_has_no_place_in_a_file_that_everybody_reads(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        install(tmp_path, "--token", "secret")
    with pytest.raises(SystemExit):
        install(tmp_path, "--tok", "secret")


def test_the_same_again_changes_nothing_and_what_differs_is_kept(tmp_path: Path) -> None:
    install(tmp_path)
    install(tmp_path)
    path = tmp_path / "dsmt-node.service"
    path.write_text(before := path.read_text() + "# by hand\n")
    with pytest.raises(Conflict, match="differs"):
        install(tmp_path)
    assert path.read_text() == before
    install(tmp_path, "--force")
    assert "by hand" not in path.read_text()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_it_is_taken_away_if_it_is_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    away = ["uninstall", "--directory", str(tmp_path)]
    with pytest.raises(NotFound):
        installing.run(away)
    install(tmp_path)
    path = tmp_path / "dsmt-node.service"
    installing.run([*away, "--dry-run"])
    assert path.exists()
    installing.run(away)
    assert not path.exists()
    assert "slivers live on" in capsys.readouterr().out
    path.write_text("[Unit]\n")
    with pytest.raises(Conflict):
        installing.run(away)
    installing.run([*away, "--force"])
    assert not path.exists()


def test_shown_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(tmp_path, "--dry-run")
    assert capsys.readouterr().out.startswith(MARK)
    assert list(tmp_path.iterdir()) == []


def test_of_a_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    installing.run(["install", *NODE, "--user", "--token-file", "/t"])
    text = (tmp_path / "systemd" / "user" / "dsmt-node.service").read_text()
    assert "CapabilityBoundingSet" not in text
    assert "WantedBy=default.target" in text
    said = capsys.readouterr().out
    assert "systemctl --user enable" in said
    assert "invite" not in said


@pytest.mark.parametrize("unit", ["../x", "", "a b"])
def test_a_units_name_leads_nowhere(tmp_path: Path, unit: str) -> None:
    with pytest.raises(Invalid):
        install(tmp_path, "--unit", unit)


def test_errors_are_one_line_and_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.run(["uninstall", "--directory", str(tmp_path)])
    assert ended.value.code == NotFound.exit_code
    assert capsys.readouterr().err.startswith("dsmt-node: there is no ")
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        main.run(["install", *NODE, "--directory", str(tmp_path / "file" / "x")])
    assert "as root, or with --user" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
@pytest.mark.parametrize("root", [True, False])
def test_systemd_finds_nothing_wrong(*, root: bool) -> None:
    unit = Unit(host="n1", command=["/bin/true", "a b$%"], environment=Path("/etc/dsmt/x y%"), root=root)
    assert installing.complaints(unit.text, "dsmt-node.service") == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_would_find_what_is_wrong() -> None:
    wrong = Unit(host="n1", command=["/bin/true"], environment=Path("/e"), root=True).text
    said = installing.complaints(wrong.replace("Delegate=", "Delegat="), "dsmt-node.service")
    assert any("Delegat" in line for line in said)


def test_every_option_of_the_manager_but_the_token_reaches_the_unit() -> None:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    options.add(parser)
    given = ["--token-file", "/t", "--sliver-driver", "process", "--status-period", "7.0"]
    given += ["--cache-bytes", "5", "--depot-mirror", "http://m:1", "--end-slivers", "--facts-dir", "/f"]
    given += ["--ready-file", "/r", "--verbose", "--capacity", "memory=4G", "--podman", "/p"]
    given += ["--rootfs", "debian12=/srv/d", "--rootfs", "alpine=/srv/a=b"]
    given += ["--authority", "/a.pem"]
    told = {action.dest for action in parser._actions} - {"help", "token"}
    words = options.arguments(parser.parse_args([*NODE, *given]))
    assert {word[2:].replace("-", "_") for word in words if word.startswith("--")} == told
    assert vars(parser.parse_args(words)) == vars(parser.parse_args([*NODE, *given]))
