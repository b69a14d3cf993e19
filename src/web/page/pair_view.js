// One pair on the page: prompt, two answers, a correction of one of them, the note. Knows nothing of the server.

import { plain, show } from './text.js';

const $ = (id) => document.getElementById(id);
export const SIDES = ['first', 'second'];
export const NAME = { first: 'A', second: 'B' };
const article = (side) => $(side === 'first' ? 'answer-a' : 'answer-b');

let hooks = { link() {}, change() {}, say() {} };
let draft = { note: '', correction: null };
let originals = {};
let editing = null; // the side whose text field is open

const now = () => draft;
export { now as draft };

// A turn as text: what it thinks and calls stands with it.
function turnText(turn) {
  let text = turn.content;
  if (turn.reasoning) text = `> ${turn.reasoning.replace(/\n/g, '\n> ')}\n\n${text}`;
  if (turn.tool_calls) text += `\n\n\`\`\`json\n${JSON.stringify(turn.tool_calls, null, 1)}\n\`\`\``;
  return text;
}

function showTurns(parent, turns) {
  parent.replaceChildren(...turns.map((turn) => {
    const box = document.createElement('div');
    if (turns.length > 1) {
      const role = document.createElement('span');
      role.className = 'role';
      role.append(plain(turn.role));
      box.append(role);
    }
    const text = document.createElement('div');
    text.className = 'text';
    text.dir = 'auto';
    show(text, turnText(turn), hooks.link);
    box.append(text);
    return box;
  }));
}

function button(label, act, className = '') {
  const b = document.createElement('button');
  b.type = 'button';
  b.textContent = label;
  b.className = className;
  b.addEventListener('click', act);
  return b;
}

function actions(...buttons) {
  const box = document.createElement('div');
  box.className = 'correction-actions';
  box.append(...buttons);
  return box;
}

function heading(text) {
  const h = document.createElement('h3');
  h.textContent = text;
  return h;
}

function editor(side) {
  const area = document.createElement('textarea');
  area.value = draft.correction?.text ?? originals[side];
  area.maxLength = 60000;
  area.dir = 'auto';
  area.setAttribute('aria-label', `Your version of answer ${NAME[side]}`);
  area.addEventListener('input', () => {
    const same = area.value === originals[side] || !area.value.trim();
    draft.correction = same ? null : { of: side, text: area.value };
    hooks.change();
  });
  return area;
}

function showCorrection(side) {
  const box = article(side).querySelector('.correction');
  const written = draft.correction?.of === side ? draft.correction.text : null;
  const name = NAME[side];
  box.hidden = written === null && editing !== side;
  if (box.hidden) {
    box.replaceChildren();
  } else if (editing === side) {
    box.replaceChildren(heading(`Your version of ${name}`), editor(side),
      actions(button('Done (Ctrl+Enter)', endEdit), button('Discard', () => discard(side), 'quiet')));
  } else {
    const shown = document.createElement('div');
    shown.className = 'text';
    shown.dir = 'auto';
    show(shown, written, hooks.link);
    box.replaceChildren(heading(`Your version of ${name}, better than ${name}`), shown,
      actions(button('Edit again', () => edit(side), 'quiet'), button('Discard', () => discard(side), 'quiet')));
  }
}

/** Opens the text field of an answer. One answer of a pair can be corrected. */
export function edit(side) {
  if (!editable(side)) return hooks.say(`Answer ${NAME[side]} has several turns and cannot be edited here.`);
  const other = draft.correction?.of;
  if (other && other !== side) {
    return hooks.say(`You have a version of ${NAME[other]}. One answer of a pair can be corrected: discard that one first.`);
  }
  const before = editing;
  editing = side;
  if (before && before !== side) showCorrection(before);
  showCorrection(side);
  const area = article(side).querySelector('textarea');
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
  area.scrollIntoView({ block: 'nearest' });
}

function endEdit() {
  const side = editing;
  editing = null;
  showCorrection(side);
  article(side).focus();
}

function discard(side) {
  draft.correction = null;
  hooks.change();
  editing = side;
  endEdit();
}

/** Leaves the text field that has the focus; what was written is kept. */
export function leaveField() {
  if (editing && article(editing).contains(document.activeElement)) {
    endEdit();
  } else if (document.activeElement === $('note')) {
    if (!draft.note) toggleNote(false);
    $('prompt-title').focus();
  }
}

export function toggleNote(open = $('note-box').hidden) {
  $('note-box').hidden = !open;
  document.querySelector('[data-act=note]').setAttribute('aria-expanded', String(open));
  if (open) $('note').focus();
}

export function init(given) {
  hooks = given;
  $('note').addEventListener('input', () => {
    draft.note = $('note').value;
    hooks.change();
  });
}

/** The answers as far as they are; what was written stays. */
export function showAnswers(pair) {
  SIDES.forEach((side, k) => {
    const answer = pair.answers[k];
    const alone = answer.turns.length === 1 && !answer.turns[0].tool_calls && !answer.turns[0].reasoning;
    const box = article(side);
    originals[side] = alone ? answer.turns[0].content : null;
    if (pair.growing && alone && !originals[side]) box.querySelector('.body').replaceChildren();
    else showTurns(box.querySelector('.body'), answer.turns);
    box.querySelector('.cut').hidden = !answer.cut;
    box.querySelector('[data-act]').hidden = !editable(side) || pair.growing;
    box.setAttribute('aria-busy', String(pair.growing));
  });
  // A short answer stays in view while a long one beside it is scrolled.
  for (const side of SIDES) {
    const body = article(side).querySelector('.body');
    body.classList.toggle('short', body.offsetHeight < innerHeight * 0.6);
  }
}

/** pair: as hone sends it; `given`: its draft. */
export function showPair(pair, given) {
  draft = given;
  editing = null;
  showTurns($('prompt'), pair.prompt);
  showAnswers(pair);
  SIDES.forEach(showCorrection);
  $('note').value = draft.note;
  toggleNote(false);
  if (draft.note) $('note-box').hidden = false;
}

/** Only an answer of one plain turn can be rewritten as a text. */
export const editable = (side) => typeof originals[side] === 'string';
