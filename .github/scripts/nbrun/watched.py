"nbdev's own `nbdev_test` on one notebook, in a shell that keeps the guard against deprecations in force cell by cell"
import sys
import time
from unittest.mock import MagicMock, patch

import deprecations
import leaving
import nbdev.test
from execnb.shell import CaptureShell


def default_tokenizer():
    "What `seka.load` gives beside the model, which is not read"
    import seka
    import transformers
    with patch.object(transformers.AutoModelForCausalLM, 'from_pretrained', return_value=MagicMock()):
        return seka.load()[1]


class WatchedShell(CaptureShell):
    left_out = frozenset()      # indices of the cells that are not run
    tokenizer = frozenset()     # names that a cell left out would bind to the default model's tokenizer

    def stand_in(self, cell):
        "Of a cell that is left out: its imports, and the tokenizer"
        self.run_cell(leaving.imports_of(cell.source)[0])
        for name in self.tokenizer & set(cell.directives_.get('model', [])):
            self.user_ns[name] = default_tokenizer()

    def cell(self, cell, **kwargs):
        start = time.time()
        super().cell(cell, **kwargs)
        if cell.cell_type=='code':
            first = next(iter(cell.source.strip().splitlines()), '')
            deprecations.beside('times', f"{time.time()-start:.2f} {cell.get('id', '')} {first}")

    def run_all(self, nb, exc_stop=False, preproc=None, **kwargs):
        def skip_or_watch(cell):
            if cell.idx_ in self.left_out:
                self.stand_in(cell)
                return True
            if preproc(cell):
                return True
            deprecations.watch()
            deprecations.state['cell'] = cell.get('id', '')
            deprecations.state['paused'] = 'deprecated' in cell.directives_     # on purpose
            return False
        return super().run_all(nb, exc_stop=exc_stop, preproc=skip_or_watch, **kwargs)


def run(file, flags='', left_out=(), tokenizer=()):
    "As `nbdev_test --path file --flags flags`; exits with 1 where the notebook fails"
    WatchedShell.left_out = frozenset(left_out)
    WatchedShell.tokenizer = frozenset(tokenizer)
    nbdev.test.CaptureShell = WatchedShell
    nbdev.test.nbdev_test(path=str(file), flags=flags, n_workers=0)


if __name__=='__main__':
    run(*sys.argv[1:])
