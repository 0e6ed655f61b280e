#!/bin/sh
# 0: it works · 1: nothing was said for half a minute. The first line says what is the case.
state=${DSMT_ROOT:-}/var/loaded.state
if [ -z "$(find "$state" -newermt '-30 seconds' 2>/dev/null)" ]; then
    echo "nothing was said for 30 seconds"
    exit 1
fi
echo "ok $(cat "$state")"
