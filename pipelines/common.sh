# What the scripts of this folder share; they source it. Messages go to stderr, named after the script.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_folder=${SMEARSCOPE_BUILD:-$root/build}  # of Meson

say() { echo "${0##*/}: $*" >&2; }
die() { say "$*"; exit 1; }

# The comment at the top of the script, up to the first line that is none.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# The value of option $1, which the script reads as: --x) x=$(value_of "$@"); shift 2 ;;
value_of() {
  [ $# -ge 2 ] && [ -n "$2" ] || die "$1 needs a value (see --help)"
  printf '%s\n' "$2"
}

missing_packages() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

# Installs those of the Debian packages that are missing. Needs no network if none is.
install_packages() {
  command -v dpkg-query >/dev/null || { say "not a Debian system, so make sure of: $*"; return 0; }
  local missing as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "needs root: apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq >&2 || say "apt-get update failed; trying with the package lists at hand"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# Lets GStreamer find the elements and the models: those of this checkout's build folder, else installed ones.
use_smearscope() {
  if [ -e "$build_folder/gst-plugin/libgstsmearscope.so" ]; then
    export GST_PLUGIN_PATH="$build_folder/gst-plugin${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
    export GST_REGISTRY="$build_folder/gst-plugin/registry.bin"
    export SMEARSCOPE_MODEL_DIR="${SMEARSCOPE_MODEL_DIR:-$root/models}"
  fi
  command -v gst-launch-1.0 >/dev/null ||
    die "no gst-launch-1.0: install gstreamer1.0-tools, or run pipelines/demo.sh"
  # Not --exists, which asks for a plugin of GStreamer's own version.
  gst-inspect-1.0 smearscope >/dev/null 2>&1 || die "no element smearscope: run pipelines/demo.sh, which builds it"
}

# A model as the elements take it: a name, or a path with a slash.
model_name() {
  case "$1" in
    */*) [ -f "$1" ] || die "$1: no such model file" ;;
    *) [ ! -f "$1" ] || { echo "./$1"; return; } ;;
  esac
  printf '%s\n' "$1"
}

# What an input is: test | folder | image | video | camera | uri
kind_of() {
  case "$1" in
    test) echo test; return ;;
    *://*) echo uri; return ;;
  esac
  [ -e "$1" ] || die "$1: no such file, folder or device"
  [ -r "$1" ] || die "$1: may not be read by this user"
  if [ -d "$1" ]; then echo folder
  elif [ -c "$1" ]; then echo camera
  elif is_image "$1"; then echo image
  elif [ -s "$1" ]; then echo video
  else die "$1: is empty"
  fi
}

is_image() {
  case "${1,,}" in *.png|*.jpg|*.jpeg) true ;; *) false ;; esac
}

# Cameras and network streams come at their own pace.
is_live() {
  case "$(kind_of "$1")" in
    camera) true ;;
    uri) case "$1" in rtsp*://*|rtmp*://*|udp://*|rtp://*|srt://*) true ;; *) false ;; esac ;;
    *) false ;;
  esac
}

# Packages beyond those of the demo that an input of this kind needs.
packages_for() {
  case "$1" in video|uri) echo gstreamer1.0-libav gstreamer1.0-plugins-bad gstreamer1.0-plugins-base-apps ;; esac
}

# Sets the array `source`: the part of a pipeline that makes raw video of the input, which is neither a folder nor an
# image. --seconds and the like are up to the caller.
set_source() {
  local kind decode=(decodebin expose-all-streams=false "caps=video/x-raw")
  kind=$(kind_of "$1")
  case "$kind" in
    test) source=(smeartestsrc is-live=true) ;;
    camera) source=(v4l2src "device=$1" ! "${decode[@]}") ;;
    video) source=(filesrc "location=$1" ! "${decode[@]}") ;;
    uri) source=(uridecodebin "uri=$1" expose-all-streams=false "caps=video/x-raw") ;;
    *) die "$1: is not a video" ;;
  esac
}

# Matroska stays readable when the power fails while it is being written, VP8 opens everywhere, and its encoder is in
# gstreamer1.0-plugins-good. Quality is bounded below, so that thin lines and text stay sharp.
encode=(vp8enc deadline=1 cpu-used=8 threads=2 end-usage=vbr target-bitrate=8000000 min-quantizer=4 max-quantizer=24
  keyframe-max-dist=60 ! matroskamux)

# run_pipeline LOG SECONDS ARGUMENT...: plays a pipeline to its end and returns gst-launch's status. Ctrl-C, a TERM
# signal, or SECONDS of playing (if not empty) end the stream in order: files are finished. A second Ctrl-C stops at
# once. What went wrong is in LOG, see explain_failure.
run_pipeline() {
  local log=$1 seconds=$2 launch timer='' status
  shift 2
  : >"$log.out"
  # A process group of its own, so that a Ctrl-C reaches it once, by us.
  setsid gst-launch-1.0 -e "$@" > >(tee "$log.out" | sed -un 's/^progressreport[0-9]* /  /p' >&2) 2>"$log" &
  launch=$!
  trap 'end_pipeline $launch "$log"' INT TERM
  if [ -n "$seconds" ]; then
    {
      until is_playing "$log"; do sleep 0.1; done
      sleep "$seconds"
      end_pipeline $launch "$log"
    } 2>/dev/null &
    timer=$!
  fi
  while kill -0 $launch 2>/dev/null; do wait $launch; done
  wait $launch
  status=$?
  trap - INT TERM
  [ $status -le 128 ] || [ $status -eq 255 ] || echo "ERROR: gst-launch-1.0 was ended by signal $(kill -l $status)" >>"$log"
  [ -z "$timer" ] || kill $timer 2>/dev/null
  return $status
}

is_playing() { grep -q 'to PLAYING' "$1.out"; }

# gst-launch listens to INT once it plays; until then there is nothing to finish.
end_pipeline() { if is_playing "$2"; then kill -INT "$1"; else kill -TERM "$1"; fi 2>/dev/null; }

# play_live SECONDS ARGUMENT...: run_pipeline for a script that is nothing else; ends the script if it fails.
play_live() {
  local log status=0
  log=$(mktemp)
  run_pipeline "$log" "$@" || status=$?
  [ $status -eq 0 ] || say "$(explain_failure "$log")"
  rm -f "$log" "$log.out"
  [ $status -eq 0 ] || exit 1
}

# The first error of a log of run_pipeline, as one line.
explain_failure() {
  local line
  line=$(grep -m1 -E '^ERROR:|erroneous pipeline' "$1" || head -n1 "$1")
  sed -E 's/^(ERROR|WARNING): //; s/^from element [^ ]*: //; s/^(pipeline could not be constructed|erroneous pipeline): //' \
    <<<"${line:-gst-launch-1.0 stopped without a message}"
}
