#!/bin/sh
# 0: it runs and measures · 3: it is stopped · 1: it has failed. The first line says what is the case.
. "$(dirname -- "$0")/place.sh"

if ! running_pid >/dev/null; then
    if [ -e "$pid_file" ]; then
        echo "failed: pinger has ended without being stopped"
        exit 1
    fi
    echo "stopped"
    exit 3
fi
# A measurement takes a second; half a minute without one is no slowness any more.
if [ -z "$(find "$state_dir/state" -newermt '-30 seconds' 2>/dev/null)" ]; then
    echo "failed: no measurement for 30 seconds"
    exit 1
fi
echo "ok $(cat "$state_dir/state")"
