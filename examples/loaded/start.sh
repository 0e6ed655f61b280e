#!/bin/sh
# Stays in the foreground: DSMT watches and ends it. dsmt-python is Python with the SDK.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
LOADED_STATE=${DSMT_ROOT:-}/var/loaded.state
export LOADED_STATE
rm -f "$LOADED_STATE"
exec dsmt-python "$here/loaded.py"
