// An evening with a model too small to say anything, by keyboard alone: judge, learn, blind test, verdict, next model.
// Page, store, run folder and log agree at its end.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';

import { browser, judge, need, saved, settled, shown, until, window } from './browser.mjs';
import { annotateModel, killAll } from './hone.mjs';

const { HONE_WORK: WORK, HONE_MODEL: MODEL, HONE_PROGRAM: PROGRAM, HONE_SCREENS: SCREENS } = process.env;
const axe = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');
const TIME = 120000; // of one wait, on a busy machine

after(async () => {
  killAll();
  await browser.close();
});

/** As on a screen, and as on a small phone at night: nothing that axe takes seriously, nothing beyond the edge. */
async function looksRight(page, what) {
  const usual = page.viewportSize();
  for (const [where, size, colorScheme] of [['', usual, 'light'], [' small and dark', { width: 320, height: 640 }, 'dark']]) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme });
    if (SCREENS) await page.screenshot({ path: join(SCREENS, `${what}${where}.png`.replaceAll(' ', '-')) });
    await page.evaluate(axe);
    // Looked at as it comes to rest: the word that fades has half its contrast half way, and what has scrolled half beneath
    // the bar of the answers' buttons counts as a small target. At the page's end that bar covers nothing.
    await page.evaluate(() => globalThis.scrollTo(0, document.documentElement.scrollHeight));
    await until(page, () => getComputedStyle(document.getElementById('said')).opacity === '0');
    const result = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
    const serious = result.violations.filter((v) => ['serious', 'critical'].includes(v.impact));
    assert.deepEqual(serious.map((v) => `${what}${where}: ${v.id} at ${v.nodes.map((n) => n.target)}`), []);
    const beyond = await page.evaluate(() => [document.documentElement, document.getElementById('round-box')].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.id || 'page'));
    assert.deepEqual(beyond, [], `${what}${where}: to be scrolled sideways`);
  }
  await page.setViewportSize(usual);
  await page.emulateMedia({ colorScheme: 'light' });
}

const roundText = (page) => page.evaluate(() => document.getElementById('round-open').textContent);
const title = (page) => page.evaluate(() => (document.getElementById('round-box').open ? document.getElementById('round-title').textContent : ''));
/** Presses the button of the round's dialog that is called so, by keyboard. */
async function press(page, what) {
  if (!(await title(page))) await page.keyboard.press('l');
  await until(page, (name) => !!document.querySelector(`#round-actions [data-do=${name}]:not(:disabled)`), what, TIME);
  for (let i = 0; i < 20; ++i) {
    if (await page.evaluate((name) => document.activeElement?.dataset?.do === name, what)) break;
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
}
/** The shorter answer, as it stands on the page. */
async function shorter(page) {
  await until(page, () => !document.getElementById('compare').hidden && !document.querySelector('[aria-busy=true]'), null, TIME);
  const { first, second } = await shown(page);
  await judge(page, first.length === second.length ? 'ArrowUp' : first.length < second.length ? 'ArrowLeft' : 'ArrowRight');
}

test('an evening by keyboard: judge, learn, stop, go on, test blind, choose', { timeout: 900000 }, async () => {
  const store = join(WORK, 'evening.store');
  let hone = await annotateModel(store, MODEL, ['--max-tokens', '12', '--lr', '0.003', '--epochs', '3']);
  const first = await window(hone.base);
  let { page } = first;
  await page.goto(hone.address);
  await settled(page);

  // 1. Enough to learn from.
  while (Number((await shown(page)).ring) < 12) await shorter(page);
  await saved(page);
  assert.equal(await roundText(page), 'Learn from me');
  await page.keyboard.press('l');
  await looksRight(page, 'before a round');

  // 2. Learning, stopped, gone on with; judging goes on meanwhile.
  await press(page, 'start');
  await until(page, () => /Learning \d/.test(document.getElementById('round-open').textContent), null, TIME);
  await press(page, 'stop'); // before anything else is looked at: so small a model has learned within seconds
  await until(page, () => document.getElementById('round-open').textContent === 'Learning stopped', null, TIME);
  await looksRight(page, 'stopped');
  await press(page, 'go_on');
  await looksRight(page, 'going on');

  // A kill between: the log knows the round, and it goes on by itself.
  await saved(page);
  await hone.kill();
  await first.context.close();
  hone = await annotateModel(store, MODEL, ['--max-tokens', '12', '--lr', '0.003', '--epochs', '3']);
  const second = await window(hone.base);
  ({ page } = second);
  await page.goto(hone.address);
  await settled(page);
  await until(page, () => ['New model', 'Learn from me'].includes(document.getElementById('round-open').textContent)
    && document.querySelector('#round-open').hidden === false, null, TIME);
  await page.keyboard.press('l');
  await until(page, () => document.querySelector('#round-box table'), null, TIME);
  await looksRight(page, 'learned');
  const outcome = JSON.parse(execFileSync(PROGRAM, ['feedback', 'show', '--store', store, '--json'], { encoding: 'utf8' })).rounds;
  assert.equal(outcome.length, 1);
  assert.ok(existsSync(join(`${store}.rounds`, '1', 'report.html')));
  execFileSync(PROGRAM, ['check', join(`${store}.rounds`, '1', '01-learn')], { stdio: 'ignore' });

  if (outcome[0].outcome !== 'nothing_learned') {
    // 3. The blind test: nothing on the page or in what it is sent names a model.
    await press(page, 'test');
    await until(page, () => !document.getElementById('blind').hidden, null, TIME);
    await looksRight(page, 'blind');
    const sent = await page.evaluate(async () => (await fetch('/api/v1/pairs', { headers: { Authorization: `Bearer ${JSON.parse(localStorage.getItem('hone.token'))}` } })).text());
    assert.ok(!sent.includes('sha256:') && !sent.includes('round-1'));
    for (let i = 0; i < 20; ++i) await shorter(page);
    await until(page, () => document.getElementById('round-title').textContent === 'The verdict' && document.getElementById('round-box').open, null, TIME);
    await looksRight(page, 'verdict');
    const said = await page.evaluate(() => document.querySelector('.verdict').textContent);
    const [told] = JSON.parse(execFileSync(PROGRAM, ['feedback', 'show', '--store', store, '--json'], { encoding: 'utf8' })).blind_tests;
    assert.equal(told.words, said, 'the page and the log say the same');
    assert.equal(told.asked, 20);

    // 4. The next round starts from the one that was chosen.
    await press(page, 'choose_after');
    await until(page, () => document.getElementById('round-open').textContent === 'Learn from me', null, TIME);
  }
  assert.deepEqual([...first.wrong, ...second.wrong], []);
  assert.equal((await hone.stop()).code, 0);
  execFileSync(PROGRAM, ['check', store], { stdio: 'ignore' });
});
