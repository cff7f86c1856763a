"Run notebooks in place and keep their outputs, honouring nbdev's flags (what a reader sees); then run nbdev_clean."
import os, sys
from pathlib import Path
from execnb.nbio import read_nb, write_nb
from execnb.shell import CaptureShell
from nbdev.config import get_config
from nbdev.process import NBProcessor

force = set(os.environ.get('FLAGS','').split())
skip = set(get_config().tst_flags.split()) - force
sys.path.insert(0, str(get_config().config_path))
for f in [Path(o).resolve() for o in sys.argv[1:]]:
    proc = NBProcessor(f, process=True).nb      # directives parsed out
    nb,current = read_nb(f),None
    def _skip(c):
        global current
        if c.cell_type!='code' or 'nbdev_export(' in c.source: return True
        d = getattr(proc.cells[c.idx_], 'directives_', None) or {}
        if d.get('eval:', [''])[0].lower()=='false' or skip & d.keys(): return True
        current,c['outputs'] = c,[]         # a cell that gives nothing any more keeps nothing
        return False
    os.chdir(f.parent)
    try: CaptureShell(f, mpl_format='png').run_all(nb, exc_stop=True, preproc=_skip)
    except BaseException: print(f'{f.name}, cell {current.idx_}:\n{current.source}\n', file=sys.stderr); raise
    for c in nb.cells:      # progress bars and warnings are for the one who runs it, not for the reader
        if c.cell_type=='code': c['outputs'] = [o for o in c.outputs if o.get('name')!='stderr']
    write_nb(nb, f); print('ran', f.name)
