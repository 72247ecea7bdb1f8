# What the tests of this folder share; they source it: a scratch folder, the model that they run, and checks. A test is
# called with a build folder of Meson that has the tests, and ends with `finish`.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(cd "${1:?usage: ${0##*/} BUILD_FOLDER}" && pwd) || exit 1
export SMEARSCOPE_BUILD=$build

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

skip() { echo "skipped: $*"; exit 77; }
[ -x "$build/tests/engine/write_random_model" ] || skip "$build has no tests (meson setup -Dtests=enabled)"
[ -e "$build/gst-plugin/libgstsmearscope.so" ] || skip "$build has no GStreamer plugin"

# Finds nonsense, but 100 times in every frame: for tests of what happens with detections, not of the detections.
random_model=$scratch/random.safetensors
"$build/tests/engine/write_random_model" resnet18 16 32 3 1 "$random_model" || exit 1

failed=0
# check TEXT COMMAND...: passes if the command does.
check() {
  local text=$1
  shift
  if "$@"; then echo "ok: $text"; else echo "FAILED: $text ($*)"; failed=1; fi
}
finish() { exit $failed; }

# Runs a command, keeps what it says in the file `said` and its exit status in $status.
run() {
  timeout 300 "$@" >said 2>&1
  status=$?
}

said() { grep -q -- "$1" said || { sed 's/^/  | /' said; false; }; }
# One line of its own for the user: the name of the script, and what is wrong.
fails_with() { [ "$status" -ne 0 ] && [ "$status" -ne 124 ] && said "$1" && [ "$(grep -c '\.sh: .*'"$1" said)" = 1 ]; }

# Number of video frames that a player gets out of a file.
frames_of() {
  gst-launch-1.0 filesrc "location=$1" ! matroskademux ! vp8dec ! fakesink silent=false -v 2>&1 | grep -c 'last-message = chain'
}

png_size() { [ "$(head -c 4 "$1" | tail -c 3)" = PNG ] && od -An -tu1 -j16 -N8 "$1" | awk '{ print $3 * 256 + $4 "x" $7 * 256 + $8 }'; }
