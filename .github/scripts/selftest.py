"""Does `nbtest.py` fail where it must? Notebooks are made that use names which a library has just deprecated, in the
ways that libraries tell it, and notebooks that do nothing wrong; each must end as said here.
"""
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here/'nbrun'))
import leaving    # noqa: E402

library = '''
import warnings
from transformers.utils import logging
from transformers.utils.deprecation import deprecate_kwarg
import torch

def logs(*args, **kwargs):
    logging.get_logger('transformers.newlib').warning_once('`old_name` is deprecated. Use `new_name` instead.')
    raise OSError('not here')

def warns():
    warnings.warn('old_name will go', DeprecationWarning, stacklevel=2)

class Model(torch.nn.Module):
    @deprecate_kwarg('old_name', new_name='new_name', version='99.0.0')
    def forward(self, new_name=None): return new_name
'''
another = '''
import newlib

def calls(): newlib.warns()
'''
real = '''
import transformers, seka, newlib
from unittest.mock import patch
try:
    with patch.object(transformers.AutoTokenizer, 'from_pretrained', newlib.logs): seka.load('/no/such/folder')
except seka.SekaError: pass
'''

# name → its cells, and what must stand in the report (None: it passes)
notebooks = {
    'a_log_under_seka': ([real], r'`old_name` is deprecated.*ours: +seka/\w+(/\w+)?\.py:\d+ in load: '),
    'a_decorator': (['import newlib\nnewlib.Model()(old_name=1)'],
                    r'`old_name` is deprecated.*ours: +<ipython.*newlib\.Model'),
    'a_warning': (['import newlib\nnewlib.warns()'], r'old_name will go.*ours: +<ipython'),
    'a_log_swallowed': (['import newlib\ntry: newlib.logs()\nexcept OSError: pass'], 'old_name'),
    'a_thread': (['import newlib, threading\nthread = threading.Thread(target=lambda: newlib.warns())',
                  'thread.start()\nthread.join()'], 'old_name'),
    'a_process': (['import subprocess, sys',
                   'subprocess.run([sys.executable, "-c", "import newlib; newlib.warns()"])'], 'old_name'),
    'an_error': (['assert 1==2'], 'AssertionError'),
    'unreadable': (['x = 1', 'def f(:'], 'SyntaxError'),
    'too_long': (['import time\ntime.sleep(600)'], 'time limit'),
    'libraries_between_themselves': (['import otherlib\notherlib.calls()'], None),
    'silenced': (['import newlib, warnings',
                  'with warnings.catch_warnings():\n    warnings.simplefilter("ignore")\n    newlib.warns()'], None),
    'on_purpose': (['#| deprecated\nimport newlib\nnewlib.warns()'], None),
    'needs_the_model': (['#| model\nmodel = 1/0', '#| model\ndef f(): return model', 'x = 1', 'print(f(), 1/0)',
                         'f = abs', 'assert f(-x)==1'], None),
}

# cells → those that are left out where the first has the flag `model`
rules = [
    (['model = load()', 'model(1)', 'x = 2'], [0, 1]),
    (['model = load()', 'def f(): return model', 'f()', 'def g(model): return model', 'g(1)'], [0, 1, 2]),
    (['model = load()', 'model = tiny()', 'model(1)'], [0]),
    (['model = load()', 'model = tiny()\nmodel(1)'], [0]),
    (['model = load()', 'model = half(model)', 'model'], [0, 1, 2]),
    (['model = load()', '[model for model in models]', 'for model in models: model()', 'model'], [0]),
    (['model = load()', '{k: model for k in [0]}', 'sum(f(a) for a in b if model for c in d)'], [0, 1, 2]),
    (['model = load()', 'names = [model for model, b in x for c in model]', 'model'], [0, 2]),
    (['model = load()', 'with open(f) as model: model.read()'], [0]),
    (['model = load()', 'rows[0] = model', 'rows'], [0, 1, 2]),
    (['model = load()', 'rows.append(model)', 'print(rows)'], [0, 1, 2]),
    (['import math\nmodel = load()', 'math.pi'], [0]),
    (['model = load()', 'n = 0\nn += model', 'n'], [0, 1, 2]),
    (['model = load()', 'test_fail(lambda: model(1))', 'class A:\n    def f(self): return model', 'A'], [0, 1, 2, 3]),
]


def notebook(cells):
    common = dict(cell_type='code', metadata={}, outputs=[], execution_count=None)
    made = [dict(common, id=f'cell{i}', source=c) for i,c in enumerate(cells)]
    return json.dumps(dict(cells=made, metadata={}, nbformat=4, nbformat_minor=5))


def nbtest(folder, *args):
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, [str(folder), os.environ.get('PYTHONPATH')]))}
    command = [sys.executable, str(here/'nbtest.py'), '--timeout', '20', *args]
    return subprocess.run(command, env=env, capture_output=True, text=True)


def blocks(out):
    "notebook → what was printed of it"
    found = re.split(r'^(?=ok  |FAIL)', out, flags=re.M)[1:]
    return {re.match(r'\w+ +\S*?(\w+)\.ipynb', o)[1]: o for o in found}


def wrong_rules():
    for cells,expected in rules:
        made = [SimpleNamespace(idx_=i, source=c, directives_={} if i else {'model': []}) for i,c in enumerate(cells)]
        found = leaving.leave_out(made)[1]
        if found!=expected:
            yield f'of {cells} the cells {found} are left out, and should be {expected}'


def wrong_notebooks():
    with TemporaryDirectory() as d:
        folder = Path(d)
        (folder/'newlib.py').write_text(library)
        (folder/'otherlib.py').write_text(another)
        for name,(cells,_) in notebooks.items():
            (folder/f'{name}.ipynb').write_text(notebook(cells))
        fast = nbtest(folder, '--fast', *(str(folder/f'{name}.ipynb') for name in notebooks))
        slow = nbtest(folder, str(folder/'a_log_under_seka.ipynb'))
    said = blocks(fast.stdout)
    for name,(_,report) in notebooks.items():
        block = said.get(name, 'nothing was said of it')
        failed = block.startswith('FAIL') and re.search(report or '', block, re.S)
        if not (block.startswith('ok') if report is None else failed):
            yield f'{name}: {block}'
    failing = sum(report is not None for _,report in notebooks.values())
    closing = f'{len(notebooks)-failing} passed, {failing} failed'
    if fast.returncode!=1 or fast.stdout.splitlines()[-1:]!=[closing]:
        yield f'expected {closing}:\n{fast.stdout}\n{fast.stderr}'
    report = notebooks['a_log_under_seka'][1]
    if slow.returncode!=1 or not re.search(report, slow.stdout, re.S):
        yield f'without --fast:\n{slow.stdout}\n{slow.stderr}'


def main():
    wrong = [*wrong_rules(), *wrong_notebooks()]
    print('\n'.join(wrong) or f'{len(rules)} rules and {len(notebooks)} notebooks end as they must')
    return int(bool(wrong))


if __name__=='__main__':
    sys.exit(main())
