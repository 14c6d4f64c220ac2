#!/usr/bin/env bash
# Tries the installed Python package: `scripts/try-wheel.sh PYTHON`.
set -euo pipefail
python=$1
archives=$(cd "$(dirname "$0")/../fixtures/archives" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$python" -W error - "$archives"/docker-20.10-save-{amd64,arm64}.tar <<'EOF'
import sys

import fusion

report = fusion.fuse(sys.argv[1:], "images.tar")
assert [len(image.platforms) for image in report.images] == [1, 2, 2], report
assert fusion.verify("images.tar").passed
print(f"oci-fusion {fusion.__version__} on Python {sys.version.split()[0]}: {report}")
EOF
"$python" -m fusion inspect images.tar
