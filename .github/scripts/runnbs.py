"Run notebooks in place and keep their outputs, honouring nbdev's flags (what a reader sees); then run nbdev_clean."
import os
import sys
from pathlib import Path

from execnb.nbio import read_nb, write_nb
from execnb.shell import CaptureShell
from nbdev.config import get_config
from nbdev.process import NBProcessor

skip = set(get_config().tst_flags.split())-set(os.environ.get('FLAGS', '').split())


def run(file):
    processed = NBProcessor(file, process=True).nb.cells    # with the flags read
    nb,current = read_nb(file),None

    def leave(cell):
        nonlocal current
        if cell.cell_type!='code' or 'nbdev_export(' in cell.source:
            return True
        flags = getattr(processed[cell.idx_], 'directives_', None) or {}
        if flags.get('eval:', [''])[0].lower()=='false' or skip & flags.keys():
            return True
        current = cell
        cell['outputs'] = []            # a cell that gives nothing any more keeps nothing
        return False

    os.chdir(file.parent)
    try:
        CaptureShell(file, mpl_format='png').run_all(nb, exc_stop=True, preproc=leave)
    except BaseException:
        print(f'{file.name}, cell {current.idx_}:\n{current.source}\n', file=sys.stderr)
        raise
    for cell in nb.cells:
        if cell.cell_type=='code':      # progress bars and warnings are for the one who runs it, not for the reader
            cell['outputs'] = [o for o in cell.outputs if o.get('name')!='stderr']
    write_nb(nb, file)
    print('ran', file.name)


if __name__=='__main__':
    sys.path.insert(0, str(get_config().config_path))
    for o in [Path(o).resolve() for o in sys.argv[1:]]:
        run(o)
