#!/usr/bin/env bash
# Plays a recorded video at its own pace, with the cells marked and counted as a camera's would be.
#
#   pipelines/replay.sh [--model NAME|FILE] FILE|URI
#
# For every frame detected, and results in files: demo.sh --input FILE. SMEARSCOPE_SINK replaces the window by another
# GStreamer sink.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

input='' model=smearscope-cells
while [ $# -gt 0 ]; do
  case "$1" in
    --model) model=$(value_of "$@"); shift 2 ;;
    -h|--help) usage; exit 0 ;;
    -*) die "unknown option $1 (see --help)" ;;
    *) input=$1; shift ;;
  esac
done
[ -n "$input" ] || die "name a video (see --help)"
model=$(model_name "$model")
use_smearscope
set_source "$input"
play_live '' "${source[@]}" ! queue ! videoconvert \
  ! smearscope mode=latest "model=$model" ! videoconvert \
  ! "${SMEARSCOPE_SINK:-autovideosink}" sync=true
