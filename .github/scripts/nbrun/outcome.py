"What the two ways of running a notebook share: the guard's environment, the verdict, and how it is printed"
import json
import os
from dataclasses import dataclass
from pathlib import Path

here = Path(__file__).resolve().parent


def guarded(folder):
    "The environment in which a notebook's process, and those that it starts, write what the guard finds into `folder`"
    path = [str(here), *filter(None, [os.environ.get('PYTHONPATH')])]
    return dict(NBTEST_GUARD=str(folder/'found'), NBTEST_ROOT=os.getcwd(), PYTHONPATH=os.pathsep.join(path))


def deprecations(folder):
    "What the guard found, in words"
    file = folder/'found'
    if not file.exists(): return ''
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return '\n'.join(f"DEPRECATED, and used by us in cell {o['cell']}: {o['message']}\n  ours:   {o['ours']}\n  raised: {o['raised']}"
                     for o in found)


def cell_times(folder):
    "Seconds, id and first line of each cell that was run"
    file = folder/'times'
    if not file.exists(): return []
    rows = [line.split(' ', 1) for line in file.read_text().splitlines()]
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
        if status==0 and 'No files were eligible' in out: status = 'not eligible'
        found = deprecations(folder)
        said = [out, found] if status or found else []
        ended = [f'-- exit {status}'] if status else []
        return cls(file, '\n'.join(filter(None, said+ended)), seconds, cell_times(folder), more)

    def show(self):
        print(f"{'FAIL' if self.why else 'ok  '} {os.path.relpath(self.file)} ({self.seconds:.1f} s{self.more})", flush=True)
        if self.why: print(f'{self.why}\n-- {os.path.relpath(self.file)}', flush=True)


def show_slowest(outcomes, n):
    "The `n` cells that took longest"
    rows = [(seconds, o.file, cell) for o in outcomes for seconds,cell in o.times]
    for seconds,file,cell in sorted(rows, key=lambda o: -o[0])[:n]: print(f'{seconds:7.2f} s  {file.name}  {cell[:100]}')
