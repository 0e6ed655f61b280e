"""What each shell of the system is told once, so that it asks ``dsmtc`` at a Tab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SCRIPTS: Final[Mapping[str, str]] = {
    "bash": """\
_dsmtc() {
    local IFS=$'\\n'
    COMPREPLY=($(dsmtc __complete bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    [[ ${COMPREPLY[0]} == */ ]] && compopt -o nospace
}
complete -F _dsmtc dsmtc
""",
    "zsh": """\
#compdef dsmtc
_dsmtc() {
    local -a lines words_ shown
    local line
    lines=("${(@f)$(dsmtc __complete zsh -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    for line in $lines; do
        words_+=("${line%%$'\\t'*}")
        shown+=("${line/$'\\t'/  -- }")
    done
    compadd -l -d shown -a words_
}
if [ "$funcstack[1]" = "_dsmtc" ]; then _dsmtc; else compdef _dsmtc dsmtc; fi
""",
    "fish": """\
function __dsmtc_complete
    set -l words (commandline -opc) (commandline -ct)
    dsmtc __complete fish -- $words[2..-1] 2>/dev/null
end
complete -c dsmtc -f -a '(__dsmtc_complete)'
""",
}
