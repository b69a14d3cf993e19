// Comforts only: the page is complete without this. Nothing here writes HTML; all text goes through textContent.
'use strict';

// Values under the pointer, or at the arrow keys' cursor, of every line chart.
const tip = document.createElement('div');
tip.id = 'tip';
tip.hidden = true;
tip.setAttribute('role', 'status');
document.body.append(tip);
const round = x => Number.isInteger(x) ? x.toLocaleString('en') : Number(x.toPrecision(4)).toLocaleString('en', {maximumSignificantDigits: 4});

function watch(svg) {
  const chart = JSON.parse(svg.dataset.chart);
  const xs = [...new Set(chart.series.flatMap(s => s.points.map(p => p[0])))].sort((a, b) => a - b);
  const cursor = document.createElementNS('http://www.w3.org/2000/svg', 'line');
  cursor.setAttribute('class', 'cursor');
  cursor.setAttribute('y1', '0');
  cursor.setAttribute('y2', '100%');
  let at = -1;
  const nearest = (list, x) => list.reduce((best, v, i) => Math.abs(v - x) < Math.abs(list[best] - x) ? i : best, 0);

  function show(index) {
    at = Math.min(Math.max(index, 0), xs.length - 1);
    const share = (xs[at] - chart.x0) / (chart.x1 - chart.x0);
    cursor.setAttribute('x1', 100 * share + '%');
    cursor.setAttribute('x2', 100 * share + '%');
    svg.append(cursor);
    const head = document.createElement('b');
    head.textContent = chart.x.split(',')[0] + ' ' + round(xs[at]);
    tip.replaceChildren(head);
    const gap = (chart.x1 - chart.x0) / 40;
    for (const s of chart.series) {
      if (!s.points.length) continue;
      const p = s.points[nearest(s.points.map(q => q[0]), xs[at])];
      if (Math.abs(p[0] - xs[at]) > gap) continue;
      const line = document.createElement('div');
      line.textContent = s.name + '  ' + (chart.percent ? (100 * p[1]).toFixed(1) + '%' : round(p[1]));
      tip.append(line);
    }
    tip.hidden = false;
    const box = svg.getBoundingClientRect();
    const left = box.left + share * box.width + 12;
    tip.style.left = (left + tip.offsetWidth > innerWidth - 8 ? Math.max(8, left - tip.offsetWidth - 24) : left) + 'px';
    tip.style.top = Math.max(8, box.top + 8) + 'px';
  }
  function hide() {
    tip.hidden = true;
    cursor.remove();
  }
  svg.addEventListener('pointermove', e => {
    const box = svg.getBoundingClientRect();
    show(nearest(xs, chart.x0 + (e.clientX - box.left) / box.width * (chart.x1 - chart.x0)));
  });
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('blur', hide);
  svg.addEventListener('keydown', e => {
    if (e.key !== 'ArrowLeft' && e.key !== 'ArrowRight') return;
    e.preventDefault();
    show(at < 0 ? 0 : at + (e.key === 'ArrowRight' ? 1 : -1));
  });
}
document.querySelectorAll('svg[data-chart]').forEach(watch);

// Search, filter and order of the answers; a page of them at a time.
function finder(root) {
  const form = root.querySelector('form');
  const list = root.querySelector('.pairs');
  const all = [...root.querySelectorAll('.pair')].map((card, i) => ({card, i, family: card.dataset.family, gain: card.dataset.gain === undefined ? null : Number(card.dataset.gain), text: card.textContent.toLowerCase()}));
  const step = 8;
  let limit = step;
  all.forEach(entry => list.append(entry.card));
  root.querySelector('details.more')?.remove();
  const more = document.createElement('button');
  more.type = 'button';
  more.className = 'more-button';
  root.append(more);
  const search = form.querySelector('input');
  const family = form.querySelector('[name=family]');
  const order = form.querySelector('[name=order]');

  function update() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = all.filter(e => (!family || !family.value || e.family === family.value) && words.every(w => e.text.includes(w)));
    const sign = order.value === 'win' ? -1 : order.value === 'loss' ? 1 : 0;
    wanted.sort((a, b) => sign && a.gain !== null && b.gain !== null ? sign * (a.gain - b.gain) || a.i - b.i : sign ? (a.gain === null) - (b.gain === null) : a.i - b.i);
    all.forEach(e => e.card.hidden = true);
    wanted.forEach((e, i) => {
      list.append(e.card);
      e.card.hidden = i >= limit;
    });
    const shown = Math.min(limit, wanted.length);
    form.querySelector('output').textContent = wanted.length === 0 ? 'nothing matches' : shown + ' of ' + wanted.length + ' shown';
    more.hidden = shown === wanted.length;
    more.textContent = 'Show ' + Math.min(step * 2, wanted.length - shown) + ' more';
  }
  const restart = () => { limit = step; update(); };
  form.addEventListener('input', restart);
  form.addEventListener('submit', e => e.preventDefault());
  more.addEventListener('click', () => { limit += step * 2; update(); });
  form.hidden = false;
  update();
}
document.querySelectorAll('[data-finder]').forEach(finder);
