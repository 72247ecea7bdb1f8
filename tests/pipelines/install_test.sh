#!/usr/bin/env bash
# `meson install` into a prefix of its own: programs, elements and engine work from there, with nothing of the checkout
# in the environment. Built without optimisation, which is quicker and makes no difference here.
. "$(dirname "$0")/check.sh"
unset SMEARSCOPE_BUILD SMEARSCOPE_MODEL_DIR GST_PLUGIN_PATH
prefix=$scratch/installed

meson setup "$scratch/build" "$root" --prefix "$prefix" --libdir lib --buildtype=plain -Dtests=disabled -Dtraining=disabled \
  -Dcorpus=disabled >setup.log 2>&1 || { cat setup.log; exit 1; }
meson install -C "$scratch/build" >install.log 2>&1 || { tail -n 30 install.log; exit 1; }

models=$prefix/share/smearscope/models
for model in "$root"/models/*.safetensors; do
  [ -e "$model" ] || continue
  check "$(basename "$model") is installed" cmp "$model" "$models/$(basename "$model")"
done
# A stand-in where no model is shipped.
[ -e "$models/smearscope-cells.safetensors" ] || install -D "$random_model" "$models/smearscope-cells.safetensors"

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
# shellcheck disable=SC2046
check "pkg-config and headers suffice to build with the engine" \
  g++ -std=c++17 -o engine_user "$root/tests/pipelines/engine_user.cpp" $(pkg-config --cflags --libs smearscope-engine)
run ./engine_user
check "which finds the default model of the prefix" said "^$models/smearscope-cells.safetensors: 3 classes, 1 result"

run "$prefix/bin/smearscope-model" verify "$models/smearscope-cells.safetensors"
check "smearscope-model runs" test $status = 0

export GST_PLUGIN_PATH=$prefix/lib/gstreamer-1.0 GST_REGISTRY=$scratch/registry.bin
unset LD_LIBRARY_PATH  # elements and programs know where their engine is
for element in smeartestsrc celldetect celloverlay cellreport smearscope; do
  check "gst-inspect-1.0 knows $element" eval "gst-inspect-1.0 $element >/dev/null"
done
run gst-launch-1.0 -q smeartestsrc num-buffers=2 ! smearscope ! cellreport csv-location=counts.csv ! fakesink
check "the elements run with the default model" test $status = 0
check "and count" test "$(wc -l <counts.csv)" -ge 3
finish
