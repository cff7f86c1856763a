"""`nbtest.py --fast`: one process imports the libraries and computes nothing, and a fork of it runs each notebook.

Nothing may start threads before a fork, since a fork has only the thread that forked: hence one for OpenMP and MKL.
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

one_thread = dict(OMP_NUM_THREADS='1', MKL_NUM_THREADS='1', TOKENIZERS_PARALLELISM='false')
preload = '''torch torch.distributed.tensor safetensors.torch matplotlib.pyplot pandas hypothesis optuna typer rich
    transformers transformers.generation.utils transformers.models.auto.modeling_auto
    transformers.models.auto.tokenization_auto transformers.models.llama.modeling_llama
    nbdev.test IPython.core.pylabtools'''.split()


def runs(cell, skip):
    "Whether `nbdev_test` runs a cell"
    evaluated = cell.directives_.get('eval:', [''])[0].lower()!='false'
    skipped = skip & cell.directives_.keys() or 'nbdev_export(' in cell.source
    return cell.cell_type=='code' and cell.source.strip() and evaluated and not skipped


@dataclass
class Plan:
    file: Path
    run: list           # indices of cells
    left_out: list
    tokenizer: set      # names that are given the default tokenizer
    idle: bool          # nothing but imports is left to run, or the notebook has only slow cells

    @classmethod
    def of(cls, file, flags):
        skip = set(get_config().tst_flags.split())-set(flags.split())
        code = [c for c in NBProcessor(file, process=True).nb.cells if c.cell_type=='code']
        cells = [c for c in code if runs(c, skip)]
        try:
            run,left_out,tokenizer = leaving.leave_out(cells)
        except SyntaxError:         # the notebook is run whole, and fails at that cell
            return cls(file, [c.idx_ for c in cells], [], set(), idle=False)
        work = [c for c in cells if c.idx_ in run and not leaving.imports_of(c.source)[1]]
        return cls(file, run, left_out, tokenizer, idle=bool(code) and not work and len(left_out)+len(code)>len(cells))


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
        if not ended and seconds<limit:
            return None
        if ended:
            status = os.waitstatus_to_exitcode(status)
        else:
            self.kill()
            status = f'time limit of {limit} s'
        out = (self.folder/'out').read_text(errors='replace')
        more = f'; {len(self.plan.run)} cells run, {len(self.plan.left_out)} left out'
        return Outcome.of(self.plan.file, status, out, self.folder, seconds, more)

    def kill(self):
        "With all that it has started"
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def in_fork(plan, flags, folder):
    "What the forked process does; its exit status"
    os.setsid()
    with open(folder/'out', 'w') as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    os.environ.update(guarded(folder))
    try:
        deprecations.install(folder/'found', os.getcwd())
        import watched
        watched.run(plan.file, flags, plan.left_out, plan.tokenizer)
        return 0
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 1


def start(plan, flags, folder):
    "Run a notebook in a fork of this process; what it says goes to the file `out` in `folder`"
    folder.mkdir()
    (folder/'out').touch()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Fork(plan, folder, pid, time.time())
    status = 1
    try:
        status = in_fork(plan, flags, folder)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def run_plans(plans, flags, limit, jobs):
    waiting,running,outcomes = list(plans),[],[]
    with TemporaryDirectory() as d:
        try:
            while waiting or running:
                while waiting and len(running)<jobs:
                    running.append(start(waiting.pop(0), flags, Path(d)/str(len(waiting))))
                for fork in list(running):
                    outcome = fork.outcome(limit)
                    if outcome is not None:
                        running.remove(fork)
                        outcomes.append(outcome)
                        outcome.show()
                time.sleep(.02)
        finally:
            for fork in running:
                fork.kill()
    return outcomes


def run_all(files, flags, limit, jobs):
    "One `Outcome` for each notebook that has something to run; says which have not"
    begun = time.time()
    os.environ.update(one_thread)
    plans = [Plan.of(file, flags) for file in files]
    for name in preload:
        importlib.import_module(name)
    print(f'imports: {time.time()-begun:.0f} s', flush=True)
    outcomes = run_plans([p for p in plans if not p.idle], flags, limit, jobs)
    idle = [os.path.relpath(p.file) for p in plans if p.idle]
    if idle:
        print('nothing to run here, and not counted:', ', '.join(idle))
    run,left_out = sum(len(p.run) for p in plans),sum(len(p.left_out) for p in plans)
    seconds = time.time()-begun
    print(f'{run} cells run, {left_out} left out, {seconds:.0f} s: not the whole, which is run without --fast')
    return outcomes
