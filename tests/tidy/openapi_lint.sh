#!/bin/sh
# Lints the description of the doors (schemas/http) with redocly and spectral; a warning is an error.
# Usage: openapi_lint.sh SOURCE_DIR CACHE_DIR      The linters are installed into CACHE_DIR by npm, once (some 260 MB).
set -eu
. "$(dirname "$0")/../../deploy/needs"
if [ $# != 2 ]; then echo "openapi_lint.sh: expected SOURCE_DIR CACHE_DIR, got \"$*\"; hint: openapi_lint.sh . build/tools/openapi" >&2; exit 2; fi
need "deploy/install-packages deploy/packages-tests" npm node
source_dir=$1
# The newest of these versions that run on Debian's Node 18.
tools="@redocly/cli@1.34.20 @stoplight/spectral-cli@6.16.3"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

bin=$2/node_modules/.bin
if [ "$(cat "$2/installed" 2>/dev/null)" != "$tools" ]; then
  mkdir -p "$2"
  # shellcheck disable=SC2086 # two words
  npm install --loglevel=error --no-audit --no-fund --no-save --prefix "$2" $tools >&2
  echo "$tools" >"$2/installed"
fi

cd "$source_dir/schemas/http"
"$bin/redocly" lint --config redocly.yaml openapi.yaml
"$bin/spectral" lint --ruleset spectral.yaml --fail-severity hint openapi.yaml
