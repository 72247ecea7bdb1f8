#!/usr/bin/env bash
# pipelines/demo.sh on each kind of input: what it writes, what it says, how it ends.
. "$(dirname "$0")/check.sh"
demo() { run "$root/pipelines/demo.sh" --model "$random_model" "$@"; }
no_unfinished_files() { ! compgen -G "$1/*part*" >/dev/null; }

# --- without input: the synthetic smear, five frames a second, each of them detected
demo --seconds 2 --output smear
check "the demo ends well" test $status = 0
check "the video has every frame" test "$(frames_of smear/annotated.mkv)" = 10
check "the table has every frame" test "$(cut -d, -f1 smear/counts.csv | tail -n +2 | sort -nu | tr '\n' ' ')" = "0 1 2 3 4 5 6 7 8 9 "
check "the picture is a frame" test "$(png_size smear/frame.png)" = 640x480
check "each cell is counted once" test "$(head -n1 smear/tally.csv)" = "class,family,count,percent,low,high,per_100_wbc,grade,estimate_1e9_per_l,weak"
check "the tally is shown" said "cells counted once each"
check "counts are shown" said "10 frames, the last one at 1.8 s"
check "no unfinished file is left" no_unfinished_files smear

# --- a video
demo --input smear/annotated.mkv --output video
check "a video is read to its end" test "$(frames_of video/annotated.mkv)" = 10

# --- pictures: of two types and sizes, one of them broken
mkdir pictures
env GST_PLUGIN_PATH="$build/gst-plugin" GST_REGISTRY="$scratch/registry" gst-launch-1.0 -q smeartestsrc num-buffers=2 \
  ! video/x-raw,width=320,height=240 ! videoconvert ! jpegenc ! multifilesink location=pictures/%d.jpg
cp smear/frame.png "pictures/a name with 'signs' & blanks.png"
demo --input pictures --output pictures-out
check "pictures become a video" test $status = 0 -a "$(frames_of pictures-out/annotated.mkv)" = 3
echo "no picture" >pictures/broken.jpg
demo --input pictures --output pictures-out
check "a broken picture is told, and left out" fails_with "1 of 4 images can't be read"
check "the others are there" test "$(frames_of pictures-out/annotated.mkv)" = 3
demo --input pictures/0.jpg --output picture-out
check "one picture is enough" test $status = 0 -a "$(frames_of picture-out/annotated.mkv)" = 1

# --- interrupted
# A busy machine counts frames before it plays; until it does there is nothing to finish.
mkdir work
TMPDIR=$scratch/work "$root/pipelines/demo.sh" --model "$random_model" --seconds 1000 --output interrupted >said 2>&1 &
demo_pid=$!
plays_and_counts() {
  grep -qs "to PLAYING" work/*/log.out && [ "$(cut -d, -f1 interrupted/counts.part.csv.part | sort -u | wc -l)" -gt 6 ]
}
for _ in $(seq 600); do
  ! plays_and_counts || break
  sleep 0.2
done
kill -TERM $demo_pid
wait $demo_pid
status=$?
check "an interrupted demo ends well" test $status = 0
check "its video opens" test "$(frames_of interrupted/annotated.mkv)" -ge 5
check "no unfinished file is left" no_unfinished_files interrupted

# --- bad input: one line, an error status, nothing half-written, earlier results as they were
cp -r smear before
head -c 100000 "$random_model" >cut.safetensors
echo "no video" >text.mp4
: >empty.mp4
mkdir no-pictures
refused() { # MESSAGE OPTION...
  local message=$1
  shift
  demo --output smear "$@"
  check "$*: $message" fails_with "$message"
  check "earlier results stay" diff -r before smear
}
refused "no-such-file.mp4: no such file, folder or device" --input no-such-file.mp4
refused "empty.mp4: is empty" --input empty.mp4
refused "type of stream.*text.mp4" --input text.mp4
refused "no PNG or JPEG images" --input no-pictures
refused "cut.safetensors: .*cut short" --model cut.safetensors
refused "no model 'no-such-model'" --model no-such-model
refused "not a whole number" --seconds 0.5
refused "unknown option --frobnicate" --frobnicate
refused "needs a value" --input
finish
