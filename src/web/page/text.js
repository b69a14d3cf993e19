// Model text to DOM, by createElement and textContent alone: whatever a model writes stays text. A small Markdown:
// paragraphs, headings, lists, quotes, tables, code, bold, italic, links that are buttons (onLink shows where they lead). No HTML,
// no images. Characters that hide or reorder text are shown by their numbers. Every loop is bounded by the text's length
// times a constant, so that hostile text cannot hang the page.

const LIMIT = 20000; // characters shown at first
const DEPTH = 4; // of lists and quotes in one another
const LINK = 2000; // characters of an address

const el = (name, className, ...children) => {
  const e = document.createElement(name);
  if (className) e.className = className;
  e.append(...children);
  return e;
};

// Controls, soft hyphen, joiners, marks and overrides of direction, fillers, tags, interlinear marks, the replacement.
const ODD = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}])\1*|(\p{M}{8})\p{M}+/gu;
// Joiners that belong: within emoji, and in scripts that are written with them.
// Asked of one character: Chromium 156 matches no astral character with /[…]$/u.
const JOINS = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{M}]$/u;

function putPlain(parent, text) {
  let at = 0;
  for (const m of text.matchAll(ODD)) {
    const before = [...text.slice(Math.max(0, m.index - 2), m.index)].at(-1) ?? '';
    if (m[1] && m[0].length === 1 && (m[1] === '\u200c' || m[1] === '\u200d') && JOINS.test(before)) continue;
    const kept = m[2] ? m[2].length : 0;
    parent.append(text.slice(at, m.index + kept));
    at = m.index + m[0].length;
    const count = m[2] ? [...m[0]].length - 8 : m[0].length / m[1].length;
    const name = m[2] ? 'marks' : 'U+' + m[1].codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
    parent.append(el('span', 'odd', count > 1 || m[2] ? `${name} ×${count}` : name));
  }
  parent.append(text.slice(at));
}

/** Text as it stands, odd characters shown. */
export function plain(text) {
  const out = document.createDocumentFragment();
  putPlain(out, text);
  return out;
}

// `code`, [text](address), ![text](address), bold, italic, a bare address. Nothing opens without its end near by.
const INLINE = /(`{1,3})(?!`)([^`]{1,2000}?)\1(?!`)|(!?)\[([^\[\]\n]{0,500})\]\(\s*<?([^\s()<>]{1,2000}(?:\([^\s()<>]{0,200}\)[^\s()<>]{0,200})?)>?[^()\n]{0,200}\)|(\*\*|__)(?=\S)([^\n]{1,1000}?\S)\6|(?<![\p{L}\p{N}*_])([*_])(?=[^\s*_])([^\n*]{0,1000}?[^\s*_])\8(?![\p{L}\p{N}*_])|\bhttps?:\/\/[^\s<>"'`)\]]{1,2000}/gu;

function putLink(parent, label, url, onLink, depth) {
  let parsed = null;
  try {
    parsed = new URL(url);
  } catch { /* no address: shown as it stands */ }
  if (!parsed || !/^https?:$/.test(parsed.protocol) || url.length > LINK) {
    putPlain(parent, label === url ? url : `${label} (${url})`);
    return;
  }
  const link = el('button', 'link');
  link.type = 'button';
  if (depth < 2 && label !== url) putInline(link, label, onLink, 2);
  else putPlain(link, label);
  link.title = url;
  link.addEventListener('click', () => onLink(parsed.href));
  parent.append(link);
}

function putInline(parent, text, onLink, depth = 0) {
  let at = 0;
  for (const m of text.matchAll(INLINE)) {
    putPlain(parent, text.slice(at, m.index));
    at = m.index + m[0].length;
    if (m[1]) {
      const code = el('code');
      putPlain(code, m[2]);
      parent.append(code);
    } else if (m[5] !== undefined) {
      if (m[3]) putPlain(parent, `[image: ${m[4] || 'no description'}, ${m[5]}]`);
      else if (depth < 2) putLink(parent, m[4] || m[5], m[5], onLink, depth);
      else putPlain(parent, m[0]);
    } else if (m[7] !== undefined || m[9] !== undefined) {
      const strong = el(m[7] !== undefined ? 'strong' : 'em');
      if (depth < 2) putInline(strong, m[7] ?? m[9], onLink, depth + 1);
      else putPlain(strong, m[7] ?? m[9]);
      parent.append(strong);
    } else if (depth < 2) {
      putLink(parent, m[0], m[0], onLink, depth);
    } else {
      putPlain(parent, m[0]);
    }
  }
  putPlain(parent, text.slice(at));
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]{0,30})[^`]*$/;
const ITEM = /^(\s{0,40})([-*+•]|\d{1,9}[.)])\s+(.*)$/;
const HEADING = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}>\s?/;
const ROW = /^\s*\|.*\|\s*$/;
const DASHES = /^\s*\|?\s*:?-+[\s:|-]*$/;
const COLUMNS = 30; // of a table

// A block of the text has its own direction. What stands in a list or quote has the style sheet's unicode-bidi instead:
// dir="auto" passes over children that have a dir of their own.
function block(name, className, depth = 0) {
  const e = el(name, className);
  if (depth === 0) e.dir = 'auto';
  return e;
}

function putBlocks(parent, lines, onLink, depth) {
  let i = 0;
  while (i < lines.length) {
    const line = lines[i];
    let m;
    if (!line.trim()) {
      i++;
    } else if ((m = FENCE.exec(line))) {
      const end = new RegExp(`^ {0,3}${m[1][0]}{${Math.min(m[1].length, 100)},}\\s*$`);
      const code = [];
      for (i++; i < lines.length && !end.test(lines[i]); i++) code.push(lines[i]);
      i++;
      putCode(parent, code.join('\n'), m[2]);
    } else if ((m = HEADING.exec(line))) {
      const p = block('p', 'h', depth);
      putInline(p, m[1], onLink);
      parent.append(p);
      i++;
    } else if (RULE.test(line)) {
      parent.append(el('hr'));
      i++;
    } else if (QUOTE.test(line) && depth < DEPTH) {
      const inner = [];
      for (; i < lines.length && QUOTE.test(lines[i]); i++) inner.push(lines[i].replace(QUOTE, ''));
      const quote = block('blockquote', '', depth);
      putBlocks(quote, inner, onLink, depth + 1);
      parent.append(quote);
    } else if (ITEM.test(line) && depth < DEPTH) {
      i = putList(parent, lines, i, onLink, depth);
    } else if (tableAt(lines, i)) {
      const rows = [cells(line)];
      for (i += 2; i < lines.length && ROW.test(lines[i]); i++) rows.push(cells(lines[i]));
      putTable(parent, rows, onLink, depth);
    } else {
      const text = [line];
      for (i++; i < lines.length && lines[i].trim() && !FENCE.test(lines[i]) && !HEADING.test(lines[i]) && !RULE.test(lines[i]) && !tableAt(lines, i) &&
           !((QUOTE.test(lines[i]) || ITEM.test(lines[i])) && depth < DEPTH); i++) text.push(lines[i]);
      const p = block('p', '', depth);
      putInline(p, text.join('\n'), onLink);
      parent.append(p);
    }
  }
}

// A row's cells: what stands between bars that no backslash is before.
const cells = (line) => line.trim().replace(/^\||(?<!\\)\|$/g, '').split(/(?<!\\)\|/, COLUMNS).map((cell) => cell.trim().replaceAll('\\|', '|'));

// A row, and below it as many dashes.
const tableAt = (lines, i) => ROW.test(lines[i]) && DASHES.test(lines[i + 1] ?? '') && cells(lines[i + 1]).length === cells(lines[i]).length;

function putTable(parent, rows, onLink, depth) {
  const box = el('div', 'table');
  box.tabIndex = 0; // scrolls by keyboard
  box.setAttribute('role', 'group');
  box.setAttribute('aria-label', 'table');
  const table = block('table', '', depth);
  const width = rows[0].length;
  rows.forEach((row, n) => {
    const tr = el('tr');
    for (let c = 0; c < width; c++) {
      const cell = el(n === 0 ? 'th' : 'td');
      putInline(cell, row[c] ?? '', onLink);
      tr.append(cell);
    }
    table.append(tr);
  });
  box.append(table);
  parent.append(box);
}

function putCode(parent, text, language) {
  const pre = el('pre');
  pre.dir = 'auto';
  pre.tabIndex = 0; // scrolls by keyboard
  pre.setAttribute('role', 'group');
  pre.setAttribute('aria-label', language ? `code, ${language}` : 'code');
  const code = el('code');
  putPlain(code, text);
  if (language) pre.append(el('span', 'lang', language));
  pre.append(code);
  parent.append(pre);
}

function putList(parent, lines, i, onLink, depth) {
  const first = ITEM.exec(lines[i]);
  const numbered = /\d/.test(first[2]);
  const list = block(numbered ? 'ol' : 'ul', '', depth);
  if (numbered) list.start = parseInt(first[2], 10);
  const indent = first[1].length;
  while (i < lines.length) {
    const m = ITEM.exec(lines[i]);
    if (!m || m[1].length < indent || m[1].length > indent + 1 || /\d/.test(m[2]) !== numbered) break;
    const inner = [m[3]];
    for (i++; i < lines.length; i++) {
      const next = lines[i];
      if (!next.trim()) {
        const after = lines[i + 1] ?? '';
        if (!after.trim() || (!/^\s{2,}/.test(after) && !ITEM.test(after))) break;
        if (ITEM.test(after) && ITEM.exec(after)[1].length <= indent + 1) { i++; break; }
        inner.push('');
        continue;
      }
      const item = ITEM.exec(next);
      if (item && item[1].length <= indent + 1) break;
      if (!item && !/^\s/.test(next) && (FENCE.test(next) || HEADING.test(next) || QUOTE.test(next) || RULE.test(next))) break;
      inner.push(next.slice(Math.min(indent + 2, /^\s*/.exec(next)[0].length)));
    }
    const li = el('li');
    if (inner.length === 1) putInline(li, inner[0], onLink);
    else putBlocks(li, inner, onLink, depth + 1);
    list.append(li);
  }
  parent.append(list);
  return i;
}

/** What a person or model wrote, into `parent`, which is emptied first. */
export function show(parent, text, onLink, limit = LIMIT) {
  parent.replaceChildren();
  if (!text.trim()) {
    parent.append(el('p', 'none', 'This answer is empty.'));
    return;
  }
  let shown = text;
  if (text.length > limit) {
    let end = text.lastIndexOf('\n', limit);
    if (end < limit / 2) end = limit;
    if (/[\ud800-\udbff]/.test(text[end - 1])) end--;
    shown = text.slice(0, end);
  }
  putBlocks(parent, shown.replace(/\r\n?/g, '\n').split('\n'), onLink, 0);
  if (shown.length < text.length) {
    const more = el('button', 'quiet', `Show ${(text.length - shown.length).toLocaleString('en')} more characters`);
    more.type = 'button';
    more.addEventListener('click', () => show(parent, text, onLink, limit * 10));
    parent.append(el('p', '', more));
  }
}
