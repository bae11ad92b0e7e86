#!/usr/bin/env bash
# build.sh [FOLDER]: builds the release binary, and the packages that this machine has the tools for.
set -euo pipefail
cd "$(dirname "$0")/.."
out="${1:-target/packages}"

cargo build --release --locked --bin skchat
made=0
for format in deb:dpkg-deb rpm:rpmbuild; do
    if command -v "${format#*:}" >/dev/null; then
        "packaging/${format%:*}.sh" target/release/skchat "$out"
        made=$((made + 1))
    else
        echo "no .${format%:*} package: ${format#*:} is missing" >&2
    fi
done
[ "$made" -gt 0 ]
