#!/bin/sh
# Makes the environment .venv with DSMT and what its checks need. Quick when nothing has changed.
set -eu
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "setup: DSMT needs Python 3.11 or newer; $python is $("$python" -V 2>&1)" >&2
    echo "setup: name another with: make PYTHON=python3.12 …" >&2
    exit 1
fi

# What the planner's page brings from other projects; quick when it is there, and no error when it cannot be had.
"$python" planner/viewer/assets.py

wanted="$( { cat pyproject.toml; "$python" -V; pwd; } | sha256sum)"
stamp=.venv/setup.stamp
[ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ] && exit 0

echo "setup: making the environment .venv" >&2
[ -x .venv/bin/python ] || "$python" -m venv .venv
# Dependency groups came with pip 25.1, and Debian 12 has an older one.
.venv/bin/python -m pip install -q --disable-pip-version-check "pip>=25.1" 2>&1 | { grep -v '^WARNING: Location' || true; } >&2
.venv/bin/python -m pip install -q --disable-pip-version-check -e . --group dev 2>&1 | { grep -v '^WARNING: Location' || true; } >&2
.venv/bin/python -c 'import dsmt_core, broker, planner, agents, depot, dsmtc, lab, pytest, mypy'
echo "$wanted" >"$stamp"
