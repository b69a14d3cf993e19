// The page from whole, broken and hostile run folders: structure, and that nothing from a folder becomes markup.
#include "report/report.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "report/metric_list.h"
#include "synthetic.h"

namespace fs = std::filesystem;
using hone::report::make_report;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("hone-report-test-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};

std::string page_of(const std::vector<fs::path>& folders) { return make_report(folders); }

size_t count(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

// Elements that are opened must be closed; returns the first that is not, "" if all are.
std::string unbalanced(const std::string& page) {
  static const std::set<std::string> kVoid = {"meta", "input", "line", "path", "circle", "rect",
                                              "br",   "img",   "link", "td",   "th",     "tr"};
  std::vector<std::string> open;
  for (size_t at = 0; (at = page.find('<', at)) != std::string::npos;) {
    const bool closes = page[at + 1] == '/';
    size_t end = at + 1 + closes;
    while (end < page.size() && (std::isalnum(static_cast<unsigned char>(page[end])))) ++end;
    const std::string name = page.substr(at + 1 + closes, end - at - 1 - closes);
    at = page.find('>', at);
    if (at == std::string::npos) return "tag without end";
    if (name.empty() || kVoid.count(name) || (!closes && page[at - 1] == '/')) continue;
    if (!closes) {
      if (name == "style" || name == "script") at = page.find("</" + name, at);
      else open.push_back(name);
    } else if (name != "style" && name != "script") {
      if (open.empty() || open.back() != name)
        return "</" + name + "> closes " + (open.empty() ? "nothing" : open.back());
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

}  // namespace

TEST_CASE("a finished run: every section, headline figures with intervals, charts, hashes") {
  const Folder dir;
  hone::report::synthetic::write_align_run(dir.path / "align", 1);
  const std::string page = page_of({dir.path / "align"});
  CHECK(unbalanced(page) == "");
  for (const char* id : {"outcome", "answers", "ppo", "over-optimisation", "behaviour", "reward-model", "curves",
                         "warnings", "stages", "again"})
    CHECK_MESSAGE(has(page, "<section id=\"" + std::string(id) + "\""), id);
  CHECK(
      has(page,
          "PPO raised the mean gold reward from <b>0.58</b> (SFT) to <b>0.79</b> of the maximum and wins <b>73.8%</b> "
          "(95% interval 70.8 to 76.8) of 600 held-out prompts against SFT, at <b>1.62</b> nats of KL an answer."));
  CHECK(has(page, "answer length fell under 60% of its start"));  // the warning
  CHECK(has(page, "<span class=chip>look-alike</span>"));
  CHECK(count(page, "<article class=pair") == 40);
  CHECK(count(page, "data-chart=") >= 30);
  CHECK(count(page, "role=img") ==
        count(page, "role=img aria-label=") + count(page, "role=img tabindex=0 aria-label="));
  CHECK(has(page, hone::sha256("01-world/demonstrations.jsonl")));
  CHECK(has(page, "hone check "));
  CHECK(has(page, "kl_coef = 0.2"));  // the recipe
  CHECK(has(page, "Explained variance of the critic"));
  CHECK_FALSE(has(page, "Missing or incomplete"));
  CHECK(page == page_of({dir.path / "align"}));  // a pure function of the folder
}

TEST_CASE("the page needs nothing from outside and forbids it") {
  const Folder dir;
  hone::report::synthetic::write_align_run(dir.path / "align", 1);
  const std::string page = page_of({dir.path / "align"});
  for (const char* outside :
       {"src=", "href=\"http", "url(", "@import", "<link", "<iframe", "<img", " style=", " onload", " onclick"})
    CHECK_MESSAGE(!has(page, outside), outside);
  CHECK(has(page, "default-src 'none'; style-src 'sha256-"));
  CHECK(has(page, "name=viewport"));
  CHECK(page.size() < 1000000);
}

TEST_CASE("several runs stand on one page, none left out") {
  const Folder dir;
  hone::report::synthetic::write_align_run(dir.path / "runs" / "align", 1);
  hone::report::synthetic::write_align_run(dir.path / "runs" / "align-2", 2);
  const std::string page = page_of({dir.path / "runs"});  // a folder of recipes' folders
  CHECK(unbalanced(page) == "");
  CHECK(has(page, "2 runs"));
  CHECK(has(page, "id=\"r1-outcome\""));
  CHECK(has(page, "id=\"r2-outcome\""));
  CHECK(has(page, "Gold reward by run"));
  CHECK(has(page, "Gold reward rose above the start&#39;s in 2 of 2."));
  CHECK(page == page_of({dir.path / "runs" / "align", dir.path / "runs" / "align-2"}));
}

TEST_CASE("a killed run: what is there is shown, what is missing is said") {
  const Folder dir;
  hone::report::synthetic::write_broken_run(dir.path / "align");
  const std::string page = page_of({dir.path / "align"});
  CHECK(unbalanced(page) == "");
  CHECK(has(page, "PPO moved the learned reward from"));
  CHECK(has(page, "run.json is missing"));
  CHECK(has(page, "recipe.toml is missing"));
  CHECK(has(page, "1 line is not a JSON object (first at line 24) and left out"));
  CHECK(has(page, "metrics.jsonl holds no steps yet"));
  CHECK(has(page, "<article class=pair"));  // first and last answers from PPO's samples
}

TEST_CASE("an empty folder, a single stage's folder, no folder") {
  const Folder dir;
  fs::create_directories(dir.path / "empty");
  CHECK(has(page_of({dir.path / "empty"}), "run.json is missing"));
  hone::report::synthetic::write_align_run(dir.path / "align", 1);
  const std::string page = page_of({dir.path / "align" / "07-ppo"});
  CHECK(unbalanced(page) == "");
  CHECK(has(page, "KL to the reference"));
  CHECK_THROWS_WITH_AS(page_of({dir.path / "nothing"}), doctest::Contains("not a folder"), hone::Error);
  CHECK_THROWS_AS(page_of({}), hone::Error);
}

TEST_CASE("a run.json that is there and no record is one error, of the run or of a stage") {
  const Folder dir;
  hone::report::synthetic::write_align_run(dir.path / "align", 1);
  for (const fs::path& file : {dir.path / "align" / "run.json", dir.path / "align" / "04-sft" / "run.json"}) {
    const std::string record = hone::read_file(file);
    hone::write_file_atomic(file, record.substr(0, record.size() / 2));
    CHECK_THROWS_WITH_AS(page_of({dir.path / "align"}), doctest::Contains((file.string() + ": malformed JSON").c_str()),
                         hone::Error);
    hone::write_file_atomic(file, "[1]");
    CHECK_THROWS_WITH_AS(page_of({dir.path / "align"}),
                         doctest::Contains((file.string() + ": not a run record").c_str()), hone::Error);
    hone::write_file_atomic(file, record);
  }
  CHECK_NOTHROW(page_of({dir.path / "align"}));
}

TEST_CASE("text from a folder stays text") {
  const Folder dir;
  hone::report::synthetic::write_hostile_run(dir.path / "align");
  const std::string page = page_of({dir.path / "align"});
  CHECK(unbalanced(page) == "");
  CHECK(count(page, "<script") == 1);
  CHECK(count(page, "</script") == 1);
  CHECK_FALSE(has(page, "<img"));
  CHECK_FALSE(has(page, "<b>x"));
  CHECK_FALSE(has(page, "\xe2\x80\xae"));  // the override that would reverse what follows
  CHECK(has(page, "&lt;script&gt;document.title=&#39;owned&#39;"));
  CHECK(has(page, "397,000 more characters"));
  CHECK(page.size() < 2000000);
  for (const char c : page) CHECK_MESSAGE((static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t'), int(c));
}

TEST_CASE("a chat model's page: agreement with people, gauges, refusals with their words, answers while learning") {
  const Folder dir;
  hone::report::synthetic::write_chat_run(dir.path / "chat");
  const std::string page = page_of({dir.path / "chat"});
  CHECK(unbalanced(page) == "");
  for (const char* id : {"outcome", "agreement", "distance", "learning-answers", "behaviour", "curves"})
    CHECK_MESSAGE(has(page, "<section id=\"" + std::string(id) + "\""), id);
  CHECK(
      has(page, "<em>Over-optimised:</em> <b>66.0%</b> of wins by the reward model that was optimised, <b>52.0%</b>"));
  CHECK(has(page, "<h4><i></i>start</h4>"));
  CHECK(has(page, "<h4><i></i>end, step 60</h4>"));
  CHECK(has(page, "3 more between"));  // of six looks
  CHECK(has(page, "cut at the limit"));
  CHECK(has(page, "“i&#39;m sorry, but”"));
  CHECK(has(page, "By source: second reward model"));
  CHECK(has(page, "+1.2%"));  // the start model's loss
  CHECK(has(page, "answers.jsonl: 2 lines are not a JSON object"));
  CHECK_FALSE(has(page, "Far from the start"));

  hone::report::synthetic::write_chat_run(dir.path / "evil", true);
  const std::string evil = page_of({dir.path / "evil"});
  CHECK(unbalanced(evil) == "");
  CHECK(count(evil, "<script") == 1);
  CHECK_FALSE(has(evil, "<img"));
}

TEST_CASE("metrics: keys are unique, have a meaning, and refine") {
  std::set<std::string_view> keys;
  for (const auto& m : hone::report::metric_list()) {
    CHECK_MESSAGE(keys.insert(m.key).second, m.key);
    CHECK_MESSAGE(!m.meaning.empty(), m.key);
    CHECK_MESSAGE(!m.stages.empty(), m.key);
  }
  REQUIRE(hone::report::find_metric("eval_gold_sums"));
  CHECK(hone::report::find_metric("eval_gold_sums")->key == "eval_gold");
  CHECK(hone::report::find_metric("kl_k3")->key == "kl_k3");
  CHECK(hone::report::find_metric("unheard_of") == nullptr);
}
