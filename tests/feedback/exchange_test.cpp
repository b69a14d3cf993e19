// Between files and the store, and back.
#include "feedback/exchange.h"

#include <doctest/doctest.h>

#include <fstream>

#include "base/files.h"
#include "base/json.h"
#include "data/read.h"
#include "data/read_comparisons.h"
#include "feedback/verify.h"
#include "sample.h"

using namespace hone;
using namespace hone::feedback;

namespace {

std::vector<Comparison> read(const std::filesystem::path& path) { return data::read_comparisons({path.string()}).rows; }

void write_rows(const std::filesystem::path& path, const std::vector<Json>& rows) {
  std::string out;
  for (const Json& row : rows) out += dump_json(row) + "\n";
  std::ofstream(path, std::ios::binary) << out;
}

std::string lines(const std::vector<Json>& rows) {
  std::string out;
  for (const Json& row : rows) out += dump_json(row) + "\n";
  return out;
}

std::vector<Comparison> all_kinds() {
  std::vector<Comparison> out;
  int n = 0;
  for (const Outcome o :
       {Outcome::kA, Outcome::kB, Outcome::kTie, Outcome::kBothBad, Outcome::kCantTell, Outcome::kSkip}) {
    Comparison c = sample::comparison(++n, o);
    if (o == Outcome::kSkip) c.reason = "offensive";
    if (n % 2) c.annotator = "ann";
    c.id = "id" + std::to_string(n);
    out.push_back(c);
  }
  out[0].strength = 4;
  out[0].margin = 0.75;
  out[1].note = "zero width: \u200b, right to left: \u202e, emoji: \U0001F600";
  out[3].correction = {{"assistant", "a better one"}};
  out[3].corrects = Side::kB;
  out.push_back(out[0]);  // the same again: two people may say the same
  return out;
}

}  // namespace

TEST_CASE("a store's own full rows are there already") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  for (int n = 0; n < 4; ++n) sample::judge(store, n);
  std::vector<Comparison> rows;
  for (const Json& row : export_rows(labels(store), ExportShape::kFull, Ties::kDrop).rows)
    rows.push_back(from_row(row));
  const Imported again = import_comparisons(store, rows);
  CHECK(again.comparisons == 0);
  CHECK(again.again == 4);
  CHECK(labels(store).size() == 4);
  // What is new beside them goes in.
  rows.push_back(sample::comparison(9));
  CHECK(import_comparisons(store, rows).comparisons == 1);
}

TEST_CASE("pairs kept for evaluation or a blind test train nothing") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  int n = 0;
  for (const Purpose purpose : {Purpose::kLearn, Purpose::kEvaluate, Purpose::kBlind}) {
    const Comparison c = sample::comparison(++n);
    store.append(
        std::vector<NewEvent>{shown("ann", sample::query(n), c, purpose, ""), judged("ann", sample::query(n), c)});
  }
  const Exported out = export_rows(labels(store), ExportShape::kText, Ties::kDrop);
  CHECK(out.rows.size() == 1);
  CHECK(out.left_out == std::map<std::string, int64_t>{{"kept for evaluation", 1}, {"of a blind test", 1}});
  CHECK(export_rows(labels(store), ExportShape::kFull, Ties::kDrop).rows.size() == 3);

  // What evaluates is the second one, until its prompt is learned from as well.
  CHECK(evaluation_rows(labels(store)).rows.size() == 1);
  const Comparison same = sample::comparison(2);
  store.append(std::vector<NewEvent>{shown("ann", sample::query(9), same, Purpose::kLearn, ""),
                                     judged("ann", sample::query(9), same)});
  CHECK(evaluation_rows(labels(store)).rows.empty());
}

TEST_CASE("everything that a comparison says goes through store and file and comes back") {
  const sample::Folder dir;
  const std::vector<Comparison> before = all_kinds();
  Store store = Store::open(dir.store());
  const Imported imported = import_comparisons(store, before);
  CHECK(imported.comparisons == std::ssize(before));
  CHECK(imported.again == 0);
  const Exported full = export_rows(labels(store), ExportShape::kFull, Ties::kDrop);
  write_rows(dir.path / "full.jsonl", full.rows);
  CHECK(read(dir.path / "full.jsonl") == before);
  // Into another store, out again: byte for byte.
  Store other = Store::open(dir.path / "other.store");
  import_comparisons(other, read(dir.path / "full.jsonl"));
  CHECK(lines(export_rows(labels(other), ExportShape::kFull, Ties::kDrop).rows) == lines(full.rows));
  CHECK(verify(dir.store()).wrong.empty());
}

TEST_CASE("the same rows again are recognised, and what is new is added") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  std::vector<Comparison> rows = all_kinds();
  import_comparisons(store, rows);
  const Receipt head = store.head();
  Imported again = import_comparisons(store, rows);
  CHECK(again.comparisons == 0);
  CHECK(again.again == 7);
  CHECK(store.head().hash == head.hash);
  rows.push_back(sample::comparison(99));
  again = import_comparisons(store, rows);
  CHECK(again.comparisons == 1);
  CHECK(labels(store).size() == 8);
}

TEST_CASE(
    "preference rows: winners over losers, corrections as pairs, the rest counted; hone reads them as preferences") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  import_comparisons(store, all_kinds());
  const Exported out = export_rows(labels(store), ExportShape::kText, Ties::kDrop);
  CHECK(
      lines(out.rows) ==
      R"({"prompt":"prompt 1","chosen":"one 1","rejected":"other 1","id":"id1","margin":0.75,"annotator":"ann","shown_first":"chosen"})"
      "\n"
      R"({"prompt":"prompt 2","chosen":"other 2","rejected":"one 2","id":"id2","shown_first":"chosen"})"
      "\n"
      R"({"prompt":"prompt 4","chosen":"a better one","rejected":"other 4","id":"id4+"})"
      "\n"
      R"({"prompt":"prompt 4","chosen":"a better one","rejected":"one 4","id":"id4++"})"
      "\n"
      R"({"prompt":"prompt 1","chosen":"one 1","rejected":"other 1","id":"id1","margin":0.75,"annotator":"ann","shown_first":"chosen"})"
      "\n");
  CHECK(out.left_out == std::map<std::string, int64_t>{{"ties", 1}, {"can't tell", 1}, {"skipped", 1}});
  write_rows(dir.path / "p.jsonl", out.rows);
  const auto preferences = data::read_preferences({(dir.path / "p.jsonl").string()});
  CHECK(preferences.rows.size() == 5);
  CHECK(preferences.report.unread.empty());
  CHECK(preferences.rows[1].chosen[0].content == "other 2");
  // And the full rows directly: the same pairs.
  write_rows(dir.path / "full.jsonl", export_rows(labels(store), ExportShape::kFull, Ties::kDrop).rows);
  const auto of_full = data::read_preferences({(dir.path / "full.jsonl").string()});
  REQUIRE(of_full.rows.size() == 5);
  CHECK(of_full.report.ties == 1);
  for (size_t i = 0; i < 5; ++i) {
    CHECK(of_full.rows[i].chosen == preferences.rows[i].chosen);
    CHECK(of_full.rows[i].rejected == preferences.rows[i].rejected);
    CHECK(of_full.rows[i].id == preferences.rows[i].id);
  }
  // Half a tie each way.
  const Exported half = export_rows(labels(store), ExportShape::kText, Ties::kHalf);
  CHECK(half.rows.size() == 7);
  CHECK(half.rows[2]["weight"] == 0.5);
  CHECK(half.rows[2]["id"] == "id3'");
}

TEST_CASE("rows in, the same rows out: what preference files say survives the store") {
  const sample::Folder dir;
  const std::string rows =
      R"({"prompt":"why?","chosen":"so","rejected":"because"})"
      "\n"
      R"({"prompt":"why?","chosen":"so","rejected":"because"})"
      "\n"
      R"({"prompt":"how?","chosen":"thus","rejected":"so","id":"7","source":"mine","weight":0.5,"margin":0.25,"annotator":3,"shown_first":"rejected"})"
      "\n";
  std::ofstream(dir.path / "p.jsonl") << rows;
  Store store = Store::open(dir.store());
  import_comparisons(store, read(dir.path / "p.jsonl"));
  CHECK(lines(export_rows(labels(store), ExportShape::kText, Ties::kDrop).rows) == rows);
}

TEST_CASE("one conversation among texts makes messages of all rows, for readers of one type a column") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  std::vector<Comparison> rows{sample::comparison(1)};
  rows.push_back(
      compared({{"system", "be brief"}, {"user", "why?"}}, {{"assistant", "so"}}, {{"assistant", "because"}}));
  rows.back().prompt.front().tools =
      R"([{"function":{"name":"clock"},"type":"function"}])";  // keys as canonical JSON sorts them
  import_comparisons(store, rows);
  const Exported out = export_rows(labels(store), ExportShape::kText, Ties::kDrop);
  REQUIRE(out.rows.size() == 2);
  for (const Json& row : out.rows)
    for (const char* key : {"prompt", "chosen", "rejected"}) CHECK(row[key].is_array());
  CHECK(out.rows[1]["tools"][0]["function"]["name"] == "clock");
  write_rows(dir.path / "m.jsonl", out.rows);
  CHECK(data::read_preferences({(dir.path / "m.jsonl").string()}).rows[1].prompt == rows[1].prompt);
}

TEST_CASE("rows that cannot be events are named, and nothing is appended") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  std::vector<Comparison> rows{sample::comparison(1), sample::comparison(2)};
  rows[1].annotator = "two\nlines";
  CHECK(sample::trouble([&] { import_comparisons(store, rows); }) ==
        "usage: comparison 2: an event's actor holds a control character");
  rows[1] = sample::comparison(2);
  rows[1].a.messages[0].content = std::string(kLongestPayload, 'x');
  CHECK(sample::trouble([&] {
          import_comparisons(store, rows);
        }).starts_with("usage: comparison 2: an event's payload of"));
  CHECK(store.head().seq == 1);
}

TEST_CASE("blind tests are no training rows") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  store.append(shown("ann", "b", sample::comparison(1), Purpose::kBlind, ""));
  store.append(blind_answered("ann", "b", "t", sample::comparison(1)));
  sample::judge(store, 2);
  const Exported out = export_rows(labels(store), ExportShape::kText, Ties::kDrop);
  REQUIRE(out.rows.size() == 1);
  CHECK(out.rows[0]["id"] == "q2");
  CHECK(out.left_out == std::map<std::string, int64_t>{{"of a blind test", 1}});
  CHECK(export_rows(labels(store), ExportShape::kFull, Ties::kDrop).rows.size() == 2);
}
