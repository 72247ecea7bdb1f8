#!/bin/sh
# Runs a comparison with $SMEARSCOPE_PYTHON; exit status 77 (skipped) where there is no such program.
python=${SMEARSCOPE_PYTHON:-python3}
command -v "$python" >/dev/null || { echo "skipped: there is no $python"; exit 77; }
exec "$python" "$@"
