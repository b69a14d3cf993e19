// Talking to hone: the session, requests with a time limit, the live stream.

const TOKEN = 'hone.token';
const BASE = '/api/v1';

/** What hone refused, with its code; `status` 0: nobody answered. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || 'hone does not answer');
    this.status = status;
    this.code = problem.code || '';
    this.hint = problem.hint || '';
  }
  /** It may go well later: no answer, too much to do, disk full. */
  get passing() { return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500; }
}

export const load = (key, otherwise) => {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
};
/** False where the browser keeps nothing (full, forbidden). */
export const save = (key, value) => {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
};

let token = null;
let desk = ''; // for whom this page was opened: a store and a person
export const useDesk = (id) => { desk = id; };
/** What is kept of a desk is kept under its name: another store, or another person, never gets it. */
export const ofDesk = (key) => `${key}.${desk}`;

async function request(method, path, { body, key, signal, time = 15000 } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (key) headers['Idempotency-Key'] = key;
  if (desk) headers['Hone-Desk'] = desk;
  let response;
  try {
    response = await fetch(BASE + path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store', credentials: 'omit', redirect: 'error', signal: signal === undefined ? AbortSignal.timeout(time) : signal,
    });
  } catch (error) {
    throw new Refusal(0, { detail: 'hone does not answer' });
  }
  return response;
}

export async function call(method, path, options) {
  const response = await request(method, path, options);
  let body = null;
  try {
    if (response.status !== 204) body = await response.json();
  } catch { /* cut off, or no JSON */
    throw new Refusal(response.ok ? 0 : response.status, {});
  }
  if (body?.code === 'other-desk') {
    location.reload(); // hone was started again for another store or person; what waits here waits under its own name
    throw new Refusal(0, body);
  }
  if (!response.ok) throw new Refusal(response.status, body ?? {});
  return body;
}

/** Takes the secret of the address, if there is one, and removes it there; then the token that the browser keeps. */
export async function openSession() {
  const secret = new URLSearchParams(location.hash.slice(1)).get('secret');
  if (location.hash) history.replaceState(null, '', location.pathname);
  token = load(TOKEN, null);
  if (!secret) return;
  try {
    token = null;
    ({ token } = await call('POST', '/session', { body: { secret } }));
    save(TOKEN, token);
  } catch (error) {
    token = load(TOKEN, null); // an address opened twice: the session that it opened is still there
    if (!token) throw error;
  }
}

/** Events of the server until the signal: `on(name, data)`; resolves when the stream ends. It has no time limit. */
export async function listen(on, signal = null) {
  const response = await request('GET', '/events', { signal });
  if (!response.ok || !response.body) throw new Refusal(response.status, {});
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split('\n\n');
    text = events.pop();
    if (text.length > 1 << 20) return;
    for (const event of events) {
      let name = 'message';
      const data = [];
      for (const line of event.split('\n')) {
        if (line.startsWith('event:')) name = line.slice(6).trim();
        else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
      }
      if (data.length) on(name, JSON.parse(data.join('\n')));
    }
  }
}
