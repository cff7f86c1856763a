#!/usr/bin/env bash
# Builds the sdist and from it the wheel, and uses the wheel where there is no checkout: its data must be inside.
set -euo pipefail
root=$(git rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -C "$root" archive HEAD | tar -x -C "$work" --one-top-level=src
python -m build --outdir "$work/dist" "$work/src"
pip install --no-deps --target "$work/site" "$work"/dist/*.whl
cd "$work"
PYTHONPATH=$work/site python - "$work/site" <<'P'
import sys
import seka
assert seka.__file__.startswith(sys.argv[1]), seka.__file__
print(len(seka.pairs()), 'pairs;', seka.KeyStats.from_pretrained().n, 'answer tokens')
from seka.cli import app
P
PYTHONPATH=$work/site python "$work/site/bin/seka" --help > /dev/null
