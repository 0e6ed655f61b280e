#!/bin/sh
# Installs the Debian packages that DSMT uses, where that is allowed; otherwise says what is missing and
# which smaller mode is left. Quick, and silent, when nothing is to be done.
set -eu

missing=""
need() { # need PACKAGE PROGRAM: the package is missing when the program is
    command -v "$2" >/dev/null 2>&1 || [ -x "/usr/sbin/$2" ] || [ -x "/usr/lib/rabbitmq/bin/$2" ] || missing="$missing $1"
}

need rabbitmq-server rabbitmq-server
need bubblewrap bwrap
need slirp4netns slirp4netns # networks of slivers' own
need rpm rpmbuild
need podman podman
need runc runc
need busybox-static busybox # an image without a C library, for tests
need uidmap newuidmap
need procps ps
need iproute2 ip # hosts of the cluster's tests are name spaces of the network
need tmux tmux
# For tests only, as the Makefile asks for them: `make demo` needs no browser, and signs nothing.
if [ -n "${DSMT_TESTS:-}" ]; then
    need chromium chromium
    need openssh-client ssh-keygen
    need gpg gpg
    need gpg-agent gpg-agent
fi
# For tests only: the planner's other database, and who reads a depot. Who uses DSMT needs neither here.
if [ -n "${CI:-}" ]; then
    need dnf dnf
    need zsh zsh # they complete what is typed
    need fish fish
    need "gcc libc6-dev" cc # clocks that are wrong are a library of twenty lines
    ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
fi
python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || missing="$missing python3-venv"

[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true >/dev/null 2>&1; then as_root="sudo -n"; else as_root="none"; fi
fi

if ! command -v apt-get >/dev/null 2>&1 || [ "$as_root" = "none" ]; then
    {
        echo "setup: these Debian packages are missing and cannot be installed from here:$missing"
        echo "setup: as root: apt-get install --no-install-recommends$missing"
        case " $missing " in *" python3-venv "*)
            echo "setup: without python3-venv nothing can run" >&2
            exit 1 ;;
        esac
        echo "setup: going on without them, in a smaller mode: without rabbitmq-server the broker is the"
        echo "setup: embedded one, without bubblewrap slivers are plain processes, without rpm packages are tarballs."
    } >&2
    exit 0
fi

echo "setup: installing$missing" >&2
# Debian's rabbitmq-server package would start a broker on all interfaces: DSMT starts private ones instead.
policy=/usr/sbin/policy-rc.d
ours=""
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    ours=yes
fi
finish() { [ -z "$ours" ] || $as_root rm -f "$policy"; }
trap finish EXIT INT TERM
log=$(mktemp)
if ! { $as_root apt-get update -q &&
       $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "setup: apt-get failed; its output stands above and in $log" >&2
    exit 1
fi
rm -f "$log"
case " $missing " in *" rabbitmq-server "*)
    if [ -d /run/systemd/system ]; then
        $as_root systemctl disable rabbitmq-server >/dev/null 2>&1 || true
        echo "setup: the system-wide RabbitMQ service is installed and disabled; DSMT runs private brokers" >&2
    fi ;;
esac
case " $missing " in *" postgresql "*)
    if [ -d /run/systemd/system ]; then
        $as_root systemctl disable postgresql >/dev/null 2>&1 || true
    fi ;;
esac
