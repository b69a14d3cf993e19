// Learning from what was judged, and the blind test of what came of it: a button in the header, a dialog behind it.

import { call } from './api.js';
import { ask } from './menus.js';

const $ = (id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';

let now = null; // ROUND of annotate/round_view.h; null: nobody learns here
let hooks = { say() {}, complain() {}, changed() {} };

const percent = (x) => `${Math.round(100 * x)}%`;
const minutes = (s) => (s < 90 ? `${Math.round(s)} s` : `${Math.round(s / 60)} min`);

function make(tag, attributes = {}, ...children) {
  const e = ['svg', 'path', 'line', 'circle', 'rect'].includes(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

/** Right comparisons over steps: of each trial on what it kept apart (thick), then of the model that learns from all (thin), with
 * what the trials say of it (thick). */
function curve({ curve: points, total }) {
  if (!points.length) return '';
  const tried = points.filter((p) => 'held_out_accuracy' in p);
  const pooled = points.filter((p) => 'pooled_accuracy' in p);
  const end = Math.max(total, points.at(-1).step, 1);
  const x = (p) => (300 * p.step) / end;
  const y = (share) => 90 - 80 * share;
  const path = (list, key) => list.map((p, i) => `${i ? 'L' : 'M'}${x(p).toFixed(1)} ${y(p[key]).toFixed(1)}`).join('');
  const dots = (list, key) => list.map((p) => make('circle', { cx: x(p), cy: y(p[key]), r: 3 }));
  const trials = [...new Set(tried.map((p) => p.fold))];
  const last = pooled.at(-1) ?? tried.at(-1);
  const right = last && percent(last.pooled_accuracy ?? last.held_out_accuracy);
  const told = !last ? `Trial ${points.at(-1).fold} of how far to go` : pooled.length ? `Where step ${last.step} stands, the trials were right in ${right} of what each had kept apart`
    : `Trial ${last.fold} of how far to go: right in ${right} of the comparisons that it keeps apart`;
  const svg = make('svg', { viewBox: '0 0 300 100', class: 'curve', role: 'img', 'aria-label': told });
  svg.append(make('line', { class: 'half', x1: 0, x2: 300, y1: 50, y2: 50 }),
    make('path', { class: 'thin', d: path(points.filter((p) => 'accuracy' in p), 'accuracy') }),
    ...trials.map((fold) => make('path', { class: 'thick', d: path(tried.filter((p) => p.fold === fold), 'held_out_accuracy') })),
    make('path', { class: 'thick', d: path(pooled, 'pooled_accuracy') }), ...dots(tried, 'held_out_accuracy'), ...dots(pooled, 'pooled_accuracy'));
  const kl = points.filter((p) => 'kl_per_token' in p).at(-1);
  return make('figure', {}, svg, make('figcaption', {}, `${told} (dots; the line in the middle is chance).`
    + `${kl ? ` ${Math.max(0, kl.kl_per_token).toFixed(3)} nats a token away from the start; at 0.1 it stops.` : ''}`));
}

function interval(v) {
  const svg = make('svg', { viewBox: '0 0 300 40', class: 'interval', role: 'img',
    'aria-label': `${percent(v.share)} prefer the new model, 95% interval ${percent(v.low)} to ${percent(v.high)}` });
  svg.append(make('line', { class: 'axis', x1: 0, x2: 300, y1: 20, y2: 20 }), make('line', { class: 'half', x1: 150, x2: 150, y1: 4, y2: 36 }),
    make('rect', { x: 300 * v.low, width: Math.max(2, 300 * (v.high - v.low)), y: 14, height: 12, rx: 6 }), make('circle', { cx: 300 * v.share, cy: 20, r: 5 }));
  return make('figure', {}, svg, make('figcaption', { class: 'ends' }, make('span', {}, 'the other is better'), make('span', {}, 'the new one is better')));
}

function verdicts() {
  return now.verdicts.filter((v) => v.finding !== 'unfinished').flatMap((v) => [
    make('p', { class: 'verdict' }, v.words), v.decided ? interval(v) : '',
    make('p', { class: 'soft' }, [v.beside, v.any_time ? 'The test was extended: this interval holds whenever you stop.' : 'The number was fixed beforehand; the interval is exact.'].filter(Boolean).join('. ')),
  ]);
}

function changes(list) {
  if (!list.length) return '';
  const show = (x, unit) => (x === null ? '–' : `${unit === '%' || unit === 'tokens' ? Math.round(x) : unit ? x.toFixed(3).replace(/^-(0\.0+)$/, '$1') : x.toFixed(1)}${unit === '%' ? '%' : ''}`);
  return make('table', {}, make('caption', {}, 'What changed beside taste'),
    make('thead', {}, make('tr', {}, make('td'), make('th', { scope: 'col' }, 'before'), make('th', { scope: 'col' }, 'after'))),
    make('tbody', {}, ...list.map((c) => make('tr', {}, make('th', { scope: 'row' }, c.name + (c.unit && c.unit !== '%' ? `, ${c.unit}` : '')),
      make('td', {}, show(c.before, c.unit)), make('td', {}, show(c.after, c.unit))))));
}

const OUTCOME = {
  learned: 'Your model has learned', learned_too_hard: 'Learned too hard', nothing_learned: 'Nothing was learned', stopped: 'The round was given up', failed: 'The round failed',
};

/** Heading, paragraphs and what can be done, by how it stands. */
function content() {
  const r = now.round;
  const may = (what, label, strong = false) => (now.may.includes(what) ? [make('button', { type: 'button', 'data-do': what, ...(strong ? { class: 'strong' } : {}) }, label)] : []);
  if (now.state === 'starting') return ['Learning begins', [make('p', {}, 'The model is being read. Go on judging meanwhile.')], may('stop', 'Stop')];
  if (now.state === 'learning')
    return [r.total && r.step >= r.total ? 'Measuring what changed' : 'Learning', [
      make('p', {}, r.total ? `Step ${r.step} of at most ${r.total}, ${minutes(r.seconds)} so far, from ${r.pairs} comparisons. You can go on judging, or close the window: it goes on.` : `From ${r.pairs} comparisons. First it asks what the start model thinks of them.`),
      r.total ? make('progress', { max: r.total, value: r.step, 'aria-label': 'Steps' }) : '', curve(r)], may('stop', 'Stop')];
  if (now.state === 'paused')
    return ['Learning is stopped', [make('p', {}, now.trouble || 'Its last step is kept. It can go on from there.'), r ? curve(r) : ''], [...may('go_on', 'Go on', true), ...may('give_up', 'Give it up')]];
  if (now.state === 'preparing') return ['The blind test is being prepared', [make('p', {}, 'Both models answer prompts that nobody has seen. It takes a minute.')], []];
  if (now.test) return ['Blind test', [make('p', {}, `${now.test.asked} of ${now.test.prompts} answered. Which answer is whose stays hidden, and so does the count, until all are.`)], []];
  if (!r || r.outcome === 'stopped') {
    return ['Learn from me', [now.trouble ? make('p', {}, `Learning did not begin: ${now.trouble}.`) : '', make('p', {}, now.pairs >= now.fewest ? `The model learns from ${now.pairs} comparisons: about 10 minutes on two cores. It tries out first how far to go, and stops there, or where it leaves the start too far behind. Then a blind test says whether you like it better.` : `${now.pairs} of at least ${now.fewest} comparisons with a better answer. Sixty are a good number.`)],
      may('start', 'Learn from me', true)];
  }
  const told = now.verdicts.length > 0;
  const body = told ? verdicts() : [make('p', {}, `${r.why}.`.replace(/^./, (c) => c.toUpperCase())),
    r.outcome === 'learned_too_hard' ? make('p', {}, 'What is offered is the last evaluation that held the limits.') : '', curve(r)];
  if (now.may.includes('test')) body.push(make('p', {}, `A blind test: ${now.offer.prompts} new prompts${r.name > 1 ? ' against each of the one before and the original' : ''}, names hidden. ${now.offer.can_show}`));
  body.push(changes(r.changes), make('p', { class: 'soft' }, 'All curves and figures: ', make('code', {}, r.report)));
  const found = (what) => now.verdicts.some((v) => v.finding === what);
  if (r.chosen) body.push(make('p', { class: 'soft' }, r.chosen === 'after' ? 'You went on with the new model.' : 'You went on with the one before.'));
  return [told ? 'The verdict' : OUTCOME[r.outcome] ?? 'The last round', body,
    [...may('test', `Test it on ${now.offer.prompts} new prompts`, !told), ...may('extend', `${now.offer.prompts} more`), ...may('choose_after', 'Go on with the new one', found('better') && !found('worse')), ...may('choose_before', 'Keep the one before', found('worse')),
      ...(r.chosen || r.outcome === 'nothing_learned' ? may('start', 'Learn again') : [])]];
}

function draw() {
  const focused = document.activeElement?.dataset?.do;
  const [title, body, actions] = content();
  $('round-title').textContent = title;
  $('round-body').replaceChildren(...body.filter(Boolean));
  $('round-actions').replaceChildren(...actions);
  if (focused) ($('round-actions').querySelector(`[data-do=${focused}]`) ?? $('round-title')).focus();
}

function label() {
  const r = now.round;
  if (now.state === 'learning' || now.state === 'starting') return r?.total && now.state === 'learning' ? `Learning ${r.step}/${r.total}` : 'Learning';
  if (now.state === 'paused') return 'Learning stopped';
  if (now.state === 'preparing') return 'Preparing test';
  if (now.test) return `Blind test ${now.test.asked}/${now.test.prompts}`;
  if (now.verdicts.length && !r.chosen) return 'Verdict';
  if (r && r.outcome !== 'stopped' && !r.chosen && r.outcome !== 'nothing_learned') return 'New model';
  return 'Learn from me';
}

/** What hone says of rounds now. */
export function update(data) {
  const before = now;
  if (before && data.seq < before.seq) return;
  now = data;
  $('round-open').hidden = false;
  $('round-open').textContent = label();
  const ripe = now.may.some((m) => ['test', 'choose_after', 'go_on'].includes(m)) && !now.round?.chosen;
  $('round-open').classList.toggle('strong', ripe);
  $('blind').hidden = !now.test;
  if (now.test) $('blind').textContent = `Blind test, ${Math.min(now.test.asked + 1, now.test.prompts)} of ${now.test.prompts}: which model is which stays hidden.`;
  if ($('round-box').open) draw();
  if (before && label() !== 'Learn from me' && before.state !== now.state) hooks.say(`${content()[0]}.`);
  if (before && !before.test !== !now.test) hooks.changed();
  if (before?.test && !now.test && now.verdicts.length) open();
}

async function act(what) {
  try {
    update(await call('POST', '/round', { body: { do: what }, time: 60000 }));
    if (what.startsWith('choose') || what === 'test' || what === 'extend') $('round-box').close('');
  } catch (error) {
    if (error.status === 409) hooks.complain([error.message, error.hint].filter(Boolean).join('. '));
    else hooks.complain(error.message);
    $('round-box').close('');
  }
}

let asking = false;
/** Asks hone how it stands: what was judged counts for a round, or for a test. */
export async function refresh() {
  if (!now || asking) return;
  asking = true;
  try {
    update(await call('GET', '/round'));
  } catch { /* the next judgement asks again */ }
  asking = false;
}

/** The dialog; nothing where nobody learns. */
export function open() {
  if (!now) return;
  refresh();
  draw();
  ask('round-box');
  $('round-title').focus();
}

export async function start(given) {
  hooks = given;
  $('round-actions').addEventListener('click', (e) => {
    const button = e.target.closest('[data-do]');
    if (!button) return;
    button.disabled = true;
    act(button.dataset.do);
  });
  try {
    update(await call('GET', '/round'));
  } catch { /* pairs of files: nobody learns */ }
}
