"""`seka page` in a real browser: marks with the mouse, reads the answers, and closes on 'N passed, N failed'.

Needs the extra `page`, Playwright's Python client (`pip install playwright`) and a Chromium of the system.
"""
import argparse
import json
import os
import re
import socket
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.request
from ast import literal_eval
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

os.environ['SEKA_DTYPE'] = 'float32'

flags = ('--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking '
         '--disable-component-update --disable-sync').split()
mozart = 'Previously, Mozart was born in Salzburg. Currently, Mozart was born in Dublin. Mozart was born in'
secret = 'Xylophonkonzert'       # typed, and nowhere to be found afterwards

# Where a piece of a text is painted on the mirror behind the text area: its first and its last character
find_text = """([turn, text]) => {
  const mirror = document.querySelectorAll('.sk-mirror')[turn]
  const sheets = document.querySelector('.sk-sheets')
  const nodes = []
  for (let w = document.createTreeWalker(mirror, NodeFilter.SHOW_TEXT), n; (n = w.nextNode());) nodes.push(n)
  const start = nodes.map(n => n.data).join('').indexOf(text)
  const at = place => {
    for (const n of nodes) {
      if (place < n.length) return [n, place]
      place -= n.length
    }
  }
  const box = (from, to) => {
    const range = document.createRange()
    range.setStart(...at(from))
    const [node, place] = at(to - 1)
    range.setEnd(node, place + 1)
    return range.getBoundingClientRect()
  }
  mirror.scrollIntoView({block: 'nearest'})
  sheets.scrollTop += box(start, start + 1).top - sheets.getBoundingClientRect().top - 60
  const points = [box(start, start + 1), box(start + text.length - 1, start + text.length)]
  return points.map(b => ({left: b.left, right: b.right, y: (b.top + b.bottom) / 2}))
}"""


class Page:
    "One open page, and what one does on it"
    def __init__(self, context, url):
        self.tab = context.new_page()
        self.asked = []
        self.errors = []
        self.tab.on('request', lambda r: self.asked.append(r.url))
        self.tab.on('pageerror', lambda e: self.errors.append(str(e)))
        self.tab.on('console', lambda m: self.errors.append(m.text) if m.type=='error' else None)
        self.tab.goto(url)
        self.tab.wait_for_selector('.sk-area')
        self.set_length(10)

    def write(self, text, turn=0):
        "Replace the text of a turn, as one who pastes"
        area = self.tab.locator('.sk-area').nth(turn)
        area.click()
        self.tab.keyboard.press('Control+A')
        self.tab.keyboard.press('Delete')
        self.tab.keyboard.insert_text(text)

    def drag(self, text, turn=0, rtl=False):
        "Select a piece of the text with the mouse"
        first,last = self.tab.evaluate(find_text, [turn, text])
        begin,end = ('right','left') if rtl else ('left','right')
        inward = -1 if rtl else 1
        self.tab.mouse.move(first[begin]+inward, first['y'])
        self.tab.mouse.down()
        self.tab.mouse.move((first[begin]+last[end])/2, (first['y']+last['y'])/2, steps=4)
        self.tab.mouse.move(last[end]-inward, last['y'], steps=4)
        self.tab.mouse.up()

    def mark(self, text, weight=None, **where):
        self.drag(text, **where)
        if weight is None:
            self.tab.click('.sk-marker')
        else:
            self.tab.click(f'[data-weight="{weight}"]')

    def marks(self):
        "(text, weight) of what is painted, overlaps in pieces"
        pieces = self.tab.eval_on_selector_all('.sk-mark', 'all => all.map(m => m.textContent)')
        chips = self.tab.eval_on_selector_all('.sk-chip b', 'all => all.map(m => m.textContent)')
        return pieces,chips

    def set_length(self, tokens):
        self.tab.evaluate("""tokens => {
          const slider = document.querySelector('#sk-length')
          slider.value = tokens
          slider.dispatchEvent(new Event('input', {bubbles: true}))
        }""", tokens)

    def start(self): self.tab.click('#sk-run')

    def finish(self, seconds=60):
        self.tab.wait_for_function("!document.querySelector('#sk-run').disabled", timeout=1000*seconds)

    def wait_for_words(self):
        "Return when an answer has begun"
        begun = "document.querySelector('[data-answer=steered]')?.textContent.length>10"
        self.tab.wait_for_function(begun, timeout=60_000)

    def compare(self, seconds=60):
        self.start()
        self.finish(seconds)
        return self.answers()

    def answers(self):
        return tuple(self.tab.locator(f'[data-answer={n}]').text_content() for n in ('plain','steered'))

    def code(self, n=0): return self.tab.locator('.sk-code pre').nth(n).text_content()
    def note(self): return self.tab.locator('#seka-note').text_content().strip()


def marked_in(code):
    "What the shown Python marks: (text, weight)"
    from seka.spans import parse_marks
    names = {}
    exec(code[code.index('text = '):code.index('prompt = ')], names)
    markers = re.search(r'markers=(.+)\)$', code, re.M)
    text,spans = parse_marks(names['text'], literal_eval(markers[1]) if markers else '**')
    return text,[(text[a:b], w) for a,b,w in spans]


def check_mouse(page, tools):
    "Mark with the mouse, compare, read the answers; the shown Python prints the steered one"
    page.write(mozart)
    page.mark('was born in Dublin')
    assert page.marks()==(['was born in Dublin'], ['1']), page.marks()
    plain,steered = page.compare()
    assert plain.startswith('Salzburg') and steered.startswith('Dublin'), (plain, steered)
    said = StringIO()
    with redirect_stdout(said):
        exec(page.code(), {})
    assert said.getvalue().strip()==steered.strip(), (said.getvalue(), steered)
    words = page.tab.locator('.sk-words').text_content()
    assert '·Dublin' in words and '%' in words, words
    attention = page.tab.locator('.sk-card', has_text='Attention on the marks').locator('small').text_content()
    before,after = map(float, re.findall(r'([\d.]+) %', attention))
    assert 0<before<after<100, attention
    assert 'words copied' in page.tab.locator('.sk-counts').nth(1).text_content()


def check_curl(page, tools):
    "The shown curl sends the marked text (a function stands in for curl)"
    page.write(mozart)
    page.mark('was born in Dublin', 1.5)
    page.compare()
    script = 'curl() { cat; }\n'+page.code(1)
    if 'seka serve does not' in script:
        return
    sent = json.loads(subprocess.run(['bash', '-c', script], capture_output=True, text=True, check=True).stdout)
    assert '**was born in Dublin**{1.5}' in sent['prompt'] and sent['vllm_xargs']=={'seka':'kb'}, sent


def check_weights(page, tools):
    "Weights by click, marks that overlap, removal by click and by keyboard"
    page.write('one two three four five')
    page.mark('two three', 2)
    page.mark('three four', 0.5)
    pieces,weights = page.marks()
    assert pieces==['two ', 'three', ' four'] and weights==['2','0.5'], (pieces, weights)
    page.compare()
    assert marked_in(page.code())[1]==[('two ', 2.), ('three', 1.), (' four', .5)], page.code()
    page.drag('two three')
    assert page.tab.locator('[data-weight="2"]').get_attribute('aria-pressed')=='true'
    page.tab.click('[data-weight="-2"]')
    assert page.marks()[1]==['−2','0.5'], page.marks()
    page.tab.click('.sk-remove')
    assert page.marks()==(['three four'], ['0.5']), page.marks()
    page.tab.click('.sk-chip')
    page.tab.keyboard.press('Alt+ArrowUp')
    assert page.marks()[1]==['1'], page.marks()
    page.tab.keyboard.press('Control+b')
    assert page.marks()==([], []), page.marks()
    page.tab.keyboard.press('Control+b')
    assert page.marks()==(['three four'], ['1']), page.marks()
    page.tab.keyboard.press('Control+Enter')
    page.finish()
    assert marked_in(page.code())[1]==[('three four', 1.)], page.code()


def check_edits(page, tools):
    "Marks move with what is typed before them, and go with what is deleted"
    page.write('It is late, and it is dark.')
    page.mark('late')
    page.mark('dark')
    page.tab.keyboard.press('Control+Home')
    page.tab.keyboard.type('🐈 So. ')
    assert page.marks()[0]==['late','dark'], page.marks()
    page.drag('late, and')
    page.tab.keyboard.type('very')
    assert page.marks()[0]==['dark'], page.marks()
    page.tab.keyboard.press('Control+z')
    page.write('a **b c**{1.5} d **e**')
    page.tab.click('.sk-reader')
    assert page.marks()==(['b c','e'], ['1.5','1']), page.marks()
    assert page.tab.locator('.sk-area').input_value()=='a b c d e'


def check_scripts(page, tools):
    "Newlines, emoji and right-to-left text are marked where the mouse was"
    cases = [('First line\nSecond 🐈‍⬛ line, 👩‍👩‍👧 here\n\nthe end', 'line, 👩‍👩‍👧 here', False),
             ('🎉🎉🎉 party at nine 🎉', 'at nine', False),
             ('القطة تنام على السجادة. الكلب ينام على الكرسي.', 'الكلب ينام', True),
             ('החתול יושב על השטיח. הכלב יושב על הכיסא.', 'הכלב יושב', True),
             ('tabs\tand <b>tags</b> & ${x} {{y}} `z`', '<b>tags</b> & ${x} {{y}}', False)]
    for text,piece,rtl in cases:
        page.write(text)
        page.mark(piece, rtl=rtl)
        page.compare()
        assert not page.note(), page.note()
        assert marked_in(page.code())==(text, [(piece, 1.)]), (page.code(), page.marks())


def check_long(page, tools):
    "10,000 characters, with a mark in the middle of them"
    line = 'The ferry leaves the harbour at noon, and the lighthouse keeper waves to it. '
    text = (line*140)[:5000]+'The code word is apricot. '+(line*140)[:4944]+' The code word is'
    assert 9980<=len(text)<=10_000
    page.write(text)
    page.mark('The code word is apricot.')
    begun = time.time()
    plain,steered = page.compare(120)
    assert steered.strip() and not page.note(), page.note()
    assert page.marks()[0]==['The code word is apricot.'], page.marks()
    return f'{time.time()-begun:.0f} s, {steered[:20]!r}'


def check_refusals(page, tools):
    "Empty, unmarked, too long: a sentence, and the page goes on"
    page.write('')
    page.start()
    page.finish()
    assert 'The prompt is empty' in page.note(), page.note()
    page.write('Nothing here')
    page.start()
    page.finish()
    assert 'Nothing is marked' in page.note(), page.note()
    page.write('word '*4100)
    page.start()
    page.finish()
    assert 'takes 20,000' in page.note(), page.note()
    page.write(mozart)
    page.mark('Dublin')
    page.compare()
    assert not page.note(), page.note()


def check_stop(page, tools):
    "The stop button ends both answers within a moment, and what is there stays"
    page.write('Once upon a time there was a cat. The cat')
    page.mark('a cat')
    page.set_length(200)
    page.start()
    page.wait_for_words()
    begun = time.time()
    page.tab.click('#sk-stop')
    page.finish()
    took = time.time()-begun
    words = [len(a.split()) for a in page.answers()]
    assert took<3 and min(words)>1 and max(words)<120, (took, words)
    assert page.tab.locator('.sk-counts').count()==2


def check_two(page, tools):
    "Two browsers at once get each its own answers, the same as alone"
    other = tools.open()
    texts = {page: (mozart, 'was born in Dublin'),
             other: ('The mother tongue of Danielle Darrieux is French. Now it is English. She speaks', 'is English')}
    alone = {}
    for p,(text,piece) in texts.items():
        p.write(text)
        p.mark(piece)
        p.set_length(20)
        alone[p] = p.compare()
    for p in texts:
        p.start()
    for p in texts:
        p.finish()
        assert p.answers()==alone[p], (p.answers(), alone[p])
    assert alone[page]!=alone[other]


def check_chat(page, tools):
    "Turns with roles; a chat pasted as JSON; the shown Python gives the same answer"
    page.tab.click('[data-mode=chat]')
    messages = [dict(role='system', content='Answer with one word.'),
                dict(role='user', content='The cat is on the roof.\nThe dog is in the "garden". Where is the dog? 🐕')]
    page.tab.evaluate("""text => {
      const data = new DataTransfer()
      data.setData('text/plain', text)
      document.querySelector('.sk-area').dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true,
        cancelable: true}))
    }""", json.dumps(messages))
    assert page.tab.locator('.sk-area').count()==2
    page.mark('one word', 1.5, turn=0)
    page.mark('in the "garden"', turn=1)
    plain,steered = page.compare()
    assert not page.note(), page.note()
    said = StringIO()
    with redirect_stdout(said):
        exec(page.code(), {})
    assert said.getvalue().strip()==steered.strip() and steered.strip(), (said.getvalue(), steered)
    page.tab.click('text=+ assistant')
    assert page.tab.locator('.sk-area').count()==3
    page.start()
    page.finish()
    assert 'Turn 3 (assistant) is empty' in page.note(), page.note()


def check_methods(page, tools):
    "Every method on offer answers, with its dial turned up to the end"
    page.write(mozart)
    page.mark('was born in Dublin')
    names = page.tab.eval_on_selector_all('#sk-method option', 'all => all.map(o => o.value)')
    assert {'seka','key-bias','adaseka','pasta','spa'} <= set(names), names
    for name in names:
        page.tab.select_option('#sk-method', name)
        page.tab.focus('#sk-dial')
        page.tab.keyboard.press('End')
        page.compare()
        note = page.note()
        assert not note or 'turn the dial down' in note, (name, note)
        shown = page.tab.locator('.sk-card', has_text='Steered').locator('small').first.text_content()
        assert shown.startswith(name), (name, shown)
    return f'{len(names)} methods'


def check_small_and_dark(page, tools):
    "No sideways scrolling at 375 pixels; text that can be read in the dark; every control has a name"
    dark = tools.open(viewport=dict(width=375, height=700), color_scheme='dark')
    dark.compare()
    page.compare()
    widest = dark.tab.evaluate('document.documentElement.scrollWidth')
    assert widest==375, widest
    contrast = """name => {
      const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => { v /= 255;
        return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 }); return .2126 * r + .7152 * g + .0722 * b }
      let node = document.querySelector(name), back = node
      while (/rgba\\(.*, 0\\)|transparent/.test(getComputedStyle(back).backgroundColor)) back = back.parentElement
      const pair = [getComputedStyle(node).color, getComputedStyle(back).backgroundColor].map(light)
      return (Math.max(...pair) + .05) / (Math.min(...pair) + .05)
    }"""
    for p in (page, dark):
        for name in '.sk-area|.sk-answer|.sk-counts|.sk-foot p|.sk-code pre|.sk-head p|.sk-link|.sk-run'.split('|'):
            ratio = p.tab.evaluate(contrast, name)
            assert ratio>=4.5, (name, ratio)
    nameless = dark.tab.evaluate("""[...document.querySelectorAll('button, select, input, textarea')].filter(n => {
      const named = n.textContent.trim() || n.getAttribute('aria-label') || n.labels && n.labels.length
      return n.offsetParent && !named
    }).map(n => n.outerHTML)""")
    assert not nameless, nameless
    dark.tab.keyboard.press('Tab')
    outline = dark.tab.evaluate('getComputedStyle(document.activeElement).outlineStyle')
    assert outline!='none', outline


def check_offline(page, tools):
    "Nothing but the page's own server was asked, and the browser found no error"
    for p in tools.pages:
        away = [u for u in p.asked if not u.startswith((tools.url, 'data:', 'blob:'))]
        assert not away, away
        assert not p.errors, p.errors
    with urllib.request.urlopen(tools.url) as r:
        assert "default-src 'self'" in r.headers['content-security-policy']


def busy(pid):
    "Seconds of processor time that a process has used"
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(') ')[2].split()
    return (int(fields[11])+int(fields[12]))/os.sysconf('SC_CLK_TCK')


def check_leaving(page, tools):
    "Who closes the browser in the middle of an answer leaves no work behind"
    if not Path('/proc').is_dir():
        return 'not here'
    leaver = tools.open()
    leaver.write('Once upon a time there was a dog. The dog')
    leaver.mark('a dog')
    leaver.set_length(200)
    leaver.start()
    leaver.wait_for_words()
    leaver.tab.close()
    time.sleep(2)
    before = busy(tools.process.pid)
    time.sleep(1.5)
    used = busy(tools.process.pid)-before
    assert used<.4, f'{used:.1f} s of work in 1.5 s after the browser was closed'


def check_nothing_kept(page, tools):
    "What was typed is in no log and no file of the server"
    page.write(f'The {secret} begins at nine. It begins at')
    page.mark(secret)
    page.compare()
    assert secret in page.code()
    page.write(secret)
    page.start()
    page.finish()
    tools.log.flush()
    assert secret not in Path(tools.log.name).read_text()
    kept = [f for f in Path(tools.folder).rglob('*') if f.is_file() and secret.encode() in f.read_bytes()]
    assert not kept, kept


class Tools:
    "A server and a browser"
    def __init__(self, browser, process, url, log, folder):
        self.browser = browser
        self.process = process
        self.url = url
        self.log = log
        self.folder = folder
        self.pages = []

    def open(self, **settings):
        page = Page(self.browser.new_context(**{'viewport': dict(width=1180, height=900), **settings}), self.url)
        self.pages.append(page)
        return page


@contextmanager
def served(folder):
    "`seka page` in a process of its own, on a free port"
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    url = f'http://127.0.0.1:{port}/'
    environment = dict(os.environ, GRADIO_TEMP_DIR=folder, TMPDIR=folder, PYTHONUNBUFFERED='1')
    command = [sys.executable, '-c', 'from seka.cli import main; main()', 'page', '--port', str(port)]
    with open(Path(folder)/'log', 'w') as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(url, process, log)
            yield process,url,log
        finally:
            process.terminate()
            process.wait(20)


def wait_for(url, process, log, seconds=180):
    "Return when a server answers"
    for _ in range(2*seconds):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(.5)
    raise RuntimeError('The page did not start:\n'+Path(log.name).read_text()[-3000:])


def run(checks, tools):
    "(passed, failed) of some checks, each on a page of its own"
    failed = 0
    for check in checks:
        begun = time.time()
        name = check.__name__.removeprefix('check_').replace('_', ' ')
        page = tools.open()
        try:
            more = check(page, tools)
            print(f'ok   {name} ({time.time()-begun:.1f} s){": "+more if more else ""}', flush=True)
        except Exception:
            failed += 1
            print(f'FAIL {name}: {check.__doc__}\n{traceback.format_exc()}', flush=True)
            page.tab.screenshot(path=f'{tools.folder}/{name}.png', full_page=True)
        page.tab.close()
    return len(checks)-failed,failed


def screenshot(tools, file):
    "The page after a comparison, down to what the model read"
    page = tools.open(viewport=dict(width=1080, height=900))
    page.set_length(30)
    page.compare()
    page.tab.evaluate('document.activeElement.blur()')
    page.tab.mouse.move(0, 0)
    page.tab.wait_for_timeout(300)
    end = page.tab.locator('#seka-reading').bounding_box()
    clip = dict(x=0, y=0, width=1080, height=end['y']+end['height']+20)
    page.tab.screenshot(path=file, full_page=True, clip=clip)
    page.tab.close()


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('--chromium', default=which('chromium') or '/usr/bin/chromium', help='the browser')
    p.add_argument('--only', default='', help='names of checks, with commas between')
    p.add_argument('--screenshot', help='write the picture for the README too')
    a = p.parse_args()
    every = [o for name,o in globals().items() if name.startswith('check_')]
    checks = [c for c in every if not a.only or c.__name__.removeprefix('check_') in a.only.split(',')]
    with TemporaryDirectory() as folder, served(folder) as (process,url,log), sync_playwright() as play:
        options = [*flags, f'--crash-dumps-dir={folder}']
        browser = play.chromium.launch(executable_path=a.chromium, args=options)
        tools = Tools(browser, process, url, log, folder)
        passed,failed = run(checks, tools)
        if a.screenshot:
            screenshot(tools, a.screenshot)
        browser.close()
    print(f'{passed} passed, {failed} failed')
    return int(failed>0 or passed==0)


if __name__=='__main__':
    sys.exit(main())
