"""The planner's HTTP is as its OpenAPI says, whatever is sent, and nothing makes it fail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.planner.conftest import ADMIN, PASSWORD

WAIT_S = 60.0
# `make soak` asks for more.
EXAMPLES = int(os.environ.get("DSMT_HTTP_EXAMPLES", "4"))
# The second looks at every bound of every field, for a minute and a half.
PHASES = "examples,coverage,fuzzing" if EXAMPLES > 10 else "examples,fuzzing"
# Who logs out could ask nothing more.
LEFT_OUT = "/v1/logout"


@pytest.fixture(scope="module")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a planner with its depot."""
    folder = tmp_path_factory.mktemp("planner")
    words = [sys.executable, "-m", "planner.main"]
    data = ["--data", str(folder / "data")]
    environment = os.environ | {"DSMT_PASSWORD": PASSWORD}
    subprocess.run([*words, "init", *data, "--admin", ADMIN], env=environment, check=True)
    ready = folder / "ready.json"
    listen = ["--listen", "127.0.0.1:0", "--ready-file", str(ready)]
    broker = [
        "--broker",
        "memory://planner@openapi",
        "--operator-broker",
        "amqp://operator:secret@127.0.0.1/dsmt",
    ]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([*words, "run", *data, *broker, *listen], stderr=log) as process,
    ):
        try:
            deadline = time.monotonic() + WAIT_S
            while not ready.exists():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield str(httpx.Response(200, content=ready.read_bytes()).json()["url"])
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=WAIT_S) == 0
            assert b"Traceback" not in (folder / "log").read_bytes()


@pytest.fixture(scope="module")
def token(planner: str) -> str:
    with httpx.Client(base_url=planner, trust_env=False, timeout=WAIT_S) as client:
        said = client.post("/v1/login", json={"account": ADMIN, "password": PASSWORD}).json()
        headers = {"Authorization": f"Bearer {said['token']}"}
        for name in ("s1", "0"):
            assert client.post("/v1/slices", json={"slice": name}, headers=headers).is_success
        return str(said["token"])


def test_whatever_is_sent_is_answered_as_described(planner: str, token: str, tmp_path: Path) -> None:
    command = [
        *("schemathesis", "--config-file", str(Path(__file__).with_name("schemathesis.toml"))),
        *("run", f"{planner}/v1/openapi.json", "--no-color", "--phases", PHASES),
        *("--max-examples", str(EXAMPLES), "--workers", "2", "--request-timeout", str(WAIT_S)),
        *("--exclude-path", LEFT_OUT, "--suppress-health-check", "all", "--generation-database", "none"),
        *("--warnings", "off", "--continue-on-failure"),
    ]
    hooks = {
        "SCHEMATHESIS_HOOKS": "tests.integration.planner.openapi_hooks",
        "DSMT_TEST_TOKEN": token,
        # It is not where this runs that a program of the environment looks first.
        "PYTHONPATH": str(Path(__file__).parents[3]),
    }
    done = subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        env=os.environ | hooks,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(done.stdout[-20_000:] + done.stderr[-2_000:])
