# What each page's script begins with; see tests/documents/script.py.
set -eu
stays=()
dry=
warm=${WARM:+python -S -E $ROOT/tests/documents/warm.py $WARM}

dsmtc() { # what a dry run finds to do is no failure (docs/reference/errors.md)
    local code=0
    ${warm:-command dsmtc} "$@" $dry || code=$?
    case " $* $dry " in *" --dry-run "*) [ $code = 1 ] && code=0 ;; esac
    return $code
}

stay() { # NUMBER LINE: it runs until the page ends
    set -m
    # What is ended by a signal is a process of its own.
    (warm= && eval "$2") >"$WORK/$1.out" 2>&1 &
    set +m
    stays+=("$!")
    last=$1
}

end() { # what stays must not have failed by itself
    for each in ${stays[@]+"${stays[@]}"}; do
        if kill -INT -- "-$each" 2>/dev/null; then wait "$each" || true; else wait "$each"; fi
    done
    stays=()
}

give_up() {
    for each in ${stays[@]+"${stays[@]}"}; do kill -INT -- "-$each" 2>/dev/null || true; done
}
trap 'code=$?; give_up; exit $code' EXIT
