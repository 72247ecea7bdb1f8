#!/usr/bin/env bash
# Live view: a camera's picture in a window, with the cells marked and counted as far as this machine keeps up; the
# picture itself is never held up.
#
#   pipelines/camera.sh [--model NAME|FILE] [--seconds N] [DEVICE|URI|test]
#
# Default: /dev/video0. test: a synthetic smear. Ctrl-C or closing the window ends it. SMEARSCOPE_SINK replaces the
# window by another GStreamer sink.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

input=/dev/video0 model=smearscope-cells seconds=''
while [ $# -gt 0 ]; do
  case "$1" in
    --model) model=$(value_of "$@"); shift 2 ;;
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
  ! smearscope mode=latest "model=$model" ! videoconvert \
  ! "${SMEARSCOPE_SINK:-autovideosink}"
