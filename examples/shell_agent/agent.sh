#!/bin/sh
# A deployment agent in a shell script: tarballs only, no status scripts, no restarts. An application is
# a process with the version that "runs" names; one that another agent has started is adopted.
say() { dsmt-event state "$app" "$@"; }
fail() { say failed --reason "$1"; }
halt() { dsmt-event end "$app" && rm -f "$home/runs"; }

begin() { # begin PACKAGE
    if [ "$verb" != RESTART ] && [ "$(cat "$home/runs" 2>/dev/null)" = "$version" ]; then
        dsmt-event alive "$app" && { say running; return; }
    fi
    say requested
    archive=$(dsmt-event fetch "$1" 2>&1) || { fail "$archive"; return; }
    say instantiated
    halt || { fail "what ran before does not end"; return; }
    rm -rf "$home/now" && mkdir -p "$home/now" &&
        tar -xf "$archive" -C "$home/now" --strip-components 1 || { fail "it cannot be unpacked"; return; }
    say initialized
    dsmt-event start "$app" "$home/now/start.sh" || { fail "it cannot be started"; return; }
    echo "$version" >"$home/runs" && say running
}

echo "hello from the agent of $DSMT_SLICE on $DSMT_HOST: ${DSMT_AGENT_GREETING:-hello}"
dsmt-event orders | while read -r verb app version packages; do
    home=/app/$app
    case $verb in
    STOP | UNINSTALL) halt && say terminated || fail "it does not end" ;;
    *) begin "${packages%% *}" ;;
    esac
done
