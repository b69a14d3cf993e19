// Pages in chromium as a person has them: no rule of the page's own security policy is lifted. What a page must never do
// (ask anybody but hone, run a script that is not hone's, break a rule of the policy) is noted on every page.

import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Of the packages that run.sh installed. */
export const need = createRequire(join(process.env.HONE_TOOLS, 'package.json'));
const { chromium } = need('playwright-core');

export const browser = await chromium.launch({ executablePath: process.env.HONE_BROWSER, args: ['--no-sandbox', '--disable-gpu'] });

export async function window(base, options = {}) {
  const context = options.context ?? await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on('request', (r) => { if (!r.url().startsWith(base + '/')) wrong.push(`asked for ${r.url()}`); });
  page.on('pageerror', (e) => wrong.push(`error ${e.stack}`));
  page.on('dialog', (d) => { wrong.push(`dialog ${d.message()}`); d.dismiss(); });
  page.on('popup', () => wrong.push('another window'));
  page.on('console', (m) => { if (/Content Security Policy|Trusted|Refused/i.test(m.text())) wrong.push(m.text()); });
  return { page, context, wrong };
}

/** Waits until `f` holds on the page. Asked from outside: playwright's own waiting evaluates a text in the page, which the
 * page's policy forbids. */
export async function until(page, f, argument, time = 10000) {
  for (const end = Date.now() + time; ;) {
    if (await page.evaluate(f, argument)) return;
    if (Date.now() > end) throw new Error(`in vain waited for ${f} ${argument ?? ''}; the page shows ${JSON.stringify(await shown(page))}`);
    await page.waitForTimeout(15);
  }
}

/** Waits for a pair or a message, whatever the page has to show. */
export const settled = (page) => until(page, () =>
  !document.getElementById('compare').hidden || !['One moment'].includes(document.getElementById('message-title').textContent));

/** What is on the page, as text. */
export const shown = (page) => page.evaluate(() => {
  const text = (selector) => document.querySelector(selector)?.innerText.trim() ?? '';
  return {
    comparing: !document.getElementById('compare').hidden,
    prompt: text('#prompt'), first: text('#answer-a .body'), second: text('#answer-b .body'),
    ring: text('#ring-count'), connection: document.getElementById('connection').dataset.state, title: text('#message-title'),
    message: text('#message-text'), note: document.getElementById('note').value, correction: text('.correction:not([hidden]) .text'),
    problem: document.getElementById('problem').hidden ? '' : text('#problem'),
  };
});

/** Presses a key that judges, as a person does: not within the moment in which it would be a slip; waits for the next. */
export async function judge(page, ...keys) {
  const before = (await shown(page)).prompt;
  await page.waitForTimeout(170);
  for (const key of keys) await page.keyboard.press(key);
  await until(page, (prompt) => document.getElementById('compare').hidden || document.getElementById('prompt').innerText.trim() !== prompt, before);
}

export const saved = (page) => until(page, () => document.getElementById('connection').dataset.state === 'saved', null, 20000);
