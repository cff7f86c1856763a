"Run notebooks in place and keep their outputs, honouring nbdev's flags (what a reader sees); then run nbdev_clean."
import base64
import io
import os
import sys
from pathlib import Path

from execnb.nbio import read_nb, write_nb
from execnb.shell import CaptureShell
from nbdev.config import get_config
from nbdev.process import NBProcessor
from PIL import Image

skip = set(get_config().tst_flags.split())-set(os.environ.get('FLAGS', '').split())


def smaller(png):
    "A picture (base64) in at most 256 colours, where that is smaller: plots have few, and nobody sees the difference"
    picture = Image.open(io.BytesIO(base64.b64decode(png)))
    packed = io.BytesIO()
    picture.convert('RGB').quantize(256, dither=Image.Dither.NONE).save(packed, 'png', optimize=True)
    new = base64.b64encode(packed.getvalue()).decode()
    return new if len(new)<len(png) else png


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
            for data in (o['data'] for o in cell.outputs if 'data' in o):
                if 'image/png' in data:
                    data['image/png'] = smaller(data['image/png'])
    write_nb(nb, file)
    print('ran', file.name)


if __name__=='__main__':
    sys.path.insert(0, str(get_config().config_path))
    for o in [Path(o).resolve() for o in sys.argv[1:]]:
        run(o)
