"""Ruff over modules, notebooks and scripts (settings in .ruff.toml), with a list of files that are still to be mended.

The list only shrinks: it is an error if a file that is not on it has an offence, and if one that is on it has none.
"""
import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

root = Path(__file__).resolve().parents[2]
debt = root/'.github'/'lint-debt.txt'
title = '# Files with offences that ruff finds. Take a file off when it is clean; none is added.'


def offences():
    "file → its offences, each as ruff tells it"
    r = subprocess.run([sys.executable, '-m', 'ruff', 'check', '--output-format', 'json', '--no-cache', str(root)],
                       cwd=root, capture_output=True, text=True)
    if r.returncode not in (0, 1):
        sys.exit(r.stderr)
    found = {}
    for o in json.loads(r.stdout):
        file = Path(o['filename']).relative_to(root).as_posix()
        cell = f"cell {o['cell']}:" if o.get('cell') else ''
        told = f"{file}:{cell}{o['location']['row']}:{o['location']['column']}: {o['code']} {o['message']}"
        found.setdefault(file, []).append(told)
    return found


def listed():
    "The files on the list"
    lines = debt.read_text().splitlines() if debt.exists() else []
    return {line for line in lines if line and not line.startswith('#')}


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('--update', action='store_true', help='write the list anew, of the files that have offences now')
    p.add_argument('--all', action='store_true', help='show the offences of the files on the list as well')
    a = p.parse_args()
    found = offences()
    old = listed()
    new,clean = sorted(found.keys()-old),sorted(old-found.keys())
    if a.update:
        debt.write_text('\n'.join([title, *sorted(found)])+'\n')
        changes = [*(f'+ {o}' for o in new), *(f'- {o}' for o in clean)]
        print(*changes, f'{len(found)} files are on the list', sep='\n')
        return 0
    for file in sorted(found) if a.all else new:
        print(*found[file], sep='\n')
    for file in new:
        print(f'{file} has {len(found[file])} offences, and is not on the list of files to be mended')
    for file in clean:
        print(f'{file} has no offence any more, or is gone: `lint.py --update` takes it off {debt.relative_to(root)}')
    left = Counter({file: len(o) for file,o in found.items()})
    print(f'{left.total()} offences in {len(found)} files, {len(old)} of which are on the list')
    return int(bool(new or clean))


if __name__=='__main__':
    sys.exit(main())
