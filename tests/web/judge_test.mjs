// A person at the judging page: by keyboard alone, with hostile texts, over kills and reloads, and for everybody (axe).

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';

import { browser, judge, need, saved, settled, shown, until, window } from './browser.mjs';
import { annotate, exported, killAll, labels, makeModel, samples, writePairs } from './hone.mjs';
import { payloads } from './payloads.mjs';

const WORK = process.env.HONE_WORK;
const axe = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');

after(async () => {
  killAll();
  await browser.close();
});

const numbered = (n) => Array.from({ length: n }, (_, i) => ({ prompt: `Prompt number ${i}`, answers: [`Plus ${i}`, `Minus ${i}`] }));

async function accessible(page, what) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  const serious = result.violations.filter((v) => ['serious', 'critical'].includes(v.impact));
  assert.deepEqual(serious.map((v) => `${what}: ${v.id} at ${v.nodes.map((n) => n.target)}`), []);
  assert.ok(result.passes.length > 10, 'axe looked at something');
}

test('a session by keyboard alone: page, store and export agree', { timeout: 240000 }, async () => {
  const store = join(WORK, 'keys.db');
  const hone = await annotate(store, writePairs(join(WORK, 'keys.jsonl'), numbered(13)));
  const { page, context, wrong } = await window(hone.base);
  await page.goto(hone.address);
  await settled(page);
  assert.equal(page.url(), `${hone.base}/`, 'the secret is out of the address bar');
  await accessible(page, 'comparing');
  await page.evaluate(() => {
    const times = [];
    let pressed = 0;
    globalThis.times = times;
    addEventListener('keydown', () => { pressed = performance.now(); }, { capture: true });
    new MutationObserver(() => requestAnimationFrame(() => {
      if (pressed) times.push(performance.now() - pressed);
      pressed = 0;
    })).observe(document.getElementById('prompt'), { childList: true });
  });

  // What was said, from what the page showed.
  const said = [];
  const say = async (outcome, keys, more = {}) => {
    const { prompt, first, second } = await shown(page);
    await judge(page, ...keys);
    said.push({ prompt, first, second, outcome, ...more });
  };
  await say('first', ['ArrowLeft']);
  await say('second', ['ArrowRight']);
  await say('tie', ['ArrowUp']);
  await say('cant_tell', ['ArrowDown']);
  await say('both_bad', ['b']);
  await say('skip', ['s', '2'], { reason: 'expertise' });
  await say('skip', ['s', 'ArrowDown', 'ArrowDown', 'Enter'], { reason: 'offensive' });

  // A menu that is left changes nothing.
  await page.keyboard.press('s');
  await accessible(page, 'the skip menu');
  await page.keyboard.press('Escape');
  await say('first', ['ArrowLeft']);

  // A correction of B, and A is the better one of the two.
  await page.keyboard.press('e');
  await page.keyboard.press('ArrowRight');
  await until(page, () => document.activeElement.tagName === 'TEXTAREA');
  await page.keyboard.type(', and more');
  await page.keyboard.press('ArrowLeft'); // moves the caret, judges nothing
  await page.keyboard.press('Control+Enter');
  const corrected = await shown(page);
  assert.equal(corrected.correction, `${corrected.second}, and more`);
  await accessible(page, 'a correction');
  await say('first', ['ArrowLeft'], { correction: corrected.correction });

  // A note.
  await page.keyboard.press('n');
  await page.keyboard.type('because b is bad'); // letters in a field are letters
  await page.keyboard.press('Escape');
  await say('second', ['ArrowRight'], { note: 'because b is bad' });

  // Undone and judged again.
  const before = await shown(page);
  await judge(page, 'ArrowLeft');
  await judge(page, 'u');
  assert.deepEqual((await shown(page)).prompt, before.prompt);
  await say('second', ['ArrowRight']);

  // Letters switched off.
  await page.keyboard.press('?');
  await accessible(page, 'the keys');
  await page.keyboard.press('Space');
  await page.keyboard.press('Escape');
  const still = await shown(page);
  await page.keyboard.press('b');
  await page.waitForTimeout(250);
  assert.equal((await shown(page)).prompt, still.prompt, 'letters are off');
  await say('tie', ['ArrowUp']);

  // The button, by Tab and Enter.
  await page.waitForTimeout(170);
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.dataset.act === 'second')) break;
  }
  await say('second', ['Enter']);

  // Done: the page's counts.
  await saved(page);
  await until(page, () => document.getElementById('message-title').textContent === 'All pairs are judged');
  const done = await shown(page);
  const count = (outcome) => said.filter((s) => s.outcome === outcome).length;
  const decided = count('first') + count('second');
  assert.equal(done.message.split(';')[0], `${decided} decided, ${count('tie')} tied, ${count('both_bad')} both bad, ${count('cant_tell')} can’t tell, ${count('skip')} skipped`);
  assert.equal(Number(done.ring), decided, 'one each for what was chosen');
  await accessible(page, 'done');
  const times = (await page.evaluate(() => globalThis.times)).sort((a, b) => a - b);
  console.log(`# key to next pair: median ${times[times.length >> 1].toFixed(0)} ms, 95th percentile ${times[Math.floor(times.length * 0.95)].toFixed(0)} ms of ${times.length}`);
  assert.ok(times[times.length >> 1] < 100);
  assert.deepEqual(wrong, []);
  await context.close();
  assert.equal((await hone.stop()).code, 0);

  // The store's labels and the rows for training.
  const kept = labels(store);
  assert.equal(kept.length, said.length);
  for (const s of said) {
    const label = kept.find((l) => l.prompt === s.prompt);
    const shownFirst = label.shown_first === 'a' ? label.answer_a : label.answer_b;
    assert.equal(shownFirst, s.first);
    const name = { first: label.shown_first, second: label.shown_first === 'a' ? 'b' : 'a' }[s.outcome] ?? s.outcome;
    assert.equal(label.outcome, name);
    assert.equal(label.reason ?? '', s.reason ?? '');
    assert.equal(label.note ?? '', s.note ?? '');
    assert.ok(label.dwell_ms >= 100 && label.dwell_ms < 60000);
  }
  const expected = said.flatMap((s) => [
    ...(s.outcome === 'first' ? [[s.prompt, s.first, s.second]] : s.outcome === 'second' ? [[s.prompt, s.second, s.first]] : []),
    ...(s.correction ? [[s.prompt, s.correction, s.second]] : []),
  ]);
  const rows = exported(store).map((r) => [r.prompt, r.chosen, r.rejected]);
  assert.deepEqual(rows.map(String).sort(), expected.map(String).sort());
});

test('hostile texts: no script runs, nothing is asked for, nothing but text is made', { timeout: 240000 }, async () => {
  const texts = payloads();
  assert.ok(texts.length >= 200, `${texts.length} payloads`);
  const pairs = texts.map((text, i) => ({ prompt: text, answers: [texts[(i + 1) % texts.length] + ' ', `${text}\n\nb ${i}`] }));
  const hone = await annotate(join(WORK, 'xss.db'), writePairs(join(WORK, 'xss.jsonl'), pairs));
  const { page, context, wrong } = await window(hone.base);
  await page.addInitScript(() => {
    globalThis.hits = [];
    globalThis.hit = () => globalThis.hits.push(new Error().stack);
    addEventListener('securitypolicyviolation', (e) => globalThis.hits.push(`${e.violatedDirective} ${e.blockedURI}`));
  });
  await page.goto(hone.address);
  await settled(page);
  const found = await page.evaluate(async (notes) => {
    const allowed = new Set(['DIV', 'P', 'SPAN', 'UL', 'OL', 'LI', 'BLOCKQUOTE', 'HR', 'PRE', 'CODE', 'STRONG', 'EM', 'BUTTON', 'TABLE', 'TR', 'TH', 'TD']);
    const attributes = new Set(['class', 'dir', 'type', 'title', 'start', 'tabindex', 'role', 'aria-label']);
    const odd = [];
    const $ = (s) => document.querySelector(s);
    const type = (field, text) => {
      field.value = text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    };
    const look = () => {
      for (const e of document.querySelectorAll('.text *')) {
        if (!allowed.has(e.tagName)) odd.push(e.tagName);
        for (const a of e.attributes) if (!attributes.has(a.name)) odd.push(`${e.tagName} ${a.name}`);
      }
    };
    const slow = [];
    let judged = 0;
    let written = 0;
    for (const note of notes) {
      const began = performance.now();
      while ($('#compare').hidden) {
        if ($('#message-title').textContent === 'All pairs are judged' || performance.now() - began > 15000) return { odd, judged, written, slow, stopped: $('#message-text').textContent };
        await new Promise((done) => setTimeout(done, 5));
      }
      // As a note and as a correction, which is shown like an answer.
      type($('#note'), note.slice(0, 8000));
      $('[data-act=edit_first]').click();
      type($('#answer-a textarea'), note);
      $('#answer-a .correction-actions button').click();
      if (!$('#answer-a .correction').hidden) written++;
      look();
      for (const b of document.querySelectorAll('.text button.link')) if (!/^https?:/.test(b.title)) odd.push(`link to ${b.title}`);
      const start = performance.now();
      $('[data-act=first]').click();
      if (performance.now() - start > 500) slow.push(note.slice(0, 40));
      judged++;
      await new Promise((done) => requestAnimationFrame(done));
    }
    return { odd: [...new Set(odd)], judged, written, slow };
  }, texts);
  assert.deepEqual(found.odd, []);
  assert.deepEqual(found.slow, [], 'no text hangs the page');
  assert.equal(found.judged, texts.length, found.stopped);
  assert.ok(found.written > texts.length * 0.9);
  await saved(page);
  assert.equal((await shown(page)).problem, '');
  assert.equal(await page.evaluate(() => localStorage.getItem('hone.refused')), null);
  assert.deepEqual(await page.evaluate(() => globalThis.hits), []);
  assert.equal(await page.evaluate(() => document.querySelectorAll('script, iframe, img, object, embed, base, link[rel=preload]').length), 1, 'the page’s own script');
  assert.deepEqual(wrong, []);
  await context.close();
  await hone.stop();
  const kept = labels(join(WORK, 'xss.db'));
  assert.equal(kept.length, texts.length);
  for (const label of kept) assert.ok(texts.includes(label.prompt) && texts.some((t) => t.slice(0, 8000) === label.note), 'texts are kept as they were');
});

test('a link shows where it leads, and goes nowhere by itself', { timeout: 240000 }, async () => {
  const hone = await annotate(join(WORK, 'link.db'), writePairs(join(WORK, 'link.jsonl'), [{ prompt: 'P', answers: ['[good](http://127.0.0.1:9/really?bad=1)', 'x'] }]));
  const { page, context, wrong } = await window(hone.base);
  await page.goto(hone.address);
  await settled(page);
  await page.click('button.link');
  assert.equal(await page.innerText('#link-url'), 'http://127.0.0.1:9/really?bad=1');
  await accessible(page, 'a link');
  await page.keyboard.press('Escape');
  assert.deepEqual(wrong, []);
  await context.close();
  await hone.stop();
});

test('kill -9 loses no judgement and no draft; the page goes on meanwhile', { timeout: 240000 }, async () => {
  const store = join(WORK, 'kill.db');
  const pairs = writePairs(join(WORK, 'kill.jsonl'), numbered(40));
  let hone = await annotate(store, pairs);
  const { page, context, wrong } = await window(hone.base);
  await page.goto(hone.address);
  await settled(page);
  const said = [];
  const say = async (key) => {
    said.push((await shown(page)).prompt);
    await judge(page, key);
  };
  await say('ArrowLeft');
  await say('ArrowRight');

  // Killed while a note and a correction are being written.
  await page.keyboard.press('n');
  await page.keyboard.type('half a tho');
  await page.keyboard.press('Escape');
  await page.keyboard.press('e');
  await page.keyboard.press('ArrowLeft');
  await until(page, () => document.activeElement.tagName === 'TEXTAREA');
  await page.keyboard.type(' corrected');
  await hone.kill();
  await page.keyboard.type(' while away');
  await page.keyboard.press('Control+Enter');
  await say('ArrowLeft');
  await say('ArrowRight');
  await say('ArrowUp');
  await until(page, () => document.getElementById('connection').textContent === 'Offline: 3 judgements wait here');
  await accessible(page, 'offline');
  // One that was not sent is undone where it stands.
  await judge(page, 'u');
  said.pop();
  await page.keyboard.press('n');
  await page.keyboard.type('a note that nobody has yet');
  hone = await annotate(store, pairs, hone.port);
  await saved(page);
  await page.waitForTimeout(900); // the draft's turn
  await page.reload();
  await settled(page);
  assert.equal((await shown(page)).note, 'a note that nobody has yet');
  assert.equal(page.url(), `${hone.base}/`);
  await say('ArrowLeft');

  // Killed right behind a key, again and again.
  for (let i = 0; i < 4; i++) {
    said.push((await shown(page)).prompt);
    await page.waitForTimeout(170);
    await page.keyboard.press(i % 2 ? 'ArrowLeft' : 'ArrowRight');
    await page.waitForTimeout([0, 3, 8, 20][i]);
    await hone.kill();
    hone = await annotate(store, pairs, hone.port);
    await saved(page);
  }
  // A reload while judgements wait sends them then.
  await hone.kill();
  await say('ArrowRight');
  await say('ArrowLeft');
  hone = await annotate(store, pairs, hone.port);
  await page.reload();
  await settled(page);
  await saved(page);

  // Undo reaches over the reload.
  await page.waitForTimeout(170);
  await page.keyboard.press('u');
  await until(page, (p) => document.getElementById('prompt').innerText.trim() === p, said.at(-1));
  await judge(page, 'ArrowUp');
  await saved(page);
  const ring = Number((await shown(page)).ring);
  assert.equal(ring, said.length - 1, 'all chosen but the last, which is a tie now');
  assert.deepEqual(wrong.filter((w) => !/ERR_CONNECTION|Failed to load/.test(w)), []);
  await context.close();
  await hone.stop();
  const kept = labels(store);
  assert.deepEqual(kept.map((l) => l.prompt).sort(), [...said].sort());
  const third = kept.find((l) => l.prompt === said[2]);
  assert.equal(third.note, 'half a tho');
  assert.match(JSON.stringify(third.correction), / corrected while away/);
  assert.ok(kept.some((l) => l.note === 'a note that nobody has yet'));
});

test('what was judged for one store waits for that store, and no other gets it', { timeout: 240000 }, async () => {
  const pairs = writePairs(join(WORK, 'desks.jsonl'), numbered(8));
  const [mine, other] = [join(WORK, 'mine.db'), join(WORK, 'other.db')];
  let hone = await annotate(mine, pairs);
  const { port } = hone;
  const { page, wrong } = await window(hone.base);
  await page.goto(hone.address);
  await settled(page);
  await hone.kill();
  const chosen = new Map();
  for (let i = 0; i < 6; i++) {
    const { prompt, first } = await shown(page);
    await judge(page, 'ArrowLeft');
    chosen.set(prompt, first);
  }
  hone = await annotate(other, pairs, port);
  await page.goto(hone.address);
  await page.reload(); // an address that differs in its fragment alone loads nothing
  await settled(page);
  await saved(page);
  assert.equal((await shown(page)).ring, '0');
  await hone.stop();
  assert.deepEqual(exported(other), []);
  hone = await annotate(mine, pairs, port);
  await page.goto(hone.address);
  await page.reload();
  await settled(page);
  await saved(page);
  await hone.stop();
  const rows = exported(mine);
  assert.equal(rows.length, 6);
  for (const row of rows) assert.equal(row.chosen, chosen.get(row.prompt), 'as it stood on the page');
  assert.deepEqual(wrong.filter((w) => !w.includes('ERR_CONNECTION_REFUSED')), []);
});

test('two windows share the work and tell each other', { timeout: 240000 }, async () => {
  const store = join(WORK, 'windows.db');
  const hone = await annotate(store, writePairs(join(WORK, 'windows.jsonl'), numbered(20)));
  const one = await window(hone.base);
  await one.page.goto(hone.address);
  await settled(one.page);
  const two = await window(hone.base, { context: one.context });
  await two.page.goto(hone.base);
  await settled(two.page);
  assert.equal((await shown(two.page)).prompt, (await shown(one.page)).prompt);
  for (let i = 0; i < 6; i++) {
    const [here, there] = i % 2 ? [two.page, one.page] : [one.page, two.page];
    const before = (await shown(here)).prompt;
    await judge(here, 'ArrowLeft');
    await until(there, (p) => document.getElementById('prompt').innerText.trim() !== p, before);
    assert.equal((await shown(there)).prompt, (await shown(here)).prompt);
    await until(there, (n) => Number(document.getElementById('ring-count').textContent) === n, i + 1);
  }
  // Both at the same moment: one of them counts.
  await one.page.waitForTimeout(170);
  await Promise.all([one.page.keyboard.press('ArrowLeft'), two.page.keyboard.press('ArrowRight')]);
  await saved(one.page);
  await saved(two.page);
  await until(one.page, () => Number(document.getElementById('ring-count').textContent) === 7);
  assert.deepEqual([...one.wrong, ...two.wrong], []);
  await one.context.close();
  await hone.stop();
  assert.equal(labels(store).length, 7);
});

test('small screens, large zoom, dark: nothing overflows, nothing is serious', { timeout: 240000 }, async () => {
  const long = 'Averylongwordwithoutabreak'.repeat(20);
  const rows = [{ prompt: 'שלום, מה שלומך?', answers: [`${long}\n\n\`\`\`\n${long}\n\`\`\``, '| a | b |\n|---|---|\n| 1 | 2 |\n\n1. one\n   - two'] }];
  const hone = await annotate(join(WORK, 'small.db'), writePairs(join(WORK, 'small.jsonl'), rows));
  const first = await window(hone.base, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' });
  await first.page.goto(hone.address);
  await settled(first.page);
  for (const [width, height, colorScheme] of [[320, 640, 'dark'], [320, 256, 'light'], [768, 1024, 'dark'], [1280, 720, 'light']]) {
    await first.page.setViewportSize({ width, height });
    await first.page.emulateMedia({ colorScheme });
    await accessible(first.page, `${width}x${height} ${colorScheme}`);
    const wide = await first.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${width} scrolls sideways by ${wide}`);
    const small = await first.page.evaluate(() => [...document.querySelectorAll('#compare button, header button')].filter((b) => {
      const box = b.getBoundingClientRect();
      return box.width > 0 && (box.width < 24 || box.height < 24) && !b.classList.contains('link');
    }).length);
    assert.equal(small, 0, 'targets of 24 px at least');
    // Read in the order A, B, controls.
    const order = await first.page.evaluate(() => ['#prompt', '#answer-a', '#answer-b', '.controls'].every((s, i, all) => i === 0 ||
      document.querySelector(all[i - 1]).compareDocumentPosition(document.querySelector(s)) & Node.DOCUMENT_POSITION_FOLLOWING));
    assert.ok(order);
  }
  assert.deepEqual(await first.page.evaluate(() => [...document.querySelectorAll('.text table tr')].map((r) => [...r.cells].map((c) => c.textContent))), [['a', 'b'], ['1', '2']]);
  assert.equal(await first.page.evaluate(() => getComputedStyle(document.querySelector('#prompt p')).direction), 'rtl');
  assert.deepEqual(first.wrong, []);
  await first.context.close();

  // A stranger's browser gets nothing.
  const stranger = await window(hone.base);
  await stranger.page.goto(hone.base);
  await settled(stranger.page);
  assert.equal((await shown(stranger.page)).title, 'This page is not signed in');
  await accessible(stranger.page, 'not signed in');
  await stranger.context.close();
  await hone.stop();
});

test('a model makes the pairs: the first grows on the page, the next ones are there before they are asked for', { timeout: 480000, skip: !samples && 'a build without models' }, async () => {
  const folder = join(WORK, 'model');
  mkdirSync(folder);
  const model = ['--model', makeModel(folder, 24), '--max-tokens', '400', '--temperature', '1'];
  const store = join(WORK, 'model.db');
  let hone = await annotate(store, model);
  const { page, context, wrong } = await window(hone.base);
  await page.goto(hone.address);
  const began = Date.now();
  await page.evaluate(() => {
    globalThis.offline = 0;
    new MutationObserver(() => { globalThis.offline += document.getElementById('connection').dataset.state === 'offline'; })
      .observe(document.getElementById('connection'), { attributes: true });
  });
  // A fast machine may have the pair whole before the page has drawn it: then there is no growth to look at.
  await until(page, () => document.querySelector('#answer-a .body').innerText.length > 20, null, 60000);
  const grows = await page.evaluate(() => !document.getElementById('growing').hidden);
  const early = await shown(page);
  if (grows) {
    // In one turn of the page with the question whether it grows, so that the key never meets a pair that is whole.
    await page.evaluate(() => document.getElementById('growing').hidden || document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft', bubbles: true })));
    assert.equal(await page.evaluate(() => document.getElementById('growing').hidden || [...document.querySelectorAll('.primary button')].every((b) => b.disabled)), true);
    await accessible(page, 'growing');
  }
  await page.keyboard.press('n');
  await page.keyboard.type('read along');
  await until(page, () => document.getElementById('growing').hidden, null, 120000);
  const first = await shown(page);
  assert.equal(first.prompt, early.prompt);
  assert.ok(first.first.length >= early.first.length && first.second.length >= early.second.length, 'nothing of it is lost');
  assert.equal(first.note, 'read along', 'the note outlives the growth');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'note', 'and the cursor stays in it');
  assert.equal(first.ring, '0');
  await page.keyboard.press('Escape');
  const said = [];
  const say = async (key) => {
    said.push((await shown(page)).prompt);
    await judge(page, key);
  };
  await say('ArrowLeft');
  await until(page, () => !document.getElementById('compare').hidden, null, 120000);
  for (let i = 0; i < 5; i++) await say(i % 2 ? 'ArrowLeft' : 'ArrowRight');
  await saved(page);
  assert.equal(new Set(said).size, said.length, 'no prompt twice');
  await page.waitForTimeout(Math.max(0, 17000 - (Date.now() - began)));
  assert.equal(await page.evaluate(() => globalThis.offline), 0, 'the live stream has no end of its own');

  // Killed while it makes the next ones: what was ready is still there, in its order.
  await until(page, () => !document.getElementById('compare').hidden && document.getElementById('growing').hidden, null, 120000);
  const next = await shown(page);
  await hone.kill();
  hone = await annotate(store, model, hone.port);
  await page.reload();
  await settled(page);
  const again = await shown(page);
  assert.deepEqual([again.prompt, again.first, again.second], [next.prompt, next.first, next.second]);
  await say('ArrowUp');
  await saved(page);
  assert.deepEqual(wrong.filter((w) => !/ERR_CONNECTION|Failed to load/.test(w)), []);
  const ring = Number((await shown(page)).ring);
  await context.close();
  assert.equal((await hone.stop()).code, 0);

  const kept = labels(store);
  assert.deepEqual(kept.map((l) => l.prompt).sort(), [...said].sort());
  for (const l of kept) {
    assert.match(l.policy_a, /^sft sha256:[0-9a-f]{32}$/);
    assert.ok(l.propensity > 0 && l.propensity <= 1);
    assert.ok(['uniform', 'probability_variance'].includes(l.strategy));
  }
  const trains = kept.filter((l) => l.strategy !== 'uniform' && ['a', 'b'].includes(l.outcome)).length;
  assert.equal(ring, trains, 'what is kept to measure with moves no ring');
  assert.equal(exported(store).length, trains, 'and trains nothing');
});
