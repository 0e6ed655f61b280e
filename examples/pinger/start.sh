#!/bin/sh
# Start pinger in the background and return when it has measured for the first time.
. "$(dirname -- "$0")/place.sh"

if pid=$(running_pid); then
    echo "pinger runs already, process $pid"
    exit 0
fi
mkdir -p "$state_dir" || exit 1
rm -f "$state_dir/state"

# A session of its own where there is setsid: a signal to the caller's terminal or group is not for us.
setsid=$(command -v setsid || true)
$setsid "$here/pinger" "$state_dir" </dev/null >"$state_dir/log" 2>&1 &
echo $! >"$pid_file.new" && mv "$pid_file.new" "$pid_file"

tries=0
while [ ! -e "$state_dir/state" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$(cat "$pid_file")" 2>/dev/null; then
        echo "pinger did not start: $(tail -n 1 "$state_dir/log")" >&2
        exit 1
    fi
    sleep 0.1
done
echo "pinger runs, process $(cat "$pid_file")"
