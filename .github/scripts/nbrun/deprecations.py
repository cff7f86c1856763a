"""Note every deprecation that code of ours causes, in a file; a notebook whose file is not empty fails.

Two roads lead there: Python's `warnings`, and log records, since transformers says much of what it will take away by
`logger.warning_once` only. Which ones are ours?

- A `FutureWarning` or a log record speaks to users, however deep it is raised: it is ours if a frame of `seka`, of a
  notebook's cell or of a script that a notebook started stands anywhere above, but for `between_libraries`.
- A `DeprecationWarning` speaks to whoever called the thing that is deprecated: it is ours if it is reported in a file
  of ours, or if that caller is ours. Decorators and `torch.nn.Module.__call__` only pass the call on.

What anybody silences with `warnings.catch_warnings` stays silent. A cell that uses a deprecated name on purpose says so
with the flag `#| deprecated`.
"""
import json
import linecache
import logging
import os
import re
import sys
import warnings

to_users = (FutureWarning,)
to_callers = (DeprecationWarning, PendingDeprecationWarning)
telling = re.compile('deprecat|will be removed|will be dropped|is obsolete', re.I)

# (how the message begins, a module that stands between it and us): known, and one library's use of another or of itself
between_libraries = [
    ('Passing `generation_config` together with generation-related', 'transformers.generation.candidate_generator'),
    ('`torch.distributed.reduce_op` is deprecated', 'vllm.triton_utils.dispatcher'),
]

ours = re.compile(r'(seka(\.|$)|__main__$|__mp_main__$)')
runners = ('nbtest.py', 'watched.py', 'nbdev_test')
speaking = re.compile(r'(logging|warnings|transformers\.utils\.logging)$')
passing_on = re.compile(r'torch\.nn\.modules\.module$|torch\.utils\._contextlib$|torch\._dynamo\b'
                        r'|functools$|contextlib$|(.*[._])?_?deprecat\w*$')
state = dict(file=None, root='', cell='', paused=False, seen=set())


def module(frame):
    return frame.f_globals.get('__name__') or ''


def is_ours(frame):
    runner = os.path.basename(frame.f_code.co_filename) in runners
    return bool(ours.match(module(frame))) and not runner


def is_file_of_ours(name):
    cell = os.path.basename(name).startswith(('<ipython-input', 'ipykernel_'))
    return cell or name.startswith(os.path.join(state['root'], 'seka'))


def stack():
    "The frame that spoke and all above it"
    frame = sys._getframe(2)
    while frame is not None and speaking.match(module(frame)):
        frame = frame.f_back
    found = []
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found


def anywhere(frames, message):
    "The nearest frame of ours, or None; None too where it is known that libraries talk to each other"
    between = set()
    for frame in frames:
        if is_ours(frame):
            known = any(message.startswith(start) and name in between for start,name in between_libraries)
            return None if known else frame
        between.add(module(frame))
    return None


def caller(frames):
    "The frame that called what spoke, if it is ours, else None"
    spoke = module(frames[0]) if frames else ''
    for frame in frames:
        if is_ours(frame):
            return frame
        if module(frame)!=spoke and not passing_on.match(module(frame)):
            return None
    return None


def place(frame):
    file,line = frame.f_code.co_filename,frame.f_lineno
    source = linecache.getline(file, line, frame.f_globals).strip()
    return f'{file}:{line} in {frame.f_code.co_name}: {source}'


def note(message, raised, where):
    "Append one finding to the file, once for each message and place"
    message = ' '.join(message.split())[:600]
    if state['paused'] or (message, where) in state['seen']:
        return
    state['seen'].add((message, where))
    found = dict(message=message, raised=raised, ours=where.replace(state['root']+os.sep, ''), cell=state['cell'])
    with open(state['file'], 'a') as f:
        f.write(json.dumps(found)+'\n')


def beside(name, line):
    "Append a line to the file `name` in the folder of the findings"
    with open(os.path.join(os.path.dirname(state['file']), name), 'a') as f:
        f.write(line+'\n')


def on_warning(message, category, filename, lineno, file=None, line=None):
    "Stands in for `warnings.showwarning`"
    if not issubclass(category, to_users+to_callers):
        return shown(message, category, filename, lineno, file, line)
    frames = stack()
    frame = anywhere(frames, str(message)) if issubclass(category, to_users) else caller(frames)
    raised = f'{category.__name__} at {filename}:{lineno}'
    if is_file_of_ours(filename):
        note(str(message), raised, f'{filename}:{lineno}: {linecache.getline(filename, lineno).strip()}')
    elif frame is not None:
        note(str(message), raised, place(frame))


def call_handlers(self, record):
    "Stands in for `logging.Logger.callHandlers`"
    message = record.getMessage()
    if record.levelno>=logging.WARNING and telling.search(message):
        frames = stack()
        frame = anywhere(frames, message)
        raised = f'logged by {record.name} at {frames[0].f_code.co_filename}:{frames[0].f_lineno}'
        if frame is not None:
            note(message, raised, place(frame))
    return handle(self, record)


shown = warnings.showwarning
handle = logging.Logger.callHandlers


def watch():
    "To be called before each cell: libraries put filters of their own in front when they are imported"
    for category in to_users+to_callers:
        warnings.filterwarnings('always', category=category)
    warnings.showwarning = on_warning


def install(file, root):
    "From now on, findings go to `file`; `root` is the checkout"
    state.update(file=str(file), root=str(root))
    logging.Logger.callHandlers = call_handlers
    watch()
