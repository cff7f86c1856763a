"""The upper bounds in settings.ini holding a library at the newest minor that was tested, as `transformers<5.25` does.

--lift takes them away, so that pip installs the newest; --raise puts them after what is installed now (5.25.1 gives
`<5.26`), --set NAME VERSION after VERSION; both never lower one. Each prints what it changed: the name, and the version
that was tested. Bounds at a major version (`fastcore<3`) stay.
"""
import argparse
import re
from importlib.metadata import version
from pathlib import Path

settings = Path(__file__).resolve().parents[2]/'settings.ini'
requirement = re.compile(r'(?<=[ =])(?P<name>[\w.-]+)(?P<low>>=[\d.]+),<(?P<cap>\d+\.\d+)(?= |$)', re.M)


def after(tested):
    "The first version that is not tested"
    major,minor = map(int, tested.split('.')[:2])
    return f'{major}.{minor+1}'


def newest(a, b):
    return max(a, b, key=lambda v: [int(o) for o in v.split('.')])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument('--lift', action='store_true')
    what.add_argument('--raise', action='store_true', dest='up')
    what.add_argument('--set', nargs=2, metavar=('NAME', 'VERSION'))
    a = p.parse_args()
    text = settings.read_text()
    capped = {m['name']: m for m in requirement.finditer(text)}
    if not capped:
        p.error(f'{settings.name} has no requirement like transformers>=5.17,<5.25')
    if a.set and a.set[0] not in capped:
        p.error(f'{a.set[0]} has no cap; these have: {", ".join(capped)}')
    for name,m in capped.items():
        if a.set and a.set[0]!=name:
            continue
        tested = a.set[1] if a.set else version(name) if a.up else ''
        cap = '' if a.lift else ',<'+newest(m['cap'], after(tested))
        new = f'{name}{m["low"]}{cap}'
        if new!=m[0]:
            text = text.replace(m[0], new)
            print(name, tested)
    settings.write_text(text)


if __name__=='__main__':
    main()
