"""A type check of `seka/` by mypy (settings in .mypy.ini) that knows what `@patch` adds, with a list of what is left.

The list only shrinks: it is an error if a module has more errors than the list says, and if it has fewer. Errors in
looking up a method that fastcore's `@patch` adds to a class are not counted.
"""
import argparse
import ast
import re
import shlex
import subprocess
import sys
from collections import Counter
from configparser import ConfigParser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

root = Path(__file__).resolve().parents[2]
debt = root/'.github'/'type-debt.txt'
title = '# Errors that mypy finds in each module. `typecheck.py --update` writes this; the numbers only shrink.'


def annotation_names(node):
    "Of `self:A` or `self:A|B`"
    return {o.id for o in ast.walk(node) if isinstance(o, ast.Name)} if node else set()


def nodes(kind):
    "Everything of a kind in the syntax trees of the modules"
    for file in root.glob('seka/**/*.py'):
        yield from (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, kind))


def with_subclasses():
    "class → itself and all that inherit from it, in the modules"
    direct = {node.name: {o.id for o in node.bases if isinstance(o, ast.Name)} for node in nodes(ast.ClassDef)}
    found = {name: {name} for name in direct}
    for _ in direct:                            # as many rounds as a chain could be long
        for name,bases in direct.items():
            for base in bases & found.keys():
                found[base] |= found[name]
    return found


def patched():
    "(class, method) for each function under fastcore's `@patch`, and for the subclasses of its class"
    heirs = with_subclasses()
    for node in nodes(ast.FunctionDef):
        names = {getattr(o, 'id', getattr(getattr(o, 'func', None), 'id', '')) for o in node.decorator_list}
        if 'patch' in names:
            for cls in annotation_names(node.args.args[0].annotation):
                yield from ((heir, node.name) for heir in heirs.get(cls, {cls}))


def check_version():
    "Stop where mypy is not the version that settings.ini pins, as other ones count other errors"
    config = ConfigParser(delimiters=['='])
    config.read(root/'settings.ini', encoding='utf-8')
    pin = next(o for o in shlex.split(config['DEFAULT']['dev_requirements']) if o.startswith('mypy=='))
    try:
        have = version('mypy')
    except PackageNotFoundError:
        sys.exit(f'mypy is not installed: pip install {pin}')
    if pin!=f'mypy=={have}':
        sys.exit(f'mypy is {have}, and the list was made with {pin}: pip install {pin}')


def errors():
    "The lines in which mypy tells errors, without those about methods that `@patch` adds, and how many those are"
    r = subprocess.run([sys.executable, '-m', 'mypy', '--no-error-summary', '--config-file', '.mypy.ini'],
                       cwd=root, capture_output=True, text=True)
    if r.returncode>1 or r.stderr:
        sys.exit(r.stdout+r.stderr)
    known = set(patched())
    told = [line for line in r.stdout.splitlines() if ': error: ' in line]
    lookup = re.compile(r'error: "(?:type\[)?(\w+)\]?" has no attribute "(\w+)"')
    left = [line for line in told if not known & set(lookup.findall(line))]
    return left,len(told)-len(left)


def listed():
    "module → errors, as the list has it"
    lines = debt.read_text().splitlines() if debt.exists() else []
    rows = (line.split() for line in lines if line and not line.startswith('#'))
    return Counter({file: int(n) for n,file in rows})


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('--update', action='store_true', help='write the list anew, with the numbers of now')
    p.add_argument('--all', action='store_true', help='show the errors that are on the list as well')
    a = p.parse_args()
    check_version()
    told,ignored = errors()
    found = Counter(line.split(':')[0] for line in told)
    old = listed()
    more = [f for f in sorted(found) if found[f]>old[f]]
    fewer = [f for f in sorted(old) if found[f]<old[f]]
    for line in told:
        if a.all or line.split(':')[0] in more and not a.update:
            print(line)
    if a.update:
        debt.write_text('\n'.join([title, *(f'{found[f]:3} {f}' for f in sorted(found))])+'\n')
    for f in more:
        print(f'{f} has {found[f]} errors, the list says {old[f]}')
    for f in fewer:
        print(f'{f} has {found[f]} errors, the list says {old[f]}: `typecheck.py --update` writes the smaller number')
    print(f'{found.total()} errors in {len(found)} modules, {old.total()} of which are on the list '
          f'({ignored} about methods that @patch adds are not counted)')
    return int(bool(more or fewer) and not a.update)


if __name__=='__main__':
    sys.exit(main())
