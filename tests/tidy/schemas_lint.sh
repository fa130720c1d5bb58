#!/bin/sh
# Lints schemas/ with buf. Usage: schemas_lint.sh SOURCE_DIR CACHE_DIR
# Takes buf from PATH, else from CACHE_DIR; installs it there by npm when there is none (once; some 90 MB).
set -u
. "$(dirname "$0")/../../deploy/needs"
if [ $# != 2 ]; then echo "schemas_lint.sh: expected SOURCE_DIR CACHE_DIR, got \"$*\"; hint: schemas_lint.sh . build/tools/buf" >&2; exit 2; fi
source_dir=$1
cache_dir=$2
version=1.75.0

buf=$(command -v buf) || buf=$cache_dir/node_modules/.bin/buf
if [ ! -x "$buf" ] && command -v npm >/dev/null; then
  npm install --silent --no-audit --no-fund --no-save --prefix "$cache_dir" "@bufbuild/buf@$version" >&2
fi
[ -x "$buf" ] || cannot_run "buf on PATH or in $cache_dir, found none" "deploy/install-packages deploy/packages-tests (npm, which installs it)"

cd "$source_dir/schemas" || exit 1
"$buf" lint || exit 1
"$buf" format --diff --exit-code
