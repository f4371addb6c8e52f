#!/usr/bin/env bash
# film.sh INDEX FILE...: processor seconds of a scan of each film and how many times real time that is: whole, with the ffmpeg
# program and by the decoder that is built in, and the quick pass by key frames. One thread; programs that are started count.
# Films of ten minutes and more, since a scan takes some tenths of a second before it reads.
#
# film.sh --make DIR CLIP...: makes DIR/720.mp4 and DIR/1080.mp4, ten minutes each, of CLIPs one behind the other, each time
# cut otherwise and with grain, so that there is as much to decode as films have (x264, 2.5 and 5 Mbit/s, key frames at
# least every 250 frames).
set -eu
cd "$(dirname "$0")/../.."
minutia=${CARGO_TARGET_DIR:-target}/release/minutia

make_film() { # FILE WIDTH HEIGHT RATE CLIP...
  local file=$1 width=$2 height=$3 rate=$4 round=0 frames=15000
  shift 4
  local crops=(null crop=iw*0.8:ih*0.8:0:0 crop=iw*0.75:ih*0.75:iw*0.25:ih*0.25,hflip crop=iw*0.7:ih*0.9:iw*0.3:0)
  while [ "$round" -lt 40 ]; do
    for clip; do
      ffmpeg -nostdin -v error -i "$clip" -an -pix_fmt yuv420p -f rawvideo - \
        -vf "fps=25,${crops[$((round % 4))]},scale=$width:$height:flags=bilinear,setsar=1,noise=c0s=5:c0f=t" || return 0
    done
    round=$((round + 1))
  done | head -c $((frames * width * height * 3 / 2)) |
    ffmpeg -v error -y -f rawvideo -pix_fmt yuv420p -s "${width}x$height" -r 25 -i - -c:v libx264 -preset fast -b:v "$rate" "$file"
}

if [ "${1:-}" = --make ]; then
  dir=$2
  shift 2
  make_film "$dir/720.mp4" 1280 720 2500k "$@"
  make_film "$dir/1080.mp4" 1920 1080 5000k "$@"
  exit
fi

index=$1
shift
times=$(mktemp)
trap 'rm -f "$times"' EXIT
echo "| film | pass | processor s | times real time |"
echo "|---|---|--:|--:|"
for file; do
  length=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$file")
  for pass in "full, ffmpeg:" "full, built in:--no-ffmpeg" "triage:--triage-only"; do
    # shellcheck disable=SC2086
    /usr/bin/time -o "$times" -f "%U %S" "$minutia" scan "$file" --index "$index" --threads 1 --json ${pass#*:} >/dev/null 2>&1 || true
    tail -n 1 "$times" | awk -v f="$(basename "$file")" -v p="${pass%%:*}" -v l="$length" \
      '{ printf "| %s | %s | %.1f | %.1f |\n", f, p, $1 + $2, l / ($1 + $2) }'
  done
done
