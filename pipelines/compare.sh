#!/usr/bin/env bash
# Shows what two models, or up to four, make of one video, side by side, and how many cells each counts.
#
#   pipelines/compare.sh [--model NAME|FILE]... [--output FILE.mkv] [--seconds N] FILE|DEVICE|URI|test
#
#   --model    once for each (default: smearscope-cells and smearscope-differential)
#   --output   a video instead of the window
#   --seconds  stop after this time (synthetic smear: 10)
#
# A file is detected frame by frame, however long that takes, a camera as far as this machine keeps up. test: a synthetic smear.
# SMEARSCOPE_SINK replaces the window by another GStreamer sink.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

input='' output='' seconds='' models=()
while [ $# -gt 0 ]; do
  case "$1" in
    --model) models+=("$(value_of "$@")"); shift 2 ;;
    --output) output=$(value_of "$@"); shift 2 ;;
    --seconds) seconds=$(value_of "$@"); shift 2 ;;
    -h|--help) usage; exit 0 ;;
    -*) die "unknown option $1 (see --help)" ;;
    *) input=$1; shift ;;
  esac
done
[ -n "$input" ] || die "name a video (see --help)"
[ -z "$seconds" ] || [[ $seconds =~ ^[1-9][0-9]{0,5}$ ]] || die "--seconds $seconds: not a whole number from 1 to 999999"
[ ${#models[@]} -gt 0 ] || models=(smearscope-cells smearscope-differential)
case ${#models[@]} in 2|3|4) ;; *) die "two, three or four models can be compared" ;; esac
[ -z "$output" ] || [ ! -e "$output" ] || die "$output: is there already"
for i in "${!models[@]}"; do models[i]=$(model_name "${models[i]}"); done
use_smearscope
set_source "$input"
if [ "$input" = test ]; then
  source=(smeartestsrc "num-buffers=$((${seconds:-10} * 5))" ! "video/x-raw,framerate=5/1")
  seconds=''
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tile_width=800 tile_height=600

# Sets `branches`, one for each model, and `places`, where their pictures lie.
branches=() places=()
for i in "${!models[@]}"; do
  branches+=(t. ! queue max-size-buffers=4 ! videoconvert ! smearscope "model=${models[i]}"
    ! cellreport "tally-location=$work/$i.csv" ! videoconvert ! videoscale add-borders=true
    ! "video/x-raw,width=$tile_width,height=$tile_height,pixel-aspect-ratio=1/1"
    ! queue max-size-buffers=4 ! "mix.sink_$i")
  places+=("sink_$i::xpos=$((i % 2 * tile_width))" "sink_$i::ypos=$((i / 2 * tile_height))")
done
if [ -n "$output" ]; then
  sink=("${encode[@]}" ! filesink "location=${output%.mkv}.part.mkv")
else
  sink=("${SMEARSCOPE_SINK:-autovideosink}")
fi
places_of=("upper left" "upper right" "lower left" "lower right")
[ ${#models[@]} -gt 2 ] || places_of=(left right)
for i in "${!models[@]}"; do say "${places_of[i]}: ${models[i]}"; done
play_live "$seconds" "${source[@]}" ! tee name=t "${branches[@]}" \
  compositor name=mix "${places[@]}" ! videoconvert ! "${sink[@]}"
[ -z "$output" ] || mv "${output%.mkv}.part.mkv" "$output"

tables=()
for i in "${!models[@]}"; do
  [ -f "$work/$i.csv" ] || die "${models[i]}: counted no frame"
  tables+=("$work/$i.csv")
done
# One row per class, kinds below their families, one column per model.
awk -F, '
  FNR == 1 { ++file; next }
  {
    if (!(($2, $1) in known)) kinds[$2, ++most[$2]] = $1
    known[$2, $1]
    count[$2, $1, file] = $3
  }
  function row(family, name, title,   i) {
    printf "%-24s", title
    for (i = 1; i <= file; ++i) printf " %24s", ((family, name, i) in count) ? count[family, name, i] : "-"
    print ""
  }
  END {
    for (f = 1; f <= most[""]; ++f) {
      family = kinds["", f]
      row("", family, family)
      for (k = 1; k <= most[family]; ++k) row(family, kinds[family, k], "  " kinds[family, k])
    }
  }' "${tables[@]}" >"$work/table"
printf '%-24s' "cells counted once each"
for model in "${models[@]}"; do name=${model##*/}; printf ' %24s' "${name%.safetensors}"; done
echo
cat "$work/table"
