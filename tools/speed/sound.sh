#!/usr/bin/env bash
# sound.sh [RUNS, 5] [RECORDING]: from files to Chromaprint, in turn and on one processor, beside `fpcalc`
# (libchromaprint-tools). RECORDING is repeated to 12 minutes and encoded by ffmpeg as MP3, AAC and FLAC. Prints a table.
set -eu
cd "$(dirname "$0")/../.."
runs=${1:-5}
target=${CARGO_TARGET_DIR:-target}
recording=${2:-$(ls -S testdata/audio/reference/* | head -1)}
cargo build -q --release -p minutia-cli
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for format in mp3:192k m4a:128k flac:; do
  rate=${format#*:}
  ffmpeg -nostdin -v error -stream_loop -1 -i "$recording" -t 720 -vn -ar 44100 -ac 2 ${rate:+-b:a "$rate"} "$dir/long.${format%%:*}"
done
one="taskset -c 0"
commands=()
for format in mp3 m4a flac; do
  commands+=("$format, 12 min, minutia=$one $target/release/minutia fingerprint --algorithm chromaprint $dir/long.$format")
  commands+=("$format, 12 min, fpcalc=$one fpcalc -length 0 $dir/long.$format || true")
done
# Some builds of fpcalc call the end of a file an error, after they have printed the fingerprint.
echo "$(basename "$recording") repeated to 12 minutes, 44.1 kHz, two channels, one processor; $(fpcalc -version):"
echo
python3 tools/speed/measure.py "$runs" "${commands[@]}" | cut -d '|' -f 1-4,6-
