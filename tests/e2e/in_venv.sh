#!/bin/sh
# Runs a Python script in a virtual environment that holds one package, which is installed at the first run.
# Usage: in_venv.sh VENV_DIR PACKAGE==VERSION SCRIPT
set -eu
if [ "$(cat "$1/installed" 2>/dev/null)" != "$2" ]; then
  python3 -m venv --clear "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check "$2" >&2
  echo "$2" >"$1/installed"
fi
exec "$1/bin/python" "$3"
