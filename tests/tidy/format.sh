#!/usr/bin/env bash
# Every C++ file stands as .clang-format says. To mend: clang-format -i FILE.
set -euo pipefail
. "$(dirname "$0")/../../deploy/needs"
need "deploy/install-packages deploy/packages-tests" clang-format
cd "${1:-$(dirname "$0")/../..}"
find services shared tests \( -name '*.h' -o -name '*.cc' \) -print0 | xargs -0 clang-format --dry-run -Werror
