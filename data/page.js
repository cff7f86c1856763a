// The desk of `seka page`: where a prompt is written, marked and sent. Runs as the body of a function that Gradio calls
// with `element` (an empty box), `props` (methods, examples, limit, value), `trigger` and `watch`.
// Offsets of marks are those of JavaScript, in UTF-16 code units; seka.page turns them into characters.
const weights = [-2, -1, -0.5, 0.5, 1, 1.5, 2, 3]
const roles = ['system', 'user', 'assistant']
const apple = navigator.platform.startsWith('Mac') || navigator.platform.startsWith('iP')
const keys = apple ? {mark: '⌘B', run: '⌘↵', turn: '⌥↑ ⌥↓'} : {mark: 'Ctrl+B', run: 'Ctrl+Enter', turn: 'Alt+↑ Alt+↓'}

function make(tag, settings = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(settings)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value)
    else if (value !== false && value != null) node.setAttribute(name, value === true ? '' : value)
  }
  node.append(...children)
  return node
}

const shown = weight => String(weight).replace('-', '−')
const number = value => String(Number(Number(value).toPrecision(4)))

// ---- what is written -------------------------------------------------------------------------------------------------
const copy = value => JSON.parse(JSON.stringify(value))
const empty = role => ({role, text: '', marks: []})
const drafts = {text: [empty('user')], chat: [empty('user')]}
const settings = {method: '', dials: {}, length: 40}
let mode = 'text'
let busy = false
let run = ''
let at = {turn: 0, start: 0, end: 0}              // the selection in the turn that was last in use

const turns = () => drafts[mode]
const method = () => props.methods.find(m => m.name === settings.method) || props.methods[0]

function publish() {
  const m = method()
  const value = {chat: mode === 'chat', turns: turns(), method: m && m.name, dial: m && settings.dials[m.name],
                 length: settings.length, run}
  props.value = JSON.stringify(value)
}

// Marks after an edit that made `now` out of `old`: what stands before it stays, what stands behind it moves along, what
// was taken away is no longer marked. Text typed at the edge of a mark does not belong to it.
function moved(marks, old, now, caret) {
  const most = Math.min(old.length, now.length)
  const grown = now.length - old.length
  let a = 0
  while (a < most && old[a] === now[a]) a++
  a = Math.min(a, Math.max(0, caret - Math.max(0, grown)))
  let b = 0
  while (b < most - a && old[old.length - 1 - b] === now[now.length - 1 - b]) b++
  const end = old.length - b
  const left = place => place < end || place === a && a < end ? now.length - b : place + grown
  return marks.flatMap(m => {
    const start = m.start < a ? m.start : left(m.start)
    const stop = m.end <= a ? m.end : m.end < end ? a : m.end + grown
    return start < stop ? [{...m, start, end: stop}] : []
  })
}

// Disjoint pieces of a text, each with the marks that cover it
function pieces(turn) {
  const edges = new Set([0, turn.text.length])
  for (const m of turn.marks) edges.add(m.start).add(m.end)
  const cuts = [...edges].sort((a, b) => a - b)
  return cuts.slice(1).map((end, i) => {
    const over = turn.marks.filter(m => m.start <= cuts[i] && m.end >= end)
    return {start: cuts[i], end, over, weight: over.reduce((product, m) => product * m.weight, 1)}
  })
}

// ---- marks -----------------------------------------------------------------------------------------------------------
function selection() {
  const {text} = turns()[at.turn]
  let {start, end} = at
  while (start < end && /\s/.test(text[start])) start++
  while (end > start && /\s/.test(text[end - 1])) end--
  return {start, end}
}

// The mark that is meant: the one that is selected, or the smallest around the caret
function current() {
  const {start, end} = selection()
  const around = turns()[at.turn].marks.filter(m => start === end ? m.start <= start && end <= m.end
                                                                   : m.start === start && m.end === end)
  return around.sort((a, b) => (a.end - a.start) - (b.end - b.start))[0]
}

function mark(weight) {
  const turn = turns()[at.turn]
  const known = current()
  const {start, end} = selection()
  if (known) known.weight = weight
  else if (start === end) return say('Select some words first.')
  else {
    turn.marks.push({start, end, weight})
    areas()[at.turn].setSelectionRange(end, end)        // so that the next mark can begin inside this one
    at = {turn: at.turn, start: end, end}
  }
  say('“' + excerpt(turn.text.slice((known || {start}).start, (known || {end}).end)) + '” has weight ' + shown(weight) + '.')
  changed()
}

function unmark() {
  const turn = turns()[at.turn]
  const {start, end} = selection()
  const known = current()
  const gone = known ? [known] : turn.marks.filter(m => m.start < end && start < m.end)
  turn.marks = turn.marks.filter(m => !gone.includes(m))
  say(gone.length ? 'Mark removed.' : 'There is no mark here.')
  changed()
}

function step(by) {
  const known = current()
  if (!known) return
  const i = weights.indexOf(known.weight) + by
  if (weights[i] !== undefined) mark(weights[i])
}

const toggle = () => current() ? unmark() : mark(1)

const excerpt = text => {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 32 ? line.slice(0, 30).trimEnd() + '…' : line
}

// **marks** in a pasted text, with a weight in braces
const written = /\*\*(?!\s)((?:(?!\*\*)[^])+?)\*\*(?:\{([-+]?(?:\d+\.?\d*|\.\d+))\})?/

function readMarks() {
  const turn = turns()[at.turn]
  for (let m; (m = written.exec(turn.text));) {
    const now = turn.text.slice(0, m.index) + m[1] + turn.text.slice(m.index + m[0].length)
    turn.marks = turn.marks.flatMap(o => moved([o], turn.text, now, m.index + m[1].length))
    turn.text = now
    turn.marks.push({start: m.index, end: m.index + m[1].length, weight: m[2] ? Number(m[2]) : 1})
  }
  at = {turn: at.turn, start: 0, end: 0}
  draw()
}

// ---- what one sees ---------------------------------------------------------------------------------------------------
const hold = {onmousedown: e => e.preventDefault()}          // a click on a tool leaves the selection where it is
const tool = (label, act, more = {}) => make('button', {type: 'button', class: 'sk-tool', onclick: act, ...hold, ...more}, label)

const status = make('p', {class: 'sk-status', role: 'status', 'aria-live': 'polite'})
const say = text => { status.textContent = text }

const modes = ['text', 'chat'].map(name => tool(name === 'text' ? 'Text' : 'Chat', () => enter(name), {'data-mode': name}))
const marker = tool('Mark', toggle, {class: 'sk-tool sk-marker', title: 'Mark or unmark (' + keys.mark + ')', 'aria-keyshortcuts': 'Control+B Meta+B'})
const scale = weights.map(w => tool(shown(w), () => mark(w), {class: 'sk-tool sk-weight', 'data-weight': w,
                                    'aria-label': 'weight ' + shown(w)}))
const remover = tool('Remove', unmark, {class: 'sk-tool sk-remove'})
const reader = tool('Read ** as marks', readMarks, {class: 'sk-link sk-reader'})
const sheets = make('div', {class: 'sk-sheets'})
const adder = make('div', {class: 'sk-adder'}, ...roles.map(role => tool('+ ' + role, () => add(role), {class: 'sk-link'})))
const list = make('ul', {class: 'sk-list', 'aria-label': 'Marks'})
const counter = make('span', {class: 'sk-counter'})

const picker = make('select', {id: 'sk-method', onchange: e => { settings.method = e.target.value; dialled(); publish() }})
const about = make('p', {class: 'sk-about', id: 'sk-about'})
const dial = make('input', {type: 'range', id: 'sk-dial', min: 0, step: 1, oninput: turnDial})
const dialName = make('label', {for: 'sk-dial'})
const dialField = make('div', {class: 'sk-field'})
const dialValue = make('output', {for: 'sk-dial', class: 'sk-value'})
const length = make('input', {type: 'range', id: 'sk-length', min: 10, max: 200, step: 10, value: settings.length,
                              oninput: e => { settings.length = Number(e.target.value); measured(); publish() }})
const lengthValue = make('output', {for: 'sk-length', class: 'sk-value'})
const runner = make('button', {type: 'button', class: 'sk-run', id: 'sk-run', onclick: go, title: 'Compare (' + keys.run + ')'}, 'Compare')
const stopper = make('button', {type: 'button', class: 'sk-stop', id: 'sk-stop', onclick: halt}, 'Stop')

element.append(make('section', {class: 'sk-desk', 'aria-label': 'Prompt'},
  make('div', {class: 'sk-bar'},
    make('div', {class: 'sk-group sk-modes', role: 'group', 'aria-label': 'Kind of prompt'}, ...modes),
    make('div', {class: 'sk-group sk-marks', role: 'group', 'aria-label': 'Mark the selection'}, marker, ...scale, remover)),
  sheets,
  make('div', {class: 'sk-under'}, adder, reader, counter),
  list,
  make('div', {class: 'sk-examples'}, make('span', {}, 'Try'),
    ...(props.examples || []).map((e, i) => tool(e.name, () => take(i), {class: 'sk-link', 'data-example': i}))),
  make('div', {class: 'sk-controls'},
    make('div', {class: 'sk-field'}, make('label', {for: 'sk-method'}, 'Method'), picker),
    dialField,
    make('div', {class: 'sk-field'}, make('div', {class: 'sk-row'}, make('label', {for: 'sk-length'}, 'Length'), lengthValue), length),
    make('div', {class: 'sk-buttons'}, runner, stopper)),
  make('div', {class: 'sk-foot'}, about, status),
  make('p', {class: 'sk-hidden', id: 'sk-hint'}, 'Select words and press ' + keys.mark + ' to mark them. With the caret in a mark, ' +
    keys.turn + ' changes its weight. ' + keys.run + ' compares.')))

dialField.append(make('div', {class: 'sk-row'}, dialName, dialValue), dial)

// One turn: a text area over a mirror of its text, in which the marks are painted
function sheet(turn, i) {
  const mirror = make('div', {class: 'sk-mirror', 'aria-hidden': 'true', dir: 'auto'})
  const name = mode === 'text' ? 'Prompt' : turn.role + ' turn'
  const area = make('textarea', {class: 'sk-area', dir: 'auto', rows: 1, spellcheck: 'false', 'aria-label': name,
                                 'aria-describedby': 'sk-hint', placeholder: placeholder(turn),
                                 oninput: () => typed(i), onpaste: e => pasted(e, i), onkeydown: shortcut})
  area.value = turn.text
  const note = () => noted(i)
  for (const event of ['select', 'keyup', 'mouseup', 'focus', 'input']) area.addEventListener(event, note)
  const box = make('div', {class: 'sk-sheet'}, make('div', {class: 'sk-paper'}, mirror, area))
  if (mode === 'chat') box.prepend(make('div', {class: 'sk-turn'},
    make('select', {'aria-label': 'Role of turn ' + (i + 1), onchange: e => { turn.role = e.target.value; publish() }},
      ...roles.map(role => make('option', {value: role, selected: role === turn.role}, role))),
    turns().length > 1 ? tool('Remove turn', () => drop(i), {class: 'sk-link'}) : ''))
  return box
}

const placeholder = turn => mode === 'text' ? 'Type or paste a prompt, select what matters, and press Mark (' + keys.mark + ').'
                                            : 'What the ' + turn.role + ' says'
const areas = () => [...sheets.querySelectorAll('textarea')]

function paint(i) {
  const turn = turns()[i]
  const mirror = sheets.querySelectorAll('.sk-mirror')[i]
  const known = at.turn === i ? current() : undefined
  const nodes = pieces(turn).flatMap(({start, end, over, weight}) => {
    const text = turn.text.slice(start, end)
    if (!over.length) return [text]
    const depth = (0.22 + 0.13 * Math.min(3, Math.abs(weight))).toFixed(2)
    const kind = weight < 0 ? ' sk-less' : ''
    const now = over.includes(known) ? ' sk-now' : ''
    const span = make('span', {class: 'sk-mark' + kind + now, style: '--depth:' + depth}, text)
    const badge = make('i', {class: 'sk-badge' + kind, 'data-weight': shown(number(weight))})
    return over.some(m => m.end === end) ? [span, badge] : [span]
  })
  mirror.replaceChildren(...nodes, '\u200b')
}

function listed() {
  const items = turns().flatMap((turn, i) => turn.marks.map(m => ({...m, i, text: turn.text.slice(m.start, m.end)})))
  list.replaceChildren(...items.map(m => make('li', {}, tool('', () => show(m), {class: 'sk-chip' + (m.weight < 0 ? ' sk-less' : ''),
    'aria-label': 'Mark ' + excerpt(m.text) + ', weight ' + shown(m.weight)}))))
  list.querySelectorAll('button').forEach((button, n) =>
    button.append(make('bdi', {}, excerpt(items[n].text)), make('b', {}, shown(items[n].weight))))
}

function tools() {
  const known = current()
  const {start, end} = selection()
  const over = turns()[at.turn].marks.some(m => m.start < end && start < m.end)
  marker.textContent = known ? 'Unmark' : 'Mark'
  marker.disabled = !known && start === end
  remover.disabled = !known && !over
  scale.forEach(button => {
    button.disabled = !known && start === end
    button.setAttribute('aria-pressed', Boolean(known) && Number(button.dataset.weight) === known.weight)
  })
  reader.hidden = !written.test(turns()[at.turn].text)
  const size = turns().reduce((sum, turn) => sum + turn.text.length, 0)
  counter.textContent = size > 1000 ? size.toLocaleString('en') + ' of ' + props.limit.toLocaleString('en') + ' characters' : ''
  counter.classList.toggle('sk-much', size > props.limit)
}

function changed() {
  turns().forEach((_, i) => paint(i))
  listed()
  tools()
  publish()
}

function draw() {
  modes.forEach(button => button.setAttribute('aria-pressed', button.dataset.mode === mode))
  adder.hidden = mode === 'text'
  sheets.replaceChildren(...turns().map(sheet))
  changed()
}

function dialled() {
  const m = method()
  if (!m) return
  picker.value = m.name
  about.textContent = m.about
  dial.max = m.stops.length - 1
  const value = settings.dials[m.name]
  dial.value = m.stops.reduce((best, stop, i) => Math.abs(stop - value) < Math.abs(m.stops[best] - value) ? i : best, 0)
  dialName.textContent = m.dial.length > 2 ? m.dial[0].toUpperCase() + m.dial.slice(1) : m.dial
  dialField.hidden = !m.stops.length
  dialValue.textContent = number(value)
  dial.setAttribute('aria-valuetext', m.dial + ' ' + number(value))
}

function measured() { lengthValue.textContent = settings.length + ' tokens' }

// ---- what one does ---------------------------------------------------------------------------------------------------
function noted(i) {
  const area = areas()[i]
  if (!area) return
  const before = at.turn
  at = {turn: i, start: area.selectionStart, end: area.selectionEnd}
  paint(i)
  if (before !== i && before < turns().length) paint(before)
  tools()
}

function typed(i) {
  const turn = turns()[i]
  const area = areas()[i]
  turn.marks = moved(turn.marks, turn.text, area.value, area.selectionStart)
  turn.text = area.value
  noted(i)
  listed()
  publish()
}

// A chat pasted as JSON, as programs have it, becomes turns
function pasted(event, i) {
  let messages
  try { messages = JSON.parse(event.clipboardData.getData('text/plain')) } catch { return }
  if (messages && Array.isArray(messages.messages)) messages = messages.messages
  const fits = Array.isArray(messages) && messages.length &&
    messages.every(m => m && roles.includes(m.role) && typeof m.content === 'string')
  if (!fits) return
  event.preventDefault()
  drafts.chat = messages.map(m => ({role: m.role, text: m.content.replace(/\r\n?/g, '\n'), marks: []}))
  enter('chat')
  say(messages.length + ' turns pasted.')
}

function shortcut(event) {
  const command = event.ctrlKey || event.metaKey
  if (command && !event.shiftKey && event.key.toLowerCase() === 'b') { event.preventDefault(); toggle() }
  else if (command && event.key === 'Enter') { event.preventDefault(); go() }
  else if (event.altKey && current() && event.key === 'ArrowUp') { event.preventDefault(); step(1) }
  else if (event.altKey && current() && event.key === 'ArrowDown') { event.preventDefault(); step(-1) }
}

function enter(name) {
  mode = name
  at = {turn: 0, start: 0, end: 0}
  draw()
}

function add(role) {
  if (role === 'system') turns().unshift(empty(role))
  else turns().push(empty(role))
  draw()
  areas()[role === 'system' ? 0 : turns().length - 1].focus()
}

function drop(i) {
  turns().splice(i, 1)
  at = {turn: 0, start: 0, end: 0}
  draw()
}

function show(m) {
  const area = areas()[m.i]
  area.focus()
  area.setSelectionRange(m.start, m.end)
  noted(m.i)
}

function take(i) {
  const example = copy(props.examples[i])
  drafts[example.chat ? 'chat' : 'text'] = example.turns
  enter(example.chat ? 'chat' : 'text')
}

function turnDial() {
  const m = method()
  settings.dials[m.name] = m.stops[dial.value]
  dialled()
  publish()
}

function working(now) {
  busy = now
  runner.disabled = busy
  stopper.disabled = !busy
  runner.textContent = busy ? 'Comparing…' : 'Compare'
}

function go() {
  if (busy) return
  run = Math.random().toString(16).slice(2) + Math.random().toString(16).slice(2)
  working(true)
  say('Waiting for the model…')
  publish()
  trigger('submit')
}

function halt() {
  stopper.disabled = true
  trigger('stop')
}

document.addEventListener('seka:done', () => {
  working(false)
  say('Done.')
})

// Copy buttons of the code below the desk
document.addEventListener('click', async event => {
  const button = event.target.closest && event.target.closest('.sk-copy')
  if (!button) return
  const text = button.closest('.sk-code').querySelector('pre').textContent
  const away = make('textarea', {style: 'position:fixed;opacity:0'})
  try { await navigator.clipboard.writeText(text) } catch {
    away.value = text
    document.body.append(away)
    away.select()
    document.execCommand('copy')
    away.remove()
  }
  button.textContent = 'Copied'
  setTimeout(() => { button.textContent = 'Copy' }, 1500)
})

for (const m of props.methods) {
  picker.append(make('option', {value: m.name}, m.name))
  settings.dials[m.name] = m.start
}
settings.method = props.chosen
dialled()
measured()
working(false)
say('Select words, then press Mark (' + keys.mark + ').')
if ((props.examples || []).length) take(0)
else draw()
