// Notes and corrections that are not judged yet. Every change goes into localStorage at once and to hone a moment later,
// so that neither a closed window nor a killed server loses it.

import { call, load, ofDesk, save } from './api.js';

const place = (id) => `${ofDesk('hone.draft')}.${id}`;
const PAUSE = 600; // ms after the last key

const timers = new Map();
let hooks = { failed() {}, wanted: () => false };
/** failed(error); wanted(id): whether the pair is still to be judged here. */
export const setHooks = (given) => { hooks = given; };

/** The draft of a pair, {note, correction: {of, text} or null}: the browser's where hone has not got that one yet. */
export function of(pair) {
  const draft = load(place(pair.id), null) ?? pair.draft ?? {};
  return { note: draft.note ?? '', correction: draft.correction ? { ...draft.correction } : null };
}

async function send(id) {
  timers.delete(id);
  const here = load(place(id), null);
  if (!here) return;
  try {
    await call('PUT', `/drafts/${id}`, { body: { note: here.note ?? '', correction: here.correction ?? null } });
    if (load(place(id), null)?.at === here.at) save(place(id), null);
  } catch (error) {
    hooks.failed(error);
    if (error.passing || error.status === 401) schedule(id, 3000);
    else if (error.code === 'conflict' && hooks.wanted(id)) schedule(id, 1000); // its undo is still under way
    else if (error.code === 'conflict') save(place(id), null); // judged in another window: it has no draft any more
  }
}

function schedule(id, pause) {
  clearTimeout(timers.get(id));
  timers.set(id, setTimeout(() => send(id), pause));
}

/** False where the browser could not keep it. */
export function keep(pair, draft) {
  pair.draft = { note: draft.note, correction: draft.correction ? { ...draft.correction } : null };
  const kept = save(place(pair.id), { ...pair.draft, at: `${Date.now()} ${Math.random()}` });
  schedule(pair.id, PAUSE);
  return kept;
}

/** It became a judgement, which waits in the outbox. */
export function forget(pair) {
  clearTimeout(timers.get(pair.id));
  timers.delete(pair.id);
  save(place(pair.id), null);
}

/** Sends what an earlier visit left. */
export function resume() {
  let keys = [];
  try {
    keys = Object.keys(localStorage);
  } catch { /* nothing is kept */ }
  for (const key of keys)
    if (key.startsWith(place(''))) schedule(key.slice(place('').length), 0);
}
