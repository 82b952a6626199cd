// The page: what is drawn goes to the program that served it, and what comes back is shown. Nothing else is asked.
'use strict';

const $ = id => document.getElementById(id);
const SIDE = 320; // pixels of the drawing
const PEN = 22; // width of a stroke
const STEPS = { small: 2, large: 10 }; // of the pen, by keyboard
const LATER_MS = 150; // rest after which maps and distortions follow
const AGAIN_MS = 400; // wait when the program is busy

const canvas = $('canvas');
const paper = canvas.getContext('2d', { willReadFrequently: true });
const percent = share => `${(100 * share).toFixed(2)}\u00a0%`;
const named = width => (width === 'original' ? 'original' : `width ${width}`);

let study; // what /api/study says
let shown; // the last answer of /api/classify
let chosen; // the column whose maps are shown
let seed = 1;

// ---- What is drawn: states one upon the other, so that undo is a pop. A picture replaces strokes, and a stroke a picture.

const EMPTY = { strokes: [], picture: null };
let states = [EMPTY];
const state = () => states[states.length - 1];

function push(next) {
  states.push(next);
  changed();
}

function changed() {
  draw();
  const isEmpty = state().strokes.length === 0 && !state().picture;
  $('undo').disabled = states.length === 1;
  $('clear').disabled = isEmpty;
  if (isEmpty) forget();
  else ask.wanted();
}

function draw() {
  const { strokes, picture } = state();
  $('paper').classList.toggle('drawn', !picture);
  paper.fillStyle = '#fff';
  paper.fillRect(0, 0, SIDE, SIDE);
  if (picture && picture.bitmap) {
    const { width, height } = picture.bitmap;
    const scale = Math.min(SIDE / width, SIDE / height);
    const [w, h] = [width * scale, height * scale];
    paper.drawImage(picture.bitmap, (SIDE - w) / 2, (SIDE - h) / 2, w, h);
  }
  paper.strokeStyle = paper.fillStyle = '#000';
  paper.lineWidth = PEN;
  paper.lineCap = paper.lineJoin = 'round';
  for (const points of strokes) {
    paper.beginPath();
    paper.arc(...points[0], PEN / 2, 0, 2 * Math.PI); // a line without length would be nothing
    paper.fill();
    paper.beginPath();
    points.forEach(point => paper.lineTo(...point));
    paper.stroke();
  }
}

function start(point) {
  const strokes = state().picture ? [] : state().strokes;
  push({ strokes: [...strokes, [point]], picture: null });
}

function extend(points) {
  const { strokes } = state();
  strokes[strokes.length - 1].push(...points);
  changed();
}

function undo() {
  if (states.length > 1) states.pop();
  lift();
  changed();
}

function clear() {
  if (state() === EMPTY) return;
  lift();
  push(EMPTY);
}

// ---- Mouse, pen, finger

let pointer = null;

function at(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) * SIDE / box.width, (event.clientY - box.top) * SIDE / box.height];
}

canvas.addEventListener('pointerdown', event => {
  if (pointer !== null || event.button !== 0) return;
  pointer = event.pointerId;
  canvas.setPointerCapture(pointer);
  lift();
  start(at(event));
});
canvas.addEventListener('pointermove', event => {
  if (event.pointerId !== pointer) return;
  const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  extend((events.length ? events : [event]).map(at));
});
for (const end of ['pointerup', 'pointercancel']) {
  canvas.addEventListener(end, event => {
    if (event.pointerId === pointer) pointer = null;
  });
}

// ---- Keyboard

let pen = [SIDE / 2, SIDE / 4];
let isDown = false;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function showPen() {
  const style = $('pen').style;
  [style.left, style.top] = pen.map(value => `${100 * value / SIDE}%`);
  $('pen').classList.toggle('down', isDown);
}

function lift() {
  isDown = false;
  showPen();
}

canvas.addEventListener('focus', () => {
  $('pen').hidden = !canvas.matches(':focus-visible');
  showPen();
});
canvas.addEventListener('blur', () => {
  $('pen').hidden = true;
  lift();
});
canvas.addEventListener('keydown', event => {
  if (event.altKey) return;
  const move = MOVES[event.key];
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z') undo();
  else if (event.ctrlKey || event.metaKey) return;
  else if (move) {
    const step = event.shiftKey ? STEPS.small : STEPS.large;
    pen = pen.map((value, axis) => Math.min(SIDE, Math.max(0, value + step * move[axis])));
    if (isDown) extend([[...pen]]);
  } else if (event.key === ' ') {
    isDown = !isDown;
    $('pen-state').textContent = isDown ? 'The pen is down.' : 'The pen is up.';
    if (isDown) start([...pen]);
  } else if (event.key === 'Delete' || event.key === 'Backspace') clear();
  else return;
  event.preventDefault();
  $('pen').hidden = false;
  showPen();
});
$('undo').addEventListener('click', undo);
$('clear').addEventListener('click', clear);

// ---- Images

async function take(file) {
  if (!file) return;
  if (study && file.size > study.max_bytes) {
    return say(`${file.name}: larger than ${Math.floor(study.max_bytes / 2 ** 20)} MiB`);
  }
  // Some images the program can read and this browser cannot: they are sent, and not shown.
  const bitmap = await createImageBitmap(file).catch(() => null);
  push({ strokes: [], picture: { file, bitmap } });
}

$('choose').addEventListener('click', () => $('file').click());
$('file').addEventListener('change', () => {
  take($('file').files[0]);
  $('file').value = '';
});
document.addEventListener('dragover', event => {
  event.preventDefault();
  $('paper').classList.add('over');
});
document.addEventListener('dragleave', () => $('paper').classList.remove('over'));
document.addEventListener('drop', event => {
  event.preventDefault();
  $('paper').classList.remove('over');
  take(event.dataTransfer.files[0]);
});

// ---- Asking: of each kind one request at a time, and the newest wish only. The part of the page that waits is marked as busy.

function asker(region, work) {
  let isBusy = false;
  let isWanted = false;
  async function run() {
    isBusy = true;
    region.setAttribute('aria-busy', 'true');
    while (isWanted) {
      isWanted = false;
      try {
        await work();
      } catch (error) {
        if (error.isBusy) {
          isWanted = true;
          await new Promise(done => setTimeout(done, AGAIN_MS));
        } else say(error.message);
      }
    }
    isBusy = false;
    region.setAttribute('aria-busy', 'false');
  }
  return {
    wanted() {
      isWanted = true;
      if (!isBusy) run();
    },
  };
}

async function fetched(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error('The program does not answer: is it still running?');
  }
  const answer = await response.json();
  if (response.ok) return { answer, response };
  const error = new Error(answer.error);
  error.isBusy = response.status === 429 || response.status === 503;
  throw error;
}

const post = (path, query, body) => fetched(`${path}?${new URLSearchParams(query)}`, { method: 'POST', body });

const ask = asker($('answer'), async () => {
  const asked = state();
  const picture = asked.picture;
  const body = picture ? picture.file : await new Promise(done => canvas.toBlob(done, 'image/png'));
  const name = picture ? picture.file.name : 'drawing';
  try {
    const { answer, response } = await post('api/classify', { name }, body);
    if (state() === EMPTY) return;
    shown = answer;
    showAnswer(response.headers.get('Server-Timing'));
  } catch (error) {
    if (!error.isBusy && state() === asked) forget(error.message);
    else throw error;
    return;
  }
  later();
});

let timer;
function later() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    askMaps.wanted();
    askDistorted.wanted();
  }, LATER_MS);
}

const askMaps = asker($('maps'), async () => {
  if (!shown || !chosen) return;
  const { answer } = await post('api/maps', { column: chosen }, new Uint8Array(shown.pixels));
  if (shown) showMaps(answer);
});

const askDistorted = asker($('distorted'), async () => {
  if (!shown) return;
  const wish = { sigma: $('sigma').value, strength: $('strength').value, seed };
  const { answer } = await post('api/distort', wish, new Uint8Array(shown.pixels));
  if (shown) showDistorted(answer);
});

// ---- Showing

function element(tag, parent, text) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function say(sentence) {
  if ($('sentence').textContent !== sentence) $('sentence').textContent = sentence;
}

/** Nothing is shown any more. */
function forget(sentence = 'Nothing is drawn yet.') {
  shown = undefined;
  clearTimeout(timer);
  $('digit').textContent = '–';
  $('digit').classList.remove('unclear');
  say(sentence);
  showProbabilities(Array(10).fill(0), -1);
  $('time').textContent = '';
  for (const item of $('widths').children) {
    const of = item.querySelector('canvas');
    of.getContext('2d').clearRect(0, 0, of.width, of.height);
    item.querySelector('.vote').replaceChildren();
    item.classList.remove('other');
  }
  for (const cell of $('columns').querySelectorAll('button')) {
    cell.textContent = '–';
    cell.className = '';
    cell.style.backgroundColor = '';
    cell.setAttribute('aria-label', `Column ${cell.dataset.column}`);
  }
  $('maps').replaceChildren();
  $('distorted').replaceChildren();
  $('distorted-sentence').textContent = '';
}

function showAnswer(timing) {
  const { committee, clear, unclear, widths, name } = shown.image;
  $('digit').textContent = committee.digit;
  $('digit').classList.toggle('unclear', !clear);
  const votes = `${committee.n_columns_for_it} of ${committee.n_columns} columns`;
  const of = state().picture ? `${name}: ` : '';
  say(clear ? `${of}A clear ${committee.digit}, with ${percent(committee.probability)}; ${votes} say it.`
    : `${of}Not clear, best guess ${committee.digit} with ${percent(committee.probability)}: ${unclear}.`);
  showProbabilities(committee.probabilities, committee.digit);
  const ms = timing && /dur=([\d.]+)/.exec(timing);
  $('time').textContent = ms ? `Answered in ${Number(ms[1]).toFixed(1)} ms by ${committee.n_columns} columns.` : '';
  widths.forEach((width, index) => {
    const item = $('widths').children[index];
    showInk(item.querySelector('canvas'), shown.canvases[index].pixels);
    const vote = item.querySelector('.vote');
    vote.replaceChildren();
    element('strong', vote, width.digit);
    element('span', vote, ` ${percent(width.probability)}`);
    element('br', vote);
    element('span', vote, `${width.n_columns_for_it} of ${width.n_columns}`);
    item.classList.toggle('other', width.digit !== committee.digit);
  });
  const cells = new Map([...$('columns').querySelectorAll('button')].map(cell => [cell.dataset.column, cell]));
  for (const { column, digit, probability } of shown.columns) {
    const cell = cells.get(column);
    cell.textContent = digit;
    cell.style.backgroundColor = `color-mix(in srgb, var(--main) ${Math.round(100 * probability)}%, var(--page))`;
    cell.className = probability > 0.75 ? 'strong' : '';
    cell.classList.toggle('differs', digit !== committee.digit);
    cell.setAttribute('aria-label', `Column ${column}: ${digit} with ${percent(probability)}`);
    cell.title = `${column}: ${digit}, ${percent(probability)}`;
  }
}

function showProbabilities(probabilities, best) {
  probabilities.forEach((probability, digit) => {
    const item = $('probabilities').children[digit];
    item.classList.toggle('best', digit === best);
    item.querySelector('.bar span').style.width = `${100 * probability}%`;
    item.querySelector('.share').textContent = percent(probability);
  });
}

/** Ink, 0 to 255, as the columns have it: light on dark. */
function showInk(of, pixels) {
  const side = Math.sqrt(pixels.length);
  of.width = of.height = side;
  const context = of.getContext('2d');
  const image = context.createImageData(side, side);
  pixels.forEach((ink, index) => image.data.set([ink, ink, ink, 255], 4 * index));
  context.putImageData(image, 0, 0);
}

function showMaps({ column, stages }) {
  const maps = $('maps');
  maps.replaceChildren();
  const room = maps.clientWidth;
  $('maps-title').textContent = `Maps of column ${column}`;
  for (const { name, maps: n, height, width, largest, values } of stages) {
    const stage = element('figure', maps);
    stage.className = 'stage';
    element('p', stage, `${name} (largest value ${largest.toFixed(2)})`);
    // At least two pixels of the screen for one of a map, rows of equal length, and a line between maps, not between neurons.
    const space = width === 1 ? 0 : 1;
    const most = Math.max(1, Math.min(n, width === 1 ? 50 : 20, Math.floor(room / 2 / (width + space))));
    const inRow = Math.ceil(n / Math.ceil(n / most));
    const of = element('canvas', stage);
    of.width = inRow * (width + space) - space;
    of.height = Math.ceil(n / inRow) * (height + space) - space;
    of.style.width = `${of.width * Math.max(1, Math.min(8, Math.floor(room / of.width)))}px`;
    of.setAttribute('role', 'img');
    of.setAttribute('aria-label', `${name} of column ${column}`);
    const context = of.getContext('2d');
    for (let map = 0; map < n; map++) {
      const image = context.createImageData(width, height);
      for (let index = 0; index < width * height; index++) {
        image.data.set(colour(values[map * width * height + index] / 127), 4 * index);
      }
      context.putImageData(image, (map % inRow) * (width + space), Math.floor(map / inRow) * (height + space));
    }
  }
}

/** White at 0, orange at 1, blue at -1. */
function colour(value) {
  const end = value > 0 ? [217, 95, 2] : [31, 98, 178];
  const share = Math.abs(value);
  return [...end.map(part => 255 + (part - 255) * share), 255];
}

function showDistorted({ digits }) {
  const list = $('distorted');
  list.replaceChildren();
  const said = shown.image.committee.digit;
  let n = 0;
  for (const { pixels, digit, probability, clear } of digits) {
    const item = element('li', list);
    showInk(element('canvas', item), pixels);
    element('strong', item, digit);
    element('span', item, ` ${percent(probability)}${clear ? '' : ', not clear'}`);
    item.classList.toggle('other', digit !== said);
    n += digit === said;
  }
  $('distorted-sentence').textContent = `${n} of ${digits.length} distorted digits are still read as ${said}.`;
}

// ---- The grid of columns: one stop of the Tab key, arrow keys inside

function choose(cell) {
  for (const other of $('columns').querySelectorAll('button')) {
    other.tabIndex = other === cell ? 0 : -1;
    other.setAttribute('aria-pressed', other === cell);
  }
  chosen = cell.dataset.column;
  askMaps.wanted();
}

$('columns').addEventListener('click', event => {
  const cell = event.target.closest('button');
  if (cell) choose(cell);
});
$('columns').addEventListener('keydown', event => {
  const move = MOVES[event.key];
  const cell = event.target.closest('button');
  if (!move || !cell) return;
  event.preventDefault();
  const row = cell.closest('tr');
  const rows = [...row.parentElement.children];
  const target = rows[rows.indexOf(row) + move[1]];
  const place = [...row.querySelectorAll('button')].indexOf(cell) + move[0];
  const next = target && target.querySelectorAll('button')[place];
  if (!next) return;
  next.focus();
  choose(next);
});

// ---- Sliders

function showSliders() {
  $('sigma-value').textContent = `${$('sigma').value} px`;
  $('strength-value').textContent = `${Math.round(100 * $('strength').value)} %`;
}

for (const slider of ['sigma', 'strength']) {
  $(slider).addEventListener('input', () => {
    showSliders();
    askDistorted.wanted();
  });
}
$('redraw').addEventListener('click', () => {
  seed += 1;
  askDistorted.wanted();
});

// ---- Begin

function layOut() {
  const { columns, widths, network, path, views, distortion } = study;
  const asked = views ? `, each asked about ${views.count} views of the digit` : '';
  $('study').textContent = `Study ${study.study} in ${path}: ${columns.length} columns of ${network}${asked}.`;
  for (const width of widths) {
    const item = element('li', $('widths'));
    element('canvas', item);
    element('div', item, named(width));
    element('div', item).className = 'vote';
    const row = element('tr', $('columns').tBodies[0]);
    element('th', row, named(width)).scope = 'row';
    for (const of of columns.filter(column => column.width === width)) {
      const cell = element('button', element('td', row), '–');
      cell.type = 'button';
      cell.dataset.column = of.column;
      cell.tabIndex = -1;
      cell.setAttribute('aria-pressed', 'false');
    }
  }
  $('sigma').value = distortion.sigma;
  showSliders();
  const first = $('columns').querySelector('button');
  choose(first);
}

for (let digit = 0; digit < 10; digit++) {
  const item = element('li', $('probabilities'));
  element('span', item, digit);
  const bar = element('div', item);
  bar.className = 'bar';
  element('span', bar);
  element('span', item, percent(0)).className = 'share';
}
draw();
fetched('api/study')
  .then(({ answer }) => {
    study = answer;
    layOut();
    changed();
  })
  .catch(error => { $('study').textContent = error.message; });
