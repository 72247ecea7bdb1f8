#!/usr/bin/env bash
# Finds, marks and counts the blood cells of a video, and keeps the result. From a fresh checkout: installs what is
# missing (Debian packages), builds, and shows what a model trained on real smears finds on a synthetic one.
#
#   pipelines/demo.sh [--input FILE|FOLDER|DEVICE|URI] [--seconds N] [--model NAME|FILE] [--output FOLDER] [--display]
#
#   --input    a video, an image, a folder of images, a camera (/dev/video0), or rtsp://, http://, file:// ...;
#              without it: a synthetic smear under a moving stage (smeartestsrc)
#   --seconds  stop after this much of the stream (synthetic smear: 20; camera or network: 30; else all of it)
#   --model    name of a shipped model, or a model file (default: smearscope-cells)
#   --output   folder for annotated.mkv, counts.csv, tally.csv and frame.png (default: demo-output)
#   --display  show the video in a window as well
#
# Ctrl-C ends the recording in order. Files of an earlier run are replaced when the new ones are complete.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

input='' seconds='' model=smearscope-cells output=demo-output display=''
while [ $# -gt 0 ]; do
  case "$1" in
    --input) input=$(value_of "$@"); shift 2 ;;
    --seconds) seconds=$(value_of "$@"); shift 2 ;;
    --model) model=$(value_of "$@"); shift 2 ;;
    --output) output=$(value_of "$@"); shift 2 ;;
    --display) display=yes; shift ;;
    -h|--help) usage; exit 0 ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
done
[[ -z $seconds || $seconds =~ ^[1-9][0-9]{0,5}$ ]] || die "--seconds $seconds: not a whole number from 1 to 999999"
kind=$([ -z "$input" ] && echo test || kind_of "$input")
model=$(model_name "$model")
[ -z "$display" ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || die "--display: there is no screen here"

build_packages=(g++ meson ninja-build pkg-config libdnnl-dev libopencv-dev libgstreamer1.0-dev
  libgstreamer-plugins-base1.0-dev libcairo2-dev libpango1.0-dev nlohmann-json3-dev libtomlplusplus-dev libboost-dev libmosquitto-dev)
run_packages=(gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good)
[ -z "$display" ] || run_packages+=(gstreamer1.0-x)

# Builds the elements in build/ (or $SMEARSCOPE_BUILD), which stays as it is configured where it exists.
build() {
  if [ ! -f "$build_folder/build.ninja" ]; then
    say "configuring $build_folder"
    meson setup "$build_folder" "$root" --buildtype=release -Dtests=disabled -Dtools=disabled -Dcorpus=disabled \
      -Dtraining=disabled >"$work/setup.log" 2>&1 || { cat "$work/setup.log" >&2; die "meson setup failed"; }
  fi
  say "building"
  ninja -C "$build_folder" gst-plugin/libgstsmearscope.so >&2 || die "the build failed"
}

# Frames per second of a video file or address, as N/D; nothing if it can't be told.
frame_rate() {
  gst-discoverer-1.0 -v "$1" 2>/dev/null | sed -n 's|^ *Frame rate: *\([0-9]*/[0-9]*\).*|\1|p' | head -n1
}

# Ends the stream of `source` after $1 frames. (eos-after counts the end as one; the queue holds back what a decoder
# still pushes out then.)
end_after() { source+=(! queue ! identity "eos-after=$(($1 + 1))"); }

# Numbered links to the pictures, by type and then by name; prints how many there are of the two types.
link_images() {
  local image type jpeg=0 png=0
  mkdir "$work/jpeg" "$work/png"
  while IFS= read -r -d '' image; do
    case "${image,,}" in *.png) type=png ;; *.jpg|*.jpeg) type=jpeg ;; *) continue ;; esac
    ln -s "$image" "$(printf '%s/%s/%06d' "$work" "$type" "${!type}")"
    printf -v "$type" %d $((${!type} + 1))
  done < <(find "$(realpath "$input")" -maxdepth 1 -type f -print0 | sort -z)
  echo "$jpeg $png"
}

# Sets `source` to the pictures, one per second. Those that can't be decoded are left out, which is told afterwards.
set_image_source() {
  local jpeg png
  read -r jpeg png < <(link_images)
  images=$((jpeg + png))
  [ "$images" -gt 0 ] || die "$input: no PNG or JPEG images in this folder"
  source=(concat name=all)
  [ "$jpeg" -eq 0 ] || source=(multifilesrc "location=$work/jpeg/%06d" "stop-index=$((jpeg - 1))"
    caps=image/jpeg,framerate=1/1 ! jpegdec max-errors=-1 ! all. "${source[@]}")
  [ "$png" -eq 0 ] || source=(multifilesrc "location=$work/png/%06d" "stop-index=$((png - 1))"
    caps=image/png,framerate=1/1 ! pngdec max-errors=-1 ! all. "${source[@]}")
  [ -z "$seconds" ] || end_after "$seconds"
}

# Sets `source`, `scale` (between annotation and encoder), `sharpness` (what else smearscope is told), `live_seconds`
# (wall-clock limit) for the input.
set_input() {
  local rate
  scale=() live_seconds='' sharpness=()
  case "$kind" in
    test)
      seconds=${seconds:-20}
      source=(smeartestsrc "num-buffers=$((seconds * demo_rate))" stage-path=stop-and-go !
        "video/x-raw,width=640,height=480,framerate=$demo_rate/1") ;;
    folder|image)
      set_image_source
      sharpness=(min-sharpness=0)  # pictures of different smears differ in it
      # Pictures may differ in size, a video's frames may not.
      scale=(! videoscale add-borders=true ! video/x-raw,width=1280,height=960,pixel-aspect-ratio=1/1) ;;
    *)
      set_source "$input"
      if is_live "$input"; then
        live_seconds=${seconds:-30}
      elif [ -n "$seconds" ]; then
        rate=$(frame_rate "$([ "$kind" = uri ] && echo "$input" || realpath "$input")")
        [ -n "$rate" ] && [ "${rate%/*}" -gt 0 ] || die "$input: has no fixed frame rate, so --seconds can't be met"
        end_after $((seconds * ${rate%/*} / ${rate#*/}))
      fi ;;
  esac
}

# What counts.csv says, per class: the mean number in view, the most, and in how many frames there was one.
print_counts() {
  awk -F, '
    NR > 1 {
      frames[$1] = 1; last = $2
      count = $NF; name = $0
      sub(/^[^,]*,[^,]*,/, "", name); sub(/,[^,]*$/, "", name)
      if (name == "") next
      sum[name] += count; shown[name] += 1
      if (count > most[name]) most[name] = count
    }
    END {
      n = length(frames)
      printf "%-20s %12s %12s %16s\n", "cells in view", "mean", "most", "frames with any"
      for (name in sum) printf "%-20s %12.1f %12d %16d\n", name, sum[name] / n, most[name], shown[name] | "sort"
      close("sort")
      printf "%d frames, the last one at %.1f s\n", n, last
    }' "$1"
}

# What tally.csv says: cells that were counted once each, kinds below their families with their shares.
print_tally() {
  awk -F, '
    NR == 1 { print "cells counted once each"; next }
    $2 == "" { printf "%-20s %12d\n", $1, $3; next }
    $3 > 0 { printf "  %-18s %12d %8.1f %% (95%% limits %.1f to %.1f %%)\n", $1, $3, $4, $5, $6 }' "$1"
}

# Puts the files in place. What was recorded before a failure is kept under the names of unfinished files.
finish() {
  local parts=("$output/annotated.part.mkv" "$output/frame.part.png" "$output/counts.part.csv"
    "$output/tally.part.csv")
  if [ -e "${parts[1]}" ] && [ "$1" -eq 0 ]; then
    mv "${parts[0]}" "$output/annotated.mkv"
    mv "${parts[1]}" "$output/frame.png"
    mv "${parts[2]}" "$output/counts.csv"
    mv "${parts[3]}" "$output/tally.csv"
    return
  fi
  if [ -e "${parts[1]}" ]; then
    say "what came before the failure is in $output/*.part.*"
  else
    rm -f "${parts[@]}"
    [ "$1" -ne 0 ] || die "${input:-the stream}: has no picture that can be read"
  fi
  die "$(explain_failure "$work/log")${input:+ (input: $input)}"
}

report_unread_images() {
  [ "$kind" = folder ] || [ "$kind" = image ] || return 0
  local read
  read=$(tail -n1 "$output/counts.csv" | cut -d, -f1)
  [ -n "$seconds" ] || [ $((read + 1)) -eq "$images" ] || die "$((images - read - 1)) of $images images can't be read"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
demo_rate=5  # frames/s of the synthetic smear, so that two cores keep up with detection on every frame

install_packages "${build_packages[@]}" "${run_packages[@]}" || die "some packages can't be installed (see above)"
read -ra extra < <(packages_for "$kind") || true
install_packages ${extra[@]+"${extra[@]}"} || say "going on without ${extra[*]}: some videos may not be decoded"
build
use_smearscope
mkdir -p "$output" 2>/dev/null && [ -w "$output" ] || die "$output: can't be written"
set_input

show=()
[ -z "$display" ] || show=(t. ! queue leaky=downstream ! videoconvert ! autovideosink sync=false)
say "running (Ctrl-C ends it)"
status=0
run_pipeline "$work/log" "$live_seconds" \
  "${source[@]}" ! queue max-size-buffers=4 ! videoconvert \
  ! smearscope "model=$model" ${sharpness[@]+"${sharpness[@]}"} \
  ! cellreport "csv-location=$output/counts.part.csv" "tally-location=$output/tally.part.csv" \
  ! progressreport update-freq=5 ! tee name=t \
  t. ! queue ! videoconvert ${scale[@]+"${scale[@]}"} ! "${encode[@]}" ! filesink "location=$output/annotated.part.mkv" \
  t. ! queue ! videorate drop-only=true ! video/x-raw,framerate=1/2 ! videoconvert ! pngenc \
  ! multifilesink "location=$output/frame.part.png" \
  ${show[@]+"${show[@]}"} || status=$?
finish $status

echo
print_counts "$output/counts.csv"
echo
print_tally "$output/tally.csv"
echo "$output/annotated.mkv, $output/frame.png, $output/counts.csv and $output/tally.csv are written"
report_unread_images
