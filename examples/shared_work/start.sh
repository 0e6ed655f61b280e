#!/bin/sh
# Stays in the foreground: DSMT watches and ends it. dsmt-python is Python with the SDK.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1
SHARED_WORK_STATE=${DSMT_ROOT:-}/var/shared_work.state
export SHARED_WORK_STATE
rm -f "$SHARED_WORK_STATE"
exec dsmt-python "$here/shared_work.py"
