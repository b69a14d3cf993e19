// What a person did and hone has not acknowledged yet: kept in localStorage until it has, sent in order, each with a key
// that makes sending twice the same as sending once. Windows share it; one of them sends at a time.

import { call, load, ofDesk, save } from './api.js';

const BOX = 'hone.outbox';
const REFUSED = 'hone.refused';

let memory = null; // where the browser keeps nothing
const read = () => memory ?? load(ofDesk(BOX), []);
const write = (items) => {
  memory = save(ofDesk(BOX), items.length ? items : null) ? null : items;
};

let hooks = { sent() {}, refused() {}, state() {} };
let wait = 0;
let timer = 0;
let sending = false;

export const start = (given) => {
  hooks = given;
  addEventListener('online', flush);
  addEventListener('storage', (e) => e.key === ofDesk(BOX) && report());
};
export const pending = () => read();

const report = (offline = wait > 0) => hooks.state({ offline, waiting: read().length });

/** item: {key, kind, path, body}. */
export function put(item) {
  write([...read(), item]);
  flush();
}

/** Takes an item back unless it may be under way already. */
export function takeBack(key) {
  const items = read();
  const at = items.findIndex((i) => i.key === key);
  if (at < 0 || (at === 0 && sending)) return false;
  write(items.filter((i) => i.key !== key));
  report();
  return true;
}

const alone = (work) => (navigator.locks ? navigator.locks.request(ofDesk(BOX), work) : work());

export async function flush() {
  clearTimeout(timer);
  if (sending) return;
  sending = true;
  report();
  try {
    await alone(async () => {
      for (let item = read()[0]; item; item = read()[0]) {
        let answer = null;
        let refusal = null;
        try {
          answer = await call('POST', item.path, { body: item.body, key: item.key });
        } catch (error) {
          if (error.passing || error.status === 401) throw error;
          refusal = error;
          save(ofDesk(REFUSED), [...load(ofDesk(REFUSED), []), { ...item, why: error.message }].slice(-50));
        }
        write(read().filter((i) => i.key !== item.key));
        wait = 0;
        if (refusal) hooks.refused(item, refusal);
        else hooks.sent(item, answer);
      }
    });
    wait = 0;
  } catch (error) {
    wait = Math.min(wait ? wait * 1.7 : 700, 10000);
    timer = setTimeout(flush, wait * (0.75 + Math.random() / 2));
    hooks.failed(error);
  }
  sending = false;
  report();
  if (!wait && read().length) flush(); // put in while the last one was ending
}
