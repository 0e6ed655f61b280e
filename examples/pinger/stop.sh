#!/bin/sh
# Stop pinger: politely first. Stopping what does not run is no error.
. "$(dirname -- "$0")/place.sh"

if pid=$(running_pid); then
    kill "$pid" 2>/dev/null
    tries=0
    while running_pid >/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || kill -9 "$pid" 2>/dev/null
        [ "$tries" -le 120 ] || { echo "pinger does not end, process $pid" >&2; exit 1; }
        sleep 0.1
    done
fi
rm -f "$pid_file"
echo "pinger is stopped"
