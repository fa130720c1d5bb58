#!/usr/bin/env bash
# Every C++ file stands as .clang-format says. To mend: clang-format -i FILE.
set -euo pipefail
cd "$1"
find services shared tests \( -name '*.h' -o -name '*.cc' \) -print0 | xargs -0 clang-format --dry-run -Werror
