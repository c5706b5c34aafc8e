# shellcheck shell=bash
#
# Finding a Python and keeping virtual environments of it, for scripts that have tests in Python. To be sourced.
# The sourcing script has a function `fail` that prints its arguments and ends it.

# Python 3.11 or newer: the newest amigo-sdk asks for it; pip would silently take an old SDK for an older Python.
find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

# Debian splits the venv module: without python3-venv it is there, but cannot install pip.
can_make_environments() {
  "$1" -c 'import ensurepip, venv' 2>/dev/null
}

# Sets `python` to one that can make environments; where that may be done, installs what is missing.
need_python() {
  python=$(find_python || true)
  if [ -z "$python" ] || ! can_make_environments "$python"; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
      echo 'No Python 3.11 with virtual environments: installing python3-venv.'
      apt-get update -qq
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Use-Pty=0 python3-venv </dev/null
      hash -r
      # Debian's own Python, in case another one without the module comes first in PATH.
      for python in "$(find_python || true)" /usr/bin/python3; do
        if [ -n "$python" ] && can_make_environments "$python"; then
          break
        fi
      done
    fi
  fi
  if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    ! can_make_environments "$python"; then
    fail 'Python 3.11 or newer with its venv module is missing. Install it with' \
      '  Debian, Ubuntu:  sudo apt-get install python3 python3-venv' \
      '  macOS:           brew install python@3.13'
  fi
}

# Prints a name for an environment of these requirements and this Python: another of either is another environment.
environment_key() {
  # shellcheck disable=SC2016 # Python, not shell
  "$python" -c '
import hashlib, sys
with open(sys.argv[1], "rb") as file:
    data = file.read()
data += f"{sys.version}{sys.base_prefix}".encode()
print(hashlib.sha256(data).hexdigest()[:16])
' "$1"
}

# Sets FORGE_BIN to the path of a built `forge`, which it builds unless one is named.
need_forge() {
  if [ -z "${FORGE_BIN:-}" ]; then
    if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
      export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    command -v cargo >/dev/null || fail 'cargo is missing. Install Rust as https://rustup.rs says.'
    cargo build --locked -p forge-cli
    FORGE_BIN=${CARGO_TARGET_DIR:-target}/debug/forge
    case $FORGE_BIN in
      /*) ;;
      *) FORGE_BIN=$PWD/$FORGE_BIN ;;
    esac
  fi
  [ -x "$FORGE_BIN" ] || fail "$FORGE_BIN (FORGE_BIN) is not a program"
  export FORGE_BIN
}
