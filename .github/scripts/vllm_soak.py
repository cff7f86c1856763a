"""Many clients at once against a server with steerers: plain, marked, malformed and cancelled requests, for minutes.

Every answer must equal that of the same request alone, every malformed request must get status 400, and
the server must use no more memory as time goes by. By hand, where vLLM is installed: vllm_soak.py --minutes 15
"""
import argparse
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from openai import BadRequestError, OpenAI

filler = 'The meeting began at nine, and nobody had read the report that was sent around the week before. '
texts = [
    'Previously, Mozart was born in Salzburg. Currently, Mozart **was born in Dublin**. Mozart was born in',
    'The capital of France **is Lyon**{2}. So the capital of France is',
    filler*2+'Remember: **the code is 7412**. '+filler*2+'The code is',
    '**Answer in French.** '+filler*3+'What is the capital of Italy? Answer:',
    filler*4+'Mark Twain was **a pilot**{-1} and **a printer**. His job was',
]
malformed = [
    (dict(prompt='no mark'), 'kb'),
    (dict(prompt='**half'), 'seka'),
    (dict(prompt=texts[0]), 'nobody'),
    (dict(prompt=[1, 2, 3]), 'kb'),
    (dict(prompt=texts[1]+'{'), '{"steerer": "kb", "marks": [{"tokens": 3, "ids": "x", "runs": [[0, 9, 1]]}]}'),
]


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def memory(pid):
    "Megabytes of a process and all that it has started"
    found,waiting = 0,[pid]
    while waiting:
        p = waiting.pop()
        try:
            lines = Path(f'/proc/{p}/status').read_text().splitlines()
            found += next(int(line.split()[1]) for line in lines if line.startswith('VmRSS'))
            waiting += map(int, Path(f'/proc/{p}/task/{p}/children').read_text().split())
        except (OSError, StopIteration):
            continue
    return found/1024


class Soak:
    def __init__(self, port, tokens):
        self.client = OpenAI(base_url=f'http://127.0.0.1:{port}/v1', api_key='none', max_retries=0, timeout=600)
        self.name = self.client.models.list().data[0].id
        self.tokens = tokens
        self.alone = {}
        self.counts = Counter()
        self.wrong = []

    def ask(self, text, steerer, **more):
        extra = {'extra_body': {'vllm_xargs': {'seka': steerer}}} if steerer else {}
        how = dict(model=self.name, max_tokens=self.tokens, temperature=0) | extra | more
        return self.client.completions.create(prompt=text, **how)

    def references(self):
        "The answer to each request alone"
        for i,text in enumerate(texts):
            for steerer in (None, 'kb', 'seka'):
                sent = text if steerer else text.replace('**', '')
                self.alone[i,steerer] = sent,self.ask(sent, steerer).choices[0].text

    def note(self, what, right, told=''):
        self.counts[what] += 1
        if not right:
            self.wrong.append((what, told))

    def answered(self, rng):
        (i,steerer),(sent,expected) = rng.choice(list(self.alone.items()))
        said = self.ask(sent, steerer).choices[0].text
        self.note(steerer or 'plain', said==expected, f'{i} {steerer}: {said!r}, alone {expected!r}')

    def refused(self, rng):
        request,steerer = rng.choice(malformed)
        try:
            self.ask(request['prompt'], steerer)
            self.note('malformed', False, f'answered: {request} {steerer}')
        except BadRequestError:
            self.note('malformed', True)

    def cancelled(self, rng):
        (_,steerer),(sent,_) = rng.choice(list(self.alone.items()))
        stream = self.ask(sent, steerer, stream=True, max_tokens=100)
        next(iter(stream))
        stream.close()
        self.note('cancelled', True)

    def one_client(self, seed, until):
        rng = random.Random(seed)
        while time.time()<until:
            act = rng.choices((self.answered, self.refused, self.cancelled), (8, 1, 1))[0]
            try:
                act(rng)
            except Exception as e:
                self.note(act.__name__, False, repr(e)[:300])


def watch(server, until):
    "The server's memory, every few seconds"
    seen = []
    while time.time()<until and server.poll() is None:
        seen.append(memory(server.pid))
        time.sleep(5)
    return seen


def run(port, server, a):
    soak = Soak(port, a.tokens)
    soak.references()
    until = time.time()+60*a.minutes
    threads = [threading.Thread(target=soak.one_client, args=(i, until)) for i in range(a.clients)]
    for t in threads:
        t.start()
    seen = watch(server, until)
    for t in threads:
        t.join()
    third = max(1, len(seen)//3)
    begin,end = max(seen[third:2*third] or seen),max(seen[-third:])
    print(dict(soak.counts), f'{sum(soak.counts.values())/60/a.minutes:.1f} requests a second')
    print(f'memory: {seen[0]:.0f} MB at first, at most {begin:.0f} in the second third and {end:.0f} in the last')
    for what,told in soak.wrong[:10]:
        print('WRONG', what, told)
    soak.references()
    flat = end<=begin*1.02+20
    alive = server.poll() is None
    failed = len(soak.wrong)+(not flat)+(not alive)
    print(f'{sum(soak.counts.values())-len(soak.wrong)} passed, {failed} failed')
    return failed


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('--minutes', type=float, default=15)
    p.add_argument('--clients', type=int, default=16)
    p.add_argument('--tokens', type=int, default=8, help='of each answer')
    a = p.parse_args()
    port = free_port()
    command = [sys.executable, '-c', 'from seka.cli import main; main()', 'serve', '--port', str(port),
               '--steerer', 'kb=key-bias', '--steerer', 'seka=seka', '--host', '127.0.0.1', '--dtype', 'float32',
               '--enforce-eager', '--max-model-len', '512', '--block-size', '32', '--gpu-memory-utilization', '.3']
    with TemporaryDirectory() as d:
        log = Path(d)/'log'
        with open(log, 'w') as out:
            server = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | {'HF_HUB_OFFLINE': '1'})
        try:
            begun = time.time()
            while 'startup complete' not in log.read_text():
                if server.poll() is not None or time.time()-begun>600:
                    sys.exit(log.read_text()[-3000:])
                time.sleep(1)
            return run(port, server, a)
        finally:
            server.terminate()
            server.wait(60)


if __name__=='__main__':
    sys.exit(int(bool(main())))
