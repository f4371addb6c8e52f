#!/usr/bin/env bash
# run.sh [RUNS, 5]: whole commands over JPEG files, in turn, on one processor: `minutia scan` beside `image` with
# `image_hasher` alone and Pillow with pip `pdqhash`. Prints tables; PYTHON names an interpreter that has both packages.
set -eu
cd "$(dirname "$0")/../.."
runs=${1:-5}
python=${PYTHON:-python3}
target=${CARGO_TARGET_DIR:-target}
cargo build -q --release -p minutia-cli
cargo build -q --release -p minutia-benches --examples
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
works=testdata/image/reference
"$target/release/minutia" index add "$dir/works.idx" "$works" --catalogue "$works/works.csv" >/dev/null
one="taskset -c 0"
measure() { # COUNT PIXELS
  "$target/release/examples/pictures" "$dir/$1-$2" "$1" "$2"
  echo "$1 JPEG files of about $2 pixels, $(du -sb "$dir/$1-$2" | cut -f 1) bytes, one processor:"
  echo
  "$python" tools/speed/measure.py "$runs" \
    "minutia scan, $1 files, one worker=$one $target/release/minutia scan $dir/$1-$2 --index $dir/works.idx --threads 1" \
    "minutia scan, $1 files, in process=$one $target/release/minutia scan $dir/$1-$2 --index $dir/works.idx --threads 1 --in-process" \
    "image + image_hasher, $1 files=$one $target/release/examples/image_hasher $dir/$1-$2/*" \
    "Pillow + pdqhash, $1 files=$one $python tools/speed/pdqhash_files.py $dir/$1-$2/*"
  echo
}
measure 1000 180000
measure 12 13000000
"$target/release/examples/pictures" "$dir/many" 10000 180000
echo "10,000 files of about 180,000 pixels, all processors:"
echo
"$python" tools/speed/measure.py "$runs" \
  "minutia scan, 10000 files, every processor=$target/release/minutia scan $dir/many --index $dir/works.idx"
