#!/usr/bin/env bash
# run.sh: compares the built command's fingerprints with other implementations; see README.md beside this file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
minutia=${MINUTIA:-$target/release/minutia}
[ -x "$minutia" ] || { echo "expected the command at $minutia; build it (cargo build --release -p minutia-cli) or set MINUTIA" >&2; exit 2; }
python=${PYTHON:-}
if [ -z "$python" ]; then
  python3 -m venv "$target/pdq_oracle"
  python=$target/pdq_oracle/bin/python
  "$python" -m pip install --quiet pdqhash==0.2.8 imagehash==4.3.2 pillow==13.0.0 numpy==2.4.6 scikit-image==0.26.0
fi
exec "$python" "$here/compare.py" "$minutia"
