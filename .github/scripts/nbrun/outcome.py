"What the two ways of running a notebook share: the guard's environment, the verdict, and how it is printed"
import json
import os
from dataclasses import dataclass
from pathlib import Path

here = Path(__file__).resolve().parent


def guarded(folder):
    "The environment in which a notebook's process, and all that it starts, write what the guard finds into `folder`"
    path = [str(here), *filter(None, [os.environ.get('PYTHONPATH')])]
    return dict(NBTEST_GUARD=str(folder/'found'), NBTEST_ROOT=os.getcwd(), PYTHONPATH=os.pathsep.join(path))


def lines_of(file):
    return file.read_text(errors='replace').splitlines() if file.exists() else []


def deprecations(folder):
    "What the guard found, in words"
    said = []
    for o in map(json.loads, lines_of(folder/'found')):
        where = f" in cell {o['cell']}" if o['cell'] else ''
        said.append(f"DEPRECATED, and used by us{where}: {o['message']}")
        said.append(f"  ours:   {o['ours']}\n  raised: {o['raised']}")
    return '\n'.join(said)


def cell_times(folder):
    "Seconds, and id and first line, of each cell that was run"
    rows = [line.split(' ', 1) for line in lines_of(folder/'times')]
    return [(float(seconds), cell) for seconds,cell in rows]


@dataclass
class Outcome:
    file: Path
    why: str            # '' if it passed
    seconds: float
    times: list         # of its cells
    more: str = ''

    @classmethod
    def of(cls, file, status, out, folder, seconds, more=''):
        if status==0 and 'No files were eligible' in out:
            status = 'not eligible'
        found = deprecations(folder)
        said = [out, found] if status or found else []
        ended = [f'-- exit {status}'] if status else []
        return cls(file, '\n'.join(filter(None, said+ended)), seconds, cell_times(folder), more)

    def show(self):
        name = os.path.relpath(self.file)
        print(f"{'FAIL' if self.why else 'ok  '} {name} ({self.seconds:.1f} s{self.more})", flush=True)
        if self.why:
            print(f'{self.why}\n-- {name}', flush=True)


def show_slowest(outcomes, n):
    "The `n` cells that took longest"
    rows = [(seconds, o.file, cell) for o in outcomes for seconds,cell in o.times]
    for seconds,file,cell in sorted(rows, key=lambda o: -o[0])[:n]:
        print(f'{seconds:7.2f} s  {file.name}  {cell[:90]}')
