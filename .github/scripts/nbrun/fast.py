"""`nbtest.py --fast`: one process imports the libraries and computes nothing, and a fork of it runs each notebook.

Nothing may start threads before a fork, since a fork has only the one that forked: hence one thread for OpenMP and MKL.
"""
import importlib
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import deprecations
import leaving
from nbdev.config import get_config
from nbdev.process import NBProcessor
from outcome import Outcome, guarded

preload = ('torch torch.distributed.tensor transformers transformers.generation.utils transformers.models.auto.modeling_auto '
           'transformers.models.auto.tokenization_auto transformers.models.llama.modeling_llama matplotlib.pyplot pandas '
           'hypothesis optuna nbdev.test IPython.core.pylabtools safetensors.torch typer rich').split()


@dataclass
class Plan:
    file: Path
    run: list           # indices of cells
    left_out: list
    tokenizer: set      # names to bind to the default tokenizer
    idle: bool          # nothing but imports is left to run

    @classmethod
    def of(cls, file, flags):
        skip = set(get_config().tst_flags.split())-set(flags.split())

        def runs(c):
            off = skip & c.directives_.keys() or c.directives_.get('eval:', [''])[0].lower()=='false'
            return c.cell_type=='code' and c.source.strip() and not off and 'nbdev_export(' not in c.source

        cells = [c for c in NBProcessor(file, process=True).nb.cells if runs(c)]
        run,left_out,tokenizer = leaving.leave_out(cells)
        work = [c for c in cells if c.idx_ in run and not leaving.imports_of(c.source)[1]]
        return cls(file, run, left_out, tokenizer, idle=not work and bool(left_out or not cells))


@dataclass
class Fork:
    plan: Plan
    folder: Path
    pid: int
    begun: float

    def outcome(self, limit):
        "None while it runs"
        ended,status = os.waitpid(self.pid, os.WNOHANG)
        seconds = time.time()-self.begun
        if not ended and seconds<limit: return None
        if not ended:
            self.kill()
            status = f'time limit of {limit} s'
        else: status = os.waitstatus_to_exitcode(status)
        out = (self.folder/'out').read_text(errors='replace')
        more = f'; {len(self.plan.run)} cells run, {len(self.plan.left_out)} left out'
        return Outcome.of(self.plan.file, status, out, self.folder, seconds, more)

    def kill(self):
        "With all that it has started"
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def start(plan, flags, folder):
    "Run a notebook in a fork of this process; what it says goes to the file `out` in `folder`"
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid: return Fork(plan, folder, pid, time.time())
    status = 1
    try:
        os.setsid()
        with open(folder/'out', 'w') as out:
            for stream in (1, 2): os.dup2(out.fileno(), stream)
        os.environ.update(guarded(folder))
        deprecations.install(folder/'found', os.getcwd())
        import watched
        watched.run(plan.file, flags, plan.left_out, plan.tokenizer)
        status = 0
    except SystemExit as e: status = e.code if isinstance(e.code, int) else 1
    except BaseException: traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def run_all(files, flags, limit, jobs):
    "One `Outcome` for each notebook that has something to run; says which have not"
    os.environ.update(OMP_NUM_THREADS='1', MKL_NUM_THREADS='1', TOKENIZERS_PARALLELISM='false')
    begun = time.time()
    for name in preload: importlib.import_module(name)
    plans = [Plan.of(file, flags) for file in files]
    waiting = [p for p in plans if not p.idle]
    print(f'imports: {time.time()-begun:.0f} s', flush=True)
    running,outcomes = [],[]
    with TemporaryDirectory() as d:
        try:
            while waiting or running:
                while waiting and len(running)<jobs:
                    folder = Path(d)/str(len(waiting))
                    folder.mkdir()
                    running.append(start(waiting.pop(0), flags, folder))
                for fork in list(running):
                    outcome = fork.outcome(limit)
                    if outcome is None: continue
                    running.remove(fork)
                    outcomes.append(outcome)
                    outcome.show()
                time.sleep(.02)
        finally:
            for fork in running: fork.kill()
    idle = [os.path.relpath(p.file) for p in plans if p.idle]
    if idle: print('nothing to run without the model in', ', '.join(idle))
    run,left_out = sum(len(p.run) for p in plans),sum(len(p.left_out) for p in plans)
    print(f'{run} cells run, {left_out} left out, {time.time()-begun:.0f} s. This is not the whole: without --fast everything is run')
    return outcomes
