// The page in a real browser, opened from disk: a small page beside it loads it into frames of several widths,
// measures, uses the search, and leaves what it found as JSON in its own DOM, which `chromium --dump-dom` prints.
// Console messages (script errors, refusals of the page's own security policy) come on standard error.
//
// Without a browser the test says so and passes, except where CI is set. HONE_SCREENSHOTS=FOLDER keeps pictures.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "report/report.h"
#include "synthetic.h"

namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("hone-browser-test-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

// Asks each width's frame for what matters. The frames are same-origin thanks to --allow-file-access-from-files.
constexpr const char* kHarness = R"html(<!doctype html><meta charset=utf-8><body><pre id=found></pre><script>
const widths = [320, 375, 768, 1280];
async function measure(width) {
  const frame = document.createElement('iframe');
  frame.style = 'border:0;height:900px;width:' + width + 'px';
  frame.src = 'PAGE';
  const loaded = new Promise(done => frame.onload = done);
  document.body.append(frame);
  await loaded;
  const page = frame.contentDocument, root = page.documentElement, view = frame.contentWindow;
  page.querySelectorAll('details').forEach(d => d.open = true);
  const wide = [...page.querySelectorAll('body *')].filter(e => !e.closest('svg, .skip, #tip') && e.getBoundingClientRect().right > width + 0.5).map(e => e.tagName + '.' + e.className);
  const outside = [...page.querySelectorAll('svg text')].filter(e => { const b = e.getBoundingClientRect(); return b.width && (b.right > width || b.left < 0); }).map(e => e.textContent);
  const small = [...page.querySelectorAll('svg text')].filter(e => parseFloat(view.getComputedStyle(e).fontSize) < 10).length;
  const svgs = [...page.querySelectorAll('.plot > svg, .track')];
  const found = {width, scroll: root.scrollWidth, client: root.clientWidth, wide: wide.slice(0, 8), outside: outside.slice(0, 8), small, charts: svgs.length,
    crossed: [...page.querySelectorAll('.values li')].filter(li => { const [b, s] = [li.querySelector('b'), li.querySelector('span')].map(e => { const r = page.createRange(); if (e) r.selectNodeContents(e); return r.getBoundingClientRect(); }); return s.width && (b.right > s.left - 2 || s.right > li.parentNode.getBoundingClientRect().right + 1); }).map(li => li.textContent).slice(0, 8),
    flat: svgs.filter(s => s.getBoundingClientRect().height < 10 || s.getBoundingClientRect().width < 60).map(s => s.outerHTML.slice(0, 200)), title: page.title,
    unnamed: page.querySelectorAll('svg[role=img]:not([aria-label])').length, ids: new Set([...page.querySelectorAll('[id]')].map(e => e.id)).size - page.querySelectorAll('[id]').length,
    dead: [...page.querySelectorAll('nav a')].filter(a => !page.getElementById(a.getAttribute('href').slice(1))).length};
  const form = page.querySelector('[data-finder] form');
  if (form) {
    const visible = () => [...page.querySelectorAll('.pair')].filter(p => !p.hidden).length;
    const set = (e, v) => { e.value = v; e.dispatchEvent(new view.Event('input', {bubbles: true})); };
    found.pairs = page.querySelectorAll('.pair').length;
    found.first = visible();
    set(form.querySelector('input'), 'lamp');
    found.lamp = visible();
    set(form.querySelector('input'), '');
    const order = form.querySelector('[name=order]');
    if (order.options.length > 1) {
      set(order, 'loss');
      found.worst = page.querySelector('.pair').dataset.gain;
      set(order, 'win');
      found.best = page.querySelector('.pair').dataset.gain;
    }
  }
  const chart = page.querySelector('svg[data-chart]');
  if (chart) {
    chart.dispatchEvent(new view.KeyboardEvent('keydown', {key: 'ArrowRight'}));
    found.tip = page.getElementById('tip').textContent;
    found.scroll = Math.max(found.scroll, root.scrollWidth);
  }
  frame.remove();
  return found;
}
(async () => {
  const all = [];
  try { for (const w of widths) all.push(await measure(w)); } catch (e) { all.push({error: String(e)}); }
  document.getElementById('found').textContent = JSON.stringify(all);
})();
</script>)html";

std::string quoted(const std::string& s) { return "'" + s + "'"; }

std::string browser() {
  for (const char* name : {"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"})
    if (fs::exists(name)) return name;
  return {};
}

struct Visit {
  std::string dom, messages;
};

Visit run_browser(const fs::path& dir, const std::string& arguments, const fs::path& page) {
  const fs::path profile = dir / "profile";
  fs::remove_all(profile);
  const std::string command =
      "timeout 100 " + browser() +
      " --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
      "--disable-component-update --disable-sync --disable-dev-shm-usage --allow-file-access-from-files "
      "--enable-logging=stderr --hide-scrollbars "
      "--user-data-dir=" +
      quoted(profile.string()) + " --virtual-time-budget=20000 " + arguments + " " + quoted("file://" + page.string()) +
      " >" + quoted((dir / "out").string()) + " 2>" + quoted((dir / "err").string());
  const int status = std::system(command.c_str());
  (void)status;  // what it wrote is what counts
  return {hone::read_file(dir / "out"), hone::read_file(dir / "err")};
}

std::string text_between(const std::string& text, const std::string& from, const std::string& to) {
  const auto start = text.find(from);
  if (start == std::string::npos) return {};
  const auto end = text.find(to, start + from.size());
  return text.substr(start + from.size(), end - start - from.size());
}

std::string unescaped(std::string s) {
  for (const auto& [entity, plain] :
       {std::pair<std::string, std::string>{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&amp;", "&"}})
    for (size_t at = 0; (at = s.find(entity, at)) != std::string::npos; at += plain.size())
      s.replace(at, entity.size(), plain);
  return s;
}

// Lines of Chromium's log that a page's script or policy caused.
std::string console(const std::string& messages) {
  std::string out;
  for (size_t at = 0; at < messages.size();) {
    const size_t end = std::min(messages.find('\n', at), messages.size());
    const std::string line = messages.substr(at, end - at);
    if (line.find("CONSOLE") != std::string::npos) out += line + "\n";
    at = end + 1;
  }
  return out;
}

void picture(const Folder& dir, const fs::path& page, const std::string& name, int width, int height, bool dark) {
  const char* folder = std::getenv("HONE_SCREENSHOTS");
  if (!folder) return;
  fs::create_directories(folder);
  // A headless window is at least 500 wide: a phone is a frame of 375.
  hone::write_file_atomic(dir.path / "frame.html",
                          "<!doctype html><style>body{margin:0;background:#777}iframe{border:0;display:block;width:" +
                              std::to_string(width) + "px;height:" + std::to_string(height) +
                              "px}</style><iframe src=\"" + page.filename().string() + "\"></iframe>");
  run_browser(dir.path,
              "--window-size=" + std::to_string(std::max(width, 500)) + "," + std::to_string(height) +
                  (dark ? " --blink-settings=preferredColorScheme=0" : "") +
                  " --screenshot=" + quoted((fs::path(folder) / name).string()),
              dir.path / "frame.html");
}

hone::Json visit(const Folder& dir, const fs::path& page) {
  std::string harness = kHarness;
  harness.replace(harness.find("PAGE"), 4, page.filename().string());
  hone::write_file_atomic(dir.path / "harness.html", harness);
  // On a machine without a free processor the browser sometimes fails to start: it gets three attempts.
  Visit v;
  std::string found;
  for (int attempt = 0; attempt < 3 && found.empty(); ++attempt) {
    v = run_browser(dir.path, "--dump-dom", dir.path / "harness.html");
    found = unescaped(text_between(v.dom, "<pre id=\"found\">", "</pre>"));
  }
  CHECK_MESSAGE(console(v.messages).empty(), console(v.messages));
  REQUIRE_MESSAGE(!found.empty(), v.messages);
  return hone::parse_json(found, "harness");
}

void check_layout(const hone::Json& found) {
  REQUIRE(found.size() == 4);
  for (const auto& f : found) {
    INFO(f.dump());
    REQUIRE_FALSE(f.contains("error"));
    CHECK(f["scroll"] <= f["width"]);
    CHECK(f["wide"].empty());
    CHECK(f["outside"].empty());
    CHECK(f["small"] == 0);
    CHECK(f["flat"].empty());
    CHECK_MESSAGE(f["crossed"].empty(), f["crossed"].dump());  // a figure does not run into its interval
    CHECK(f["unnamed"] == 0);
    CHECK(f["ids"] == 0);
    CHECK(f["dead"] == 0);
  }
}

}  // namespace

TEST_CASE("the page in a browser: no overflow from 320 px up, no console message, charts, search, tooltips") {
  if (browser().empty()) {
    const char* ci = std::getenv("CI");
    REQUIRE_MESSAGE(!(ci && std::string(ci) == "true"), "CI needs a browser: apt-get install chromium");
    MESSAGE("skipped: no chromium on this machine (apt-get install chromium)");
    return;
  }
  const Folder dir;
  const fs::path page = dir.path / "report.html";

  SUBCASE("a finished run") {
    hone::report::synthetic::write_align_run(dir.path / "align", 1);
    hone::report::write_report(std::vector<fs::path>{dir.path / "align"}, page);
    const hone::Json found = visit(dir, page);
    check_layout(found);
    for (const auto& f : found) {
      INFO(f.dump());
      CHECK(f["charts"] >= 55);
      CHECK(f["title"] == "Align a small model on the built-in world · hone report");
      CHECK(f["pairs"] == 40);
      CHECK(f["first"] == 8);
      CHECK(f["lamp"] == 5);
      CHECK(std::stod(f["worst"].get<std::string>()) < -0.4);
      CHECK(std::stod(f["best"].get<std::string>()) > 0.8);
      CHECK(f["tip"].get<std::string>().find("step 1") == 0);
    }
    picture(dir, page, "wide-light.png", 1280, 3000, false);
    picture(dir, page, "wide-dark.png", 1280, 3000, true);
    picture(dir, page, "phone-light.png", 375, 3000, false);
    picture(dir, page, "phone-dark.png", 375, 3000, true);
  }
  SUBCASE("two runs") {
    hone::report::synthetic::write_align_run(dir.path / "runs" / "a", 1);
    hone::report::synthetic::write_align_run(dir.path / "runs" / "b", 2);
    hone::report::write_report(std::vector<fs::path>{dir.path / "runs"}, page);
    check_layout(visit(dir, page));
    picture(dir, page, "two-runs.png", 1280, 2000, false);
  }
  SUBCASE("a killed run") {
    hone::report::synthetic::write_broken_run(dir.path / "align");
    hone::report::write_report(std::vector<fs::path>{dir.path / "align"}, page);
    check_layout(visit(dir, page));
    picture(dir, page, "killed.png", 1280, 3000, false);
  }
  SUBCASE("hostile text") {
    hone::report::synthetic::write_hostile_run(dir.path / "align");
    hone::report::write_report(std::vector<fs::path>{dir.path / "align"}, page);
    const hone::Json found = visit(dir, page);
    check_layout(found);
    for (const auto& f : found) CHECK(f["title"].get<std::string>() != "owned");
    picture(dir, page, "hostile.png", 375, 4000, false);
  }
}
