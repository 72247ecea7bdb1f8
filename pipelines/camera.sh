#!/usr/bin/env bash
# Live view: a camera's picture in a window, with the cells marked and counted as far as this machine keeps up; the
# picture itself is never held up.
#
#   pipelines/camera.sh [--model NAME|FILE] [--gallery FOLDER] [--target N] [--seconds N] [DEVICE|URI|test]
#
#   --gallery  new folder that gets a picture of each counted cell, by class, to be confirmed or corrected
#   --target   white cells to count: how far it is stands in the panel
#
# Default: /dev/video0. test: a synthetic smear. Ctrl-C or closing the window ends it. SMEARSCOPE_SINK replaces the
# window by another GStreamer sink.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

input=/dev/video0 model=smearscope-cells seconds='' options=()
while [ $# -gt 0 ]; do
  case "$1" in
    --model) model=$(value_of "$@"); shift 2 ;;
    --gallery) options+=("gallery-location=$(value_of "$@")"); shift 2 ;;
    --target) options+=("target=$(value_of "$@")"); shift 2 ;;
    --seconds) seconds=$(value_of "$@"); shift 2 ;;
    -h|--help) usage; exit 0 ;;
    -*) die "unknown option $1 (see --help)" ;;
    *) input=$1; shift ;;
  esac
done
model=$(model_name "$model")
use_smearscope
set_source "$input"
play_live "$seconds" "${source[@]}" ! queue leaky=downstream max-size-buffers=2 ! videoconvert \
  ! smearscope mode=latest "model=$model" ${options[@]+"${options[@]}"} ! videoconvert \
  ! "${SMEARSCOPE_SINK:-autovideosink}"
