#!/usr/bin/env bash
# run.sh FOLDER [FILES]: compares our Chromaprint items with fpcalc's; see README.md beside this file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
ours=${CHROMAPRINT_WAVE:-$target/release/examples/chromaprint_wave}
[ -x "$ours" ] || { echo "expected the example at $ours; see $here/README.md for how to build it" >&2; exit 2; }
for program in fpcalc ffmpeg python3; do
  command -v "$program" >/dev/null || { echo "expected the program $program" >&2; exit 2; }
done
exec python3 "$here/compare.py" "$ours" "$@"
