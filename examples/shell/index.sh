#!/usr/bin/env bash
# One tag out of images that were pushed for each architecture.
#
#   index.sh TARGET SOURCE...       FUSION=/path/to/fusion if it is not on the PATH
#
# Cloud vendors' guides do this with docker: pull or load, tag and push each architecture, then
#
#     docker manifest create harbor.local/t/app:1.5 \
#         harbor.local/t/app-linux-amd64:1.5 harbor.local/t/app-linux-arm64:1.5
#     docker manifest annotate harbor.local/t/app:1.5 \
#         harbor.local/t/app-linux-arm64:1.5 --os linux --arch arm64
#     docker manifest push harbor.local/t/app:1.5
#
# Here it is one command, which needs no daemon, keeps no list on the local disk, and reads the
# platforms out of the images. Where one says the wrong platform, write SOURCE=PLATFORM.
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: $0 TARGET SOURCE[=PLATFORM]..." >&2; exit 2; }
read -ra fusion <<<"${FUSION:-fusion}"
exec "${fusion[@]}" index create "$@"
