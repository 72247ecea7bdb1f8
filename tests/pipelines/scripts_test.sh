#!/usr/bin/env bash
# camera.sh, record.sh and replay.sh, on a synthetic smear that behaves as a camera.
. "$(dirname "$0")/check.sh"
export SMEARSCOPE_SINK=fakesink

run "$root/pipelines/record.sh" --seconds 2 test recorded.mkv
check "a recording ends after its time" test $status = 0
frames=$(frames_of recorded.mkv)
check "and has at most 30 frames a second ($frames)" test "$frames" -ge 10 -a "$frames" -le 75
check "nothing unfinished is left" test ! -e recorded.part.mkv
run "$root/pipelines/record.sh" --seconds 2 test recorded.mkv
check "a recording is not overwritten" fails_with "recorded.mkv: is there already"

run "$root/pipelines/replay.sh" --model "$random_model" recorded.mkv
check "a recording can be replayed" test $status = 0
run "$root/pipelines/replay.sh" --model "$random_model" no-such.mkv
check "a missing recording is told" fails_with "no-such.mkv: no such file"

run "$root/pipelines/camera.sh" --model "$random_model" --seconds 2 test
check "the live view ends after its time" test $status = 0
run "$root/pipelines/camera.sh" --model "$random_model" --gallery gallery --target 100 --seconds 2 test
check "with a gallery and a target too" test $status = 0 -a -d gallery
run "$root/pipelines/camera.sh" --model no-such-model test
check "a missing model is told" fails_with "no model 'no-such-model'"
run "$root/pipelines/camera.sh" --model "$random_model" ./no-such-camera
check "a missing camera is told" fails_with "no-such-camera: no such file, folder or device"

run "$root/pipelines/compare.sh" --model "$random_model" --model "$random_model" --output compared.mkv recorded.mkv
check "two models can be compared" test $status = 0 -a "$(frames_of compared.mkv)" -gt 0
check "and nothing unfinished is left" test ! -e compared.part.mkv
check "what each counts is told" said 'cells counted once each'
run "$root/pipelines/compare.sh" --model "$random_model" --output compared.mkv recorded.mkv
check "one model is nothing to compare" fails_with "two, three or four models"
run "$root/pipelines/compare.sh" --output compared.mkv recorded.mkv
check "a video is not overwritten" fails_with "compared.mkv: is there already"
finish
