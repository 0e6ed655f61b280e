# Sourced by the three scripts: where pinger lies and where it keeps its state. The state is apart for
# each installation, so that two on one machine do not take one another for themselves.

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 1

if [ -n "${PINGER_STATE:-}" ]; then
    state_dir=$PINGER_STATE
elif [ -d /run/dsmt ] && [ -w /var ]; then
    state_dir=/var/pinger # in a sliver, where /var is private
elif [ -w "$here" ]; then
    state_dir=$here/var
else
    state_dir=${HOME:-/tmp}/.pinger
fi
pid_file=$state_dir/pid

# The process id of the running pinger; fails when none runs. A process id alone may by now belong to
# something else: the command line must be ours.
running_pid() {
    pid=$(cat "$pid_file" 2>/dev/null) || return 1
    case $pid in '' | *[!0-9]*) return 1 ;; esac
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -- "$here/pinger" || return 1
    echo "$pid"
}
