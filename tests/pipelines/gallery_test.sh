#!/usr/bin/env bash
# From the microscope to the corpus: cells of a synthetic smear are counted, their pictures reviewed by hand, and what was
# confirmed is training data.
. "$(dirname "$0")/check.sh"
corpus_tool=$build/dataset-tools/smearscope-corpus
[ -x "$corpus_tool" ] || skip "$build has no smearscope-corpus"
. "$root/pipelines/common.sh"
use_smearscope

run gst-launch-1.0 -q smeartestsrc num-buffers=12 stage-speed=60 ! video/x-raw,framerate=10/1 ! videoconvert \
  ! smearscope model=smearscope-cells mode=every gallery-location=slide-17 ! fakesink
check "a smear is counted" test $status = 0
red=$(find slide-17/found/rbc -name '*.png' | wc -l)
check "its red cells have pictures ($red)" test "$red" -ge 10
check "and rows in the table" test "$(grep -c ',rbc,' slide-17/cells.csv)" = "$red"

# The review: all red cells are confirmed but for one that is called a platelet, and one that is no cell.
mkdir -p slide-17/confirmed/platelet slide-17/confirmed/no_cell
mv "$(find slide-17/found/rbc -name '*.png' | sort | sed -n 1p)" slide-17/confirmed/platelet/
mv "$(find slide-17/found/rbc -name '*.png' | sort | sed -n 1p)" slide-17/confirmed/no_cell/
mv slide-17/found/rbc/*.png slide-17/confirmed/rbc/

run "$corpus_tool" standardise --source gallery --input slide-17 --output corpus
check "the review is a corpus" test $status = 0 -a -f corpus/annotations/all.json
boxes() { grep -o "\"category_id\": *$1[,}]" corpus/annotations/all.json | wc -l; }
category() { grep -o '{[^{}]*"name": *"'"$1"'"[^{}]*}' corpus/annotations/all.json | grep -o '"id": *[0-9]*' | grep -o '[0-9]*$'; }
check "in which red cells are red cells" test "$(boxes "$(category rbc)")" = $((red - 2))
check "and the corrected one is a platelet" test "$(boxes "$(category platelet)")" = 1
check "corrections are counted" test "$(grep -c 'class corrected' corpus/provenance.csv)" = 2
run "$corpus_tool" check corpus
check "the corpus is sound" test $status = 0
finish
