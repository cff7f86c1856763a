#!/usr/bin/env bash
# Builds the sdist and from it the wheel, installs the wheel alone into an environment of its own, with what pip resolves
# for it (users get no development pins), and runs README's quick start there, outside of the checkout.
# PIP_CONSTRAINT, if set, holds there too: .ci/run pins torch with it.
set -euo pipefail
root=$(git rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git -C "$root" archive HEAD | tar -x -C "$work" --one-top-level=src
python -m build --outdir "$work/dist" "$work/src"
python -m venv "$work/venv"
unset PYTHONPATH
"$work/venv/bin/pip" install "$work"/dist/*.whl
mkdir "$work/elsewhere"
cd "$work/elsewhere"

"$work/venv/bin/python" - "$root/README.md" <<'P'
"The quick start is README's first block of Python; the block below it is what it shall print"
import re
import sys
from pathlib import Path

start,shown = re.search(r'```python\n(.*?)```\n+((?: {4}[^\n]*\n)+)', Path(sys.argv[1]).read_text(), re.S).groups()
assert 'seka.generate(' in start, start
Path('quick_start.py').write_text(start)
Path('expected.txt').write_text(re.sub('^ {4}', '', shown.rstrip()+'\n', flags=re.M))
P
"$work/venv/bin/python" quick_start.py > printed.txt
cat printed.txt
diff -B expected.txt printed.txt || { echo "README's quick start prints something else than README says"; exit 1; }
"$work/venv/bin/seka" --help > /dev/null
PATH=$work/venv/bin:$PATH bash -e <(grep -m1 '^seka generate' "$root/README.md") | tee said.txt
grep -q Dublin said.txt || { echo "README's first command does not say Dublin"; exit 1; }

"$work/venv/bin/python" - "$work/venv" <<'P'
"Modules and data come from the wheel"
import sys
from importlib.metadata import version

import seka

assert seka.__file__.startswith(sys.argv[1]), seka.__file__
print(len(seka.pairs()), 'pairs;', seka.KeyStats.from_pretrained().n, 'answer tokens')
print(*(f'{name} {version(name)}' for name in ('fastcore', 'torch', 'transformers', 'huggingface_hub', 'numpy')))
P
