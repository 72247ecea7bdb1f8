#!/bin/sh
# Runs an oracle with the interpreter that has torchvision: $SMEARSCOPE_PYTHON, by default python3.
exec "${SMEARSCOPE_PYTHON:-python3}" "$@"
