"""A type check of `seka/` by mypy (settings in .mypy.ini) that knows what `@patch` adds. Not part of CI yet.

pip install mypy, then: python .github/scripts/typecheck.py [--summary]
"""
import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

root = Path(__file__).resolve().parents[2]


def annotation_names(node):
    "Of `self:A` or `self:A|B`"
    return {o.id for o in ast.walk(node) if isinstance(o, ast.Name)} if node else set()


def patched():
    "(class, method) for each function under fastcore's `@patch`"
    for file in root.glob('seka/**/*.py'):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.FunctionDef):
                continue
            names = {getattr(o, 'id', getattr(getattr(o, 'func', None), 'id', '')) for o in node.decorator_list}
            if 'patch' in names:
                yield from ((cls, node.name) for cls in annotation_names(node.args.args[0].annotation))


def main():
    known = set(patched())
    r = subprocess.run([sys.executable, '-m', 'mypy', '--no-error-summary', '--config-file', '.mypy.ini'],
                       cwd=root, capture_output=True, text=True)
    errors = [line for line in r.stdout.splitlines() if ': error: ' in line]
    if r.returncode>1 or r.stderr:
        sys.exit(r.stdout+r.stderr)
    left = [line for line in errors if not known & set(re.findall(r'error: "(\w+)" has no attribute "(\w+)"', line))]
    if '--summary' not in sys.argv:
        print('\n'.join(left))
    for code,n in Counter(re.findall(r'\[([a-z-]+)\]$', '\n'.join(left), re.M)).most_common():
        print(f'{n:4} {code}')
    print(f'{len(left)} errors ({len(errors)-len(left)} about methods that @patch adds are not counted)')
    return int(bool(left))


if __name__=='__main__':
    sys.exit(main())
