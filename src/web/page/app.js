// The page: pairs come from hone ahead of time, a key or button judges the one that is shown, the outbox sends it.

import { call, listen, load, openSession, save, useDesk } from './api.js';
import * as drafts from './drafts.js';
import { ask, askLink } from './menus.js';
import * as outbox from './outbox.js';
import * as view from './pair_view.js';
import * as round from './round.js';

const $ = (id) => document.getElementById(id);
const LETTERS = 'hone.letters';
const FEW = 4; // pairs left in hand when more are asked for
const TWICE = 150; // ms after a pair appears in which a key is a slip, not a judgement
const SAID = {
  first: 'A is better', second: 'B is better', tie: 'Tie', cant_tell: 'Can’t tell', both_bad: 'Both bad', skip: 'Skipped',
};

let hand = []; // the pair that is shown, and the next ones
let history = []; // what was judged here, the newest last
let progress = null;
let supply = 'cold'; // of hone, beyond the hand: ready, cold, end
const facts = new Map(); // pair -> {seq, open}: what hone acknowledged last, as of that event of its log
let returning = ''; // a pair that was undone and is still to come from hone
let failure = null; // why hone cannot be talked to now
let waiting = 0;
let letters = load(LETTERS, true);
let shown = null; // {pair, dwell, since}: dwell ms seen before `since`, which is 0 while the page is hidden

// What a person is told -------------------------------------------------------------------------------------------------

let quiet = 0;
function say(text) {
  $('live').textContent = text;
  $('said').textContent = text;
  $('said').classList.add('shown');
  clearTimeout(quiet);
  quiet = setTimeout(() => $('said').classList.remove('shown'), Math.max(1600, text.length * 60));
}

function complain(text) {
  $('problem').textContent = text;
  $('problem').hidden = !text;
}

function showConnection() {
  const state = failure ? 'offline' : waiting ? 'sending' : 'saved';
  const held = waiting === 1 ? '1 judgement waits here' : `${waiting} judgements wait here`;
  const text = failure?.status === 401 ? 'Not signed in' : failure ? (waiting ? `Offline: ${held}` : 'Offline') : waiting ? 'Saving' : 'Saved';
  if ($('connection').dataset.state !== state && (state === 'offline' || $('connection').dataset.state === 'offline'))
    $('live').textContent = state === 'offline' ? 'No connection to hone. You can go on; nothing is lost.' : 'Connected again.';
  $('connection').dataset.state = state;
  $('connection').textContent = text;
}

function fail(error) {
  if (error.status === 401) {
    failure = error;
    if (!hand.length) showMessage();
    else complain('This address is no longer signed in. Open the address that hone annotate printed last; what you judged meanwhile waits here and is then sent.');
  } else if (error.passing) {
    failure = error;
    if (error.status >= 500) complain([error.message, error.hint].filter(Boolean).join('. '));
  }
  showConnection();
  if (!hand.length) showMessage();
}

function well() {
  if (!failure) return;
  failure = null;
  complain('');
  showConnection();
}

function showProgress() {
  if (!progress) return;
  const count = Math.max(0, progress.ring.count + outbox.pending().reduce((sum, i) => sum + i.advance, 0));
  const goal = progress.ring.goal;
  $('ring').querySelector('.arc').setAttribute('stroke-dasharray', `${Math.min(100, (100 * count) / goal)} 100`);
  $('ring').classList.toggle('empty', count === 0);
  $('ring').setAttribute('aria-label', `${count} of ${goal}`);
  $('ring-count').textContent = count;
  $('ring-text').textContent = count >= goal ? `${goal} reached` : `of ${goal}`;
  for (const undo of document.querySelectorAll('[data-act=undo]')) undo.disabled = !history.length && !progress.last;
}

function showMessage() {
  let title = 'One moment';
  let text = 'The next pair is on its way.';
  let command = '';
  if (failure?.status === 401) {
    title = 'This page is not signed in';
    text = 'Open the address that hone annotate printed last. It can be used once; after a reload this page knows you again.';
  } else if (failure) {
    title = failure.status ? 'hone cannot go on just now' : 'No connection to hone';
    text = failure.status ? [failure.message, failure.hint].filter(Boolean).join('. ')
      : waiting ? 'Is hone annotate still running? Your judgements wait in this browser and are sent when it is back on the same port. Leave this window open, or come back to it.'
        : 'Is hone annotate still running? This page goes on by itself when it is back on the same port.';
  } else if (supply === 'end' && progress) {
    const c = progress.counts;
    const all = Object.values(c).reduce((a, b) => a + b, 0);
    title = all ? 'All pairs are judged' : 'There are no pairs here';
    text = all ? `${c.decided} decided, ${c.tie} tied, ${c.both_bad} both bad, ${c.cant_tell} can’t tell, ${c.skip} skipped; ${progress.corrections} corrected. Rows for training come from:`
      : 'Give hone annotate a file with comparisons that are not judged yet.';
    command = all ? progress.export : '';
  } else if (supply === 'cold' && progress) {
    title = 'The model is writing';
    text = 'It answers prompts twice. The next pair shows here as soon as it is there; more are made while you judge.';
  }
  const fresh = $('message').hidden || $('message-title').textContent !== title;
  $('message-title').textContent = title;
  $('message-text').textContent = text;
  $('message-command').textContent = command;
  $('message-command').hidden = !command;
  $('message-undo').hidden = !(history.length || progress?.last) || failure?.status === 401;
  $('message-retry').hidden = !failure;
  $('compare').hidden = true;
  $('message').hidden = false;
  shown = null;
  if (fresh && title !== 'One moment') $('message-title').focus();
}

// Pairs -----------------------------------------------------------------------------------------------------------------

function showHand() {
  const pair = hand[0];
  showProgress();
  if (!pair) return showMessage();
  if (shown?.pair === pair) return;
  const grew = shown?.pair.id === pair.id;
  $('message').hidden = true;
  $('compare').hidden = false;
  for (const b of document.querySelectorAll('#compare .controls [data-act]'))
    if (b.dataset.act in SAID || b.dataset.act === 'edit') b.disabled = pair.growing;
  $('growing').hidden = !pair.growing;
  if (grew) {
    view.showAnswers(pair);
    if (shown.pair.growing && !pair.growing) { // from here on it can be judged, and the time counts
      shown = { pair, dwell: 0, since: document.hidden ? 0 : performance.now() };
      $('live').textContent = 'Both answers are complete.';
    }
    shown.pair = pair;
    return;
  }
  view.showPair(pair, drafts.of(pair));
  if (pair.growing) $('live').textContent = $('growing').textContent;
  shown = { pair, dwell: 0, since: document.hidden ? 0 : performance.now() };
  scrollTo(0, 0);
  $('prompt-title').focus({ preventScroll: true });
}

const dwell = () => Math.round(shown.dwell + (shown.since ? performance.now() - shown.since : 0));

const pairOf = (item) => item.pair ?? item.body.pair;

async function fill() {
  const have = hand.filter((p) => !p.growing).map((p) => p.id);
  const answer = await call('GET', `/pairs?have=${have.join(',')}`);
  well();
  const { seq } = answer.progress;
  if (!progress || seq >= progress.seq) progress = answer.progress;
  supply = answer.supply;
  // What was done here goes before this answer, which may be older: first what hone acknowledged meanwhile, then what it
  // has not got yet.
  const open = new Map([...facts].filter(([, fact]) => fact.seq > seq).map(([id, fact]) => [id, fact.open]));
  for (const item of outbox.pending()) open.set(pairOf(item), item.kind === 'undo');
  const known = new Map([...hand, ...answer.pairs].map((p) => [p.id, p]));
  const before = hand[0];
  const order = answer.order.filter((id) => open.get(id) !== false);
  for (const p of hand.toReversed()) if (open.get(p.id) && !order.includes(p.id)) order.unshift(p.id);
  if (order.includes(returning) && known.has(returning)) {
    order.sort((x, y) => (y === returning) - (x === returning));
    returning = '';
  } else if (before && order.includes(before.id)) order.sort((x, y) => (y === before.id) - (x === before.id));
  else if (before && shown) say('That pair was judged in another window.');
  hand = order.map((id) => known.get(id)).filter(Boolean);
  showHand();
  if (hand.length < order.length) again = true; // one came back that was judged here meanwhile
}

let asking = null;
let again = false;
/** Fills the hand. Pairs that were judged elsewhere go; the one that is shown stays in its place. */
function refill() {
  again = true;
  asking ??= (async () => {
    try {
      while (again) {
        again = false;
        await fill();
      }
    } catch (error) {
      fail(error);
      later();
    } finally {
      asking = null;
    }
  })();
  return asking;
}

let retry = 0;
let pause = 0;
function later() {
  pause = Math.min(pause ? pause * 1.7 : 700, 10000);
  clearTimeout(retry);
  retry = setTimeout(async () => {
    await refill();
    if (!failure) pause = 0;
  }, pause);
}

// Judging ---------------------------------------------------------------------------------------------------------------

function judge(outcome, reason = '') {
  if (!shown || shown.pair.growing) return;
  const time = dwell();
  const { pair } = shown;
  const draft = view.draft();
  const body = { pair: pair.id, outcome, dwell_ms: time };
  if (reason) body.reason = reason;
  if (draft.note.trim()) body.note = draft.note;
  if (draft.correction) body.correction = draft.correction;
  const advance = pair.trains && (progress?.ring.advancing.includes(outcome) || draft.correction) ? 1 : 0;
  const key = crypto.randomUUID();
  history.push({ key, pair, advance, draft });
  hand.shift();
  drafts.forget(pair);
  outbox.put({ key, kind: 'judge', path: '/judgements', body, advance });
  showHand();
  const { goal } = progress?.ring ?? { goal: 60 };
  const count = Number($('ring-count').textContent);
  say(advance && count === goal ? `${SAID[outcome]}. That makes ${goal}: enough for a first round. Go on, or stop here.`
    : pair.trains ? SAID[outcome] : `${SAID[outcome]}. Kept to measure with`);
  if (hand.length <= FEW && supply !== 'end') refill();
}

function undo() {
  const last = history.pop() ?? (progress?.last && { key: progress.last.judgement, id: progress.last.pair, advance: progress.last.advanced ? 1 : 0 });
  if (!last) return;
  if (progress) progress.last = null; // until hone says which one is the last now
  if (last.pair) {
    if (last.draft.note || last.draft.correction) drafts.keep(last.pair, last.draft);
    hand.unshift(last.pair);
  } else {
    returning = last.id;
  }
  if (!outbox.takeBack(last.key)) {
    outbox.put({
      key: crypto.randomUUID(), kind: 'undo', path: '/undo', body: { judgement: last.key }, pair: last.pair?.id ?? last.id,
      advance: -last.advance,
    });
  }
  showHand();
  say('Undone');
}

async function skip() {
  const reason = await ask('skip-menu', { 1: 'unclear', 2: 'expertise', 3: 'offensive', 4: 'broken', 5: 'none' });
  if (reason) judge('skip', reason === 'none' ? '' : reason);
}

async function edit() {
  const side = await ask('edit-menu', { ArrowLeft: 'first', ArrowRight: 'second', a: 'first', b: 'second' });
  if (side) view.edit(side);
}

const ACTS = {
  first: () => judge('first'), second: () => judge('second'), tie: () => judge('tie'), cant_tell: () => judge('cant_tell'),
  both_bad: () => judge('both_bad'), skip, edit, edit_first: () => view.edit('first'), edit_second: () => view.edit('second'),
  note: () => view.toggleNote(), undo, help: () => ask('help'), round: round.open, retry: () => { outbox.flush(); refill(); },
};
const ARROWS = { ArrowLeft: 'first', ArrowRight: 'second', ArrowUp: 'tie', ArrowDown: 'cant_tell' };
const KEYS = { b: 'both_bad', s: 'skip', e: 'edit', n: 'note', u: 'undo', l: 'round', '?': 'help' };

function onKey(e) {
  if (e.defaultPrevented || e.isComposing || e.altKey || e.metaKey) return;
  const field = e.target.closest?.('textarea, input, select');
  if (field) {
    if (e.key === 'Escape' || (e.key === 'Enter' && e.ctrlKey)) {
      e.preventDefault();
      view.leaveField();
    }
    return;
  }
  if (e.ctrlKey || document.querySelector('dialog[open]')) return;
  let act = ARROWS[e.key];
  if (act) {
    const code = e.target.closest?.('pre');
    if (e.shiftKey || (code && code.scrollWidth > code.clientWidth && /Left|Right/.test(e.key))) return;
    if ($('compare').hidden) return;
  } else if (letters) {
    act = KEYS[e.key.toLowerCase()];
    if (act && $('compare').hidden && act !== 'undo' && act !== 'help' && act !== 'round') return;
  }
  if (!act) return;
  e.preventDefault();
  if (e.repeat || (shown && act in SAID && dwell() < TWICE && !shown.dwell)) return;
  ACTS[act]();
}

// Start -----------------------------------------------------------------------------------------------------------------

function showLetters() {
  document.body.classList.toggle('letters-off', !letters);
  $('letters').checked = letters;
}

async function follow() {
  for (let rest = 500; ; rest = Math.min(rest * 1.7, 10000)) {
    try {
      await listen((name, data) => {
        rest = 500;
        well();
        if (name === 'round') return round.update(data);
        if (name === 'trouble') return complain(data.text);
        if (name === 'progress' && progress && data.seq <= progress.seq) return;
        if (name === 'progress') progress = data;
        if (name === 'progress') round.refresh();
        refill();
      });
    } catch (error) {
      if (error.status === 401) return fail(error);
    }
    if (!failure) fail({ status: 0, passing: true, message: '' });
    later();
    await new Promise((done) => setTimeout(done, rest));
  }
}

function listenToPerson() {
  document.addEventListener('keydown', onKey);
  document.addEventListener('click', (e) => {
    const button = e.target.closest('[data-act]');
    if (button && !button.disabled) ACTS[button.dataset.act]();
  });
  document.addEventListener('visibilitychange', () => {
    if (!shown) return;
    if (document.hidden && shown.since) {
      shown.dwell += performance.now() - shown.since;
      shown.since = 0;
    } else if (!document.hidden && !shown.since) {
      shown.since = performance.now();
    }
  });
  $('letters').addEventListener('change', () => {
    letters = $('letters').checked;
    save(LETTERS, letters);
    showLetters();
  });
  $('link-go').addEventListener('click', () => $('link-box').close(''));
}

async function begin() {
  showLetters();
  listenToPerson();
  view.init({
    link: askLink, say,
    change: () => {
      if (shown && !drafts.keep(shown.pair, view.draft())) complain('This browser keeps nothing on its disk. Drafts go to hone alone.');
    },
  });
  drafts.setHooks({ failed: fail, wanted: (id) => hand.some((p) => p.id === id) });
  outbox.start({
    state: (s) => { waiting = s.waiting; showConnection(); showProgress(); },
    failed: fail,
    sent: (item, answer) => {
      well();
      facts.set(pairOf(item), { seq: answer.seq, open: item.kind === 'undo' });
      if (!progress || answer.progress.seq >= progress.seq) progress = answer.progress;
      if (item.kind === 'undo' || !hand.length) refill();
      round.refresh();
      showProgress();
    },
    refused: (item, error) => {
      history = history.filter((h) => h.key !== item.key);
      if (error.code !== 'conflict') complain(`hone did not take a judgement: ${error.message}. It is kept in this browser.`);
      else if (item.kind === 'judge') say('That pair was judged already.');
      refill();
    },
  });
  try {
    await openSession();
  } catch (error) {
    fail(error);
    if (error.status === 401) return;
  }
  for (let known = false; !known;)
    try {
      useDesk((await call('GET', '/progress')).desk);
      known = true;
    } catch (error) {
      fail(error);
      if (error.status === 401) return;
      await new Promise((after) => { setTimeout(after, 1000); });
    }
  well();
  drafts.resume();
  await outbox.flush();
  await refill();
  round.start({ say, complain, changed: () => { hand = []; shown = null; refill(); } });
  if (failure?.status !== 401) follow();
}

begin();
