"""What ``dsmtc`` makes of a server that is no planner, or one of another version: one line, exit code 5."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from dsmt_core.errors import Unavailable
from dsmtc.verbs import SECTIONS
from tests.integration.dsmtc.conftest import Dsmtc
from tests.integration.dsmtc.fake_planner import Fake

LINES = """
create --slice s
manage --slice s
unmanage --slice s
delete --slice s --yes
slices
setagent --slice s --agent deployment-agent
setplan --slice s --plan all_nodes
setplan --slice s --plan all_nodes --dry-run
agree --slice s --yes
agree --slice s --dry-run
budget s
budget s --keep 80%
budget s --keep 80% --dry-run
guard --slice s
guard --slice s --least 1 --most 9
wait --slice s --timeout 1
wait --slice s --rollout done --timeout 1
ping --slice s
status --slice s
status --slice s --watch
status --slice s --until-running 1
plan --slice s
plan set --slice s --plan p --base failed
plan show --slice s --plan p
plan delete --slice s --plan p
plan eval --slice s --plan p
plan explain --slice s --plan p --node node1
plan functions
facts
depot --slice s
depot put --slice s PACKAGE
depot get --slice s a-1.rpm
depot show --slice s a-1.rpm
depot remove --slice s a-1.rpm
depot prune --slice s
depot quota --slice s
start --slice s pinger
stop --slice s pinger
restart --slice s pinger
update --slice s pinger
update --slice s pinger --dry-run
configure --slice s pinger
configure --slice s pinger greeting=hello
configure --slice s pinger greeting=hello --dry-run
uninstall --slice s pinger --yes
image --slice s pinger localhost/pinger:1
secret put --slice s token @PACKAGE
secret list --slice s
secret remove --slice s token --yes
check --slice s pinger
check --slice s pinger --tcp 8080
limits --slice s
limits --slice s --memory 64M
availability --slice s
logs --slice s node1
exec --slice s node1 -- uname
rollout start --slice s pinger --waves 1,100%
rollout start --slice s pinger --dry-run
rollout status --slice s pinger
rollout pause --slice s pinger
rollout resume --slice s pinger
rollout promote --slice s pinger
rollout abort --slice s pinger
rollout history --slice s pinger
audit
audit --since 1h --jsonl
audit verify
audit export PACKAGE.jsonl
nodes
nodes show node1
nodes failed
nodes evidence node1
nodes label node1 rack=r7
nodes exclude node1 --reason repair
nodes include node1
nodes cordon node1
nodes uncordon node1
nodes distrust node1 --reason noise
nodes trust node1
nodes drain node1
nodes drain node1 --cancel
nodes window node1 --from 2026-05-01T22:00Z --for 2h
nodes invite
nodes forget node1
events
events --follow
services
channels
publish --channel /com/example/ --field a --value b
broker
publishers --slice s
publishers add --slice s build KEY
publishers remove --slice s build
publishers any --slice s --yes
login
whoami
account add you@example.com
account passwd
account list
account keys list
account keys add KEY
account token list
account token make backup
account token revoke backup
account show you@example.com
slice show
slice members
slice set --description words
renew
plc sites
plc people home
plc addsite new
ca
ca fetch KEY.pem
""".strip().splitlines()
# What does not ask a planner that is there already, is a program of its own, or asks who is logged in only.
NOT_ASKING = {"completion", "doctor", "top", "shell", "dev", "swarm", "logout"}
# Where an answer goes astray in the transport is the same for all; where its form does, each verb is asked.
EACH = ("nothing", "another object", "a list of something")
ANSWERS = {
    "nothing": (204, b""),
    "nothing, and then something": (204, b"x" * 10),
    "an empty answer": (200, b""),
    "a page": (200, b"<html>"),
    "another object": (200, b'{"other": 1}'),
    "a list of something": (200, b"[1]"),
    "the names with other values": (200, b'[{"account": 1, "slices": "s", "broker": null}]'),
    "a depth without end": (200, b"[" * 100_000),
    "elsewhere": (302, b""),
    "a page of an error": (404, b"<html>not found</html>"),
    "another object of an error": (404, b'{"code": "gone"}'),
    "a list of an error": (500, b"[1]"),
}


def test_every_verb_is_tried() -> None:
    verbs = {verb for section in SECTIONS.values() for verb in section}
    assert {line.split()[0] for line in LINES} == verbs - NOT_ASKING


@pytest.mark.parametrize("line", LINES)
def test_a_stranger_is_named_as_one(dsmtc: Dsmtc, fake: Fake, line: str, tmp_path: Path) -> None:
    package = tmp_path / "a-1.rpm"
    (tmp_path / "key.pub").write_text("ssh-ed25519 AAAA")
    package.write_bytes(b"package")
    words = shlex.split(line.replace("PACKAGE", str(package)).replace("KEY", str(tmp_path / "key.pub")))
    fake.spared = {"login": frozenset[str](), "whoami": frozenset({"login"})}.get(
        words[0], frozenset({"login", "whoami"})
    )
    for name in ANSWERS if words[0] in {"whoami", "events"} else EACH:
        fake.raw = ANSWERS[name]
        ended = dsmtc(*words, DSMT_NEW_PASSWORD="new-password")
        if name == "another object" and ended.code == 0:
            # What deletes has no answer but that it is done: any object says so.
            assert {"delete", "remove", "forget", "passwd", "revoke"} & set(words), ended
            continue
        told = ended.err.splitlines()
        # Of --dry-run 0 and 1 are answers.
        assert ended.code == (255 if "--dry-run" in words else Unavailable.exit_code), (name, ended)
        assert len(told) == 2, (name, ended)
        assert told[0].startswith(f"dsmtc: what answers at {dsmtc.url} is not a planner of DSMT"), name
        assert told[1].startswith("  hint: "), name
        assert len(told[0]) < 300, name


def test_the_line_says_what_was_asked_and_what_is_wrong(dsmtc: Dsmtc, fake: Fake) -> None:
    fake.spared = frozenset({"login"})
    fake.raw = (200, b'{"account": "a", "role": "user", "slices": ["s", 1]}')
    ended = dsmtc("whoami")
    assert "(GET /v1/whoami: status 200, answer.slices[1] is not a text)" in ended.err
