# Sourced by the setup scripts: Debian packages by name, installed without a question where that is
# possible, named with the command to type where it is not.
#
#   lacks PACKAGE PROBE...    notes PACKAGE when the command PROBE does not succeed
#   install_missing PURPOSE   installs what was noted, or says in one sentence what to type

missing=()

lacks() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

# Root, or somebody whom sudo lets in without a password.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_missing() {
    local purpose=$1
    [ ${#missing[@]} -gt 0 ] || return 0
    local command="apt-get install --yes --no-install-recommends ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "$purpose needs what Debian calls ${missing[*]}; install these by your system's means." >&2
        return 1
    fi
    if ! as_root true 2>/dev/null; then
        echo "$purpose needs ${missing[*]}, and only root can install them: type  sudo $command" >&2
        return 1
    fi
    echo "Installing ${missing[*]} for: $purpose" >&2
    local log
    log=$(mktemp)
    if ! { as_root env DEBIAN_FRONTEND=noninteractive apt-get update --quiet &&
        as_root env DEBIAN_FRONTEND=noninteractive $command; } >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        echo "$purpose needs ${missing[*]}, and they could not be fetched (is there a network?): type  sudo $command" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}
