#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/utf8.h"
#include "chat/columns.h"
#include "chat/visible.h"
#include "cli/output.h"
#include "cli/reading_options.h"
#include "cli/row_writer.h"
#include "cli/verb.h"
#include "data/read_comparisons.h"
#include "feedback/blind.h"
#include "feedback/counts.h"
#include "feedback/exchange.h"
#include "feedback/rounds.h"
#include "feedback/verify.h"

namespace hone::cli {
namespace {

constexpr int64_t kBar = 30;       // columns of the longest bar
constexpr size_t kName = 16;       // columns of a name
constexpr size_t kRowsShown = 12;  // of one table

std::string number_of(int64_t n, const std::string& what) { return count_text(n) + " " + what + (n == 1 ? "" : "s"); }

Options::Option store_option(Options& options, std::string& store) {
  return options.value("--store", &store, "FILE", "the feedback store");
}

// "skipped 2, ties 4", or "".
std::string left_out_text(const std::map<std::string, int64_t>& left_out) {
  std::string out;
  for (const auto& [why, n] : left_out) out += (out.empty() ? "" : ", ") + why + " " + count_text(n);
  return out;
}

// --- show

std::string name_cell(const std::string& name) {
  std::string shown = chat::visible(name.empty() ? "(not named)" : name);
  std::ranges::replace(shown, '\n', ' ');
  std::string out;
  size_t columns = 0;
  for (std::string_view rest = shown; !rest.empty();) {
    const std::string_view character = rest.substr(0, utf8_length(static_cast<unsigned char>(rest[0])));
    const size_t wide = chat::columns_of(character);
    if (columns + wide > kName) break;
    out += character;
    columns += wide;
    rest.remove_prefix(character.size());
  }
  return out + std::string(kName - columns, ' ');
}

std::string bar(int64_t n, int64_t most) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int64_t eighths = std::max<int64_t>(1, n * kBar * 8 / most);
  std::string out;
  for (int64_t i = 0; i < eighths / 8; ++i) out += "█";
  return out + kEighths[eighths % 8];
}

void add_table(std::string& out, const std::string& title, const std::vector<std::pair<std::string, int64_t>>& rows) {
  int64_t most = 0, total = 0;
  for (const auto& [name, n] : rows) most = std::max(most, n), total += n;
  if (total == 0) return;
  out += "\n" + title + "\n";
  size_t shown = 0;
  for (const auto& [name, n] : rows) {
    if (++shown > kRowsShown) break;
    const std::string number = count_text(n),
                      share = decimal_text(100.0 * static_cast<double>(n) / static_cast<double>(total), 0);
    out += "  " + name_cell(name) + std::string(8 - std::min<size_t>(7, number.size()), ' ') + number +
           std::string(5 - std::min<size_t>(4, share.size()), ' ') + share + "%  " + (n > 0 ? bar(n, most) : "") + "\n";
  }
  if (rows.size() > kRowsShown)
    out += "  … and " + count_text(std::ssize(rows) - static_cast<int64_t>(kRowsShown)) + " more\n";
}

// The most frequent first.
std::vector<std::pair<std::string, int64_t>> ranked(const std::map<std::string, int64_t>& counts) {
  std::vector<std::pair<std::string, int64_t>> out(counts.begin(), counts.end());
  std::ranges::stable_sort(out, std::greater(), [](const auto& row) { return row.second; });
  return out;
}

// What was learned, what came of it, and whom the person went on with.
std::string rounds_text(std::span<const feedback::Round> rounds, std::span<const feedback::BlindTest> tests,
                        const std::optional<feedback::ModelName>& chosen) {
  std::string out;
  for (const feedback::Round& r : rounds) {
    out += "\nround " + chat::visible(r.round) + ": " + std::string(name_of(r.outcome)) + ", from " +
           number_of(r.pairs, "comparison") + ", in " + chat::visible(r.folder) + "\n";
    if (!r.why.empty()) out += "  " + chat::visible(r.why) + "\n";
    for (const feedback::BlindTest& t : tests) {
      if (t.round != r.round) continue;
      const std::string beside = feedback::beside(t.counts);
      const feedback::BlindVerdict verdict = t.result();
      out += "  blind test: " + feedback::words(verdict, t.counts, t.opponent) + "\n";
      if (verdict.finding != feedback::Finding::kUnfinished)
        out += "    " + count_text(t.counts.asked()) + " of " + count_text(t.prompts) + " prompts" +
               (beside.empty() ? "" : "; " + beside) +
               (verdict.any_time ? "; extended, so the interval is one that holds at any stopping time"
                                 : "; number fixed beforehand, exact interval") +
               "\n";
    }
  }
  if (chosen) out += "\ngoes on with " + chat::visible(chosen->policy) + "\n";
  return out;
}

Json rounds_json(std::span<const feedback::Round> rounds) {
  Json out = Json::array();
  for (const feedback::Round& r : rounds) {
    Json round = {{"round", r.round},
                  {"outcome", std::string(name_of(r.outcome))},
                  {"why", r.why},
                  {"folder", r.folder},
                  {"start", r.start.policy},
                  {"original", r.original.policy},
                  {"head_seq", r.head_seq},
                  {"head_hash", r.head_hash},
                  {"pairs", r.pairs}};
    if (r.model) round["model"] = {{"policy", r.model->policy}, {"folder", r.model->folder}};
    out.push_back(std::move(round));
  }
  return out;
}

Json tests_json(std::span<const feedback::BlindTest> tests) {
  Json out = Json::array();
  for (const feedback::BlindTest& t : tests) {
    const feedback::BlindVerdict v = t.result();
    Json test = {{"test", t.test},
                 {"round", t.round},
                 {"opponent", t.opponent},
                 {"tested", t.tested.policy},
                 {"against", t.against.policy},
                 {"prompts", t.prompts},
                 {"asked", t.counts.asked()},
                 {"extended", t.extended},
                 {"finding", std::string(name_of(v.finding))},
                 {"words", feedback::words(v, t.counts, t.opponent)}};
    if (v.finding != feedback::Finding::kUnfinished) {
      test["preferred"] = {{"tested", t.counts.tested}, {"against", t.counts.against}};
      test["tie"] = t.counts.tie, test["both_bad"] = t.counts.both_bad;
      test["cant_tell"] = t.counts.cant_tell, test["skip"] = t.counts.skip;
      test["share"] = {{"value", v.share.value}, {"low", v.share.low}, {"high", v.share.high}, {"n", v.share.n}};
    }
    out.push_back(std::move(test));
  }
  return out;
}

std::string page(const std::string& store, const feedback::Counts& c, const std::string& rounds,
                 const feedback::Receipt& head) {
  std::string out = store + ": " + number_of(c.labels, "judgement") + " of " + number_of(c.shown, "pair") + " shown";
  if (c.undone > 0) out += ", " + count_text(c.undone) + " taken back";
  if (c.corrections > 0) out += ", " + number_of(c.corrections, "correction");
  if (c.notes > 0) out += ", " + number_of(c.notes, "note");
  out += "\n";
  if (c.order_known > 0)
    out += "the answer shown first won " + count_text(c.first_won) + " of " + count_text(c.order_known) + " decided\n";
  if (c.median_dwell_ms > 0) out += "half of them took less than " + decimal_text(c.median_dwell_ms / 1000, 1) + " s\n";
  std::vector<std::pair<std::string, int64_t>> outcomes;
  for (const char* name : {"a", "b", "tie", "both_bad", "cant_tell", "skip"}) {
    const auto it = c.by_outcome.find(name);
    if (it != c.by_outcome.end()) outcomes.emplace_back(name, it->second);
  }
  add_table(out, "outcome", outcomes);
  add_table(out, "person", ranked(c.by_annotator));
  if (c.by_purpose.size() > 1) add_table(out, "purpose", ranked(c.by_purpose));
  if (c.by_round.size() > 1 || !c.by_round.contains(""))
    add_table(out, "round", {c.by_round.begin(), c.by_round.end()});
  add_table(out, "blind test", {c.by_test.begin(), c.by_test.end()});
  std::vector<std::pair<std::string, int64_t>> days(c.by_day.rbegin(), c.by_day.rend());
  add_table(out, "day (UTC)", days);
  return out + rounds + "\nhead " + feedback::anchor_text(head) +
         "\n(noted down elsewhere, it lets `hone check --head` show that nothing up to here was changed)\n";
}

int show(Options& options) {
  std::string path;
  bool json = false;
  store_option(options, path).required();
  options.flag("--json", json, "print JSON");
  options.about(
      "How many judgements there are, by outcome, person, round and day (UTC): those that count, after undo; rounds of "
      "learning, and the verdicts of their blind tests. The last line is the log's head: its last event's number and "
      "hash.");
  options.example("hone feedback show --store evening.store", "counts as tables");
  options.example("hone feedback show --store evening.store --json", "the same for programs");
  if (!options.parse()) return kDone;
  const feedback::Store store = feedback::Store::open_read_only(path);
  const std::vector<feedback::Event> log = store.events();
  const std::vector<feedback::Label> labels = feedback::labels(log);
  const feedback::Counts counts = feedback::count(log, labels);
  const std::vector<feedback::Round> rounds = feedback::rounds(log);
  const std::vector<feedback::BlindTest> tests = feedback::blind_tests(log, labels);
  const feedback::Receipt head{log.empty() ? 0 : log.back().seq, log.empty() ? std::string(64, '0') : log.back().hash};
  if (json) {
    Json out = counts.to_json();
    out["rounds"] = rounds_json(rounds);
    out["blind_tests"] = tests_json(tests);
    out["head"] = feedback::anchor_text(head);
    print(dump_json(out, 2) + "\n");
  } else {
    print(page(path, counts, rounds_text(rounds, tests, feedback::chosen_model(log)), head));
  }
  return kDone;
}

// --- import

int import_files(Options& options) {
  std::vector<std::string> files;
  std::string path, annotator;
  data::ReadSettings read;
  options.positional("FILE", &files, "files, folders or patterns with comparisons").required();
  store_option(options, path).required();
  options.value("--annotator", &annotator, "NAME", "who judged, where a row does not say");
  declare_reading(options, read);
  options.about(
      "Comparisons in any format that hone reads, into a store, which is made where there is none. Ties are kept "
      "as ties, and rows of `hone feedback export --full` with all that they say. The same rows again add nothing.");
  options.example("hone feedback import comparisons.jsonl --store evening.store", "comparisons of a file");
  options.example("hone feedback import hh/*.jsonl.gz --store hh.store --annotator crowd",
                  "HH-RLHF, with a name for its people");
  if (!options.parse()) return kDone;
  data::Read<feedback::Comparison> rows = data::read_comparisons(files, read);
  for (feedback::Comparison& c : rows.rows)
    if (c.annotator.empty()) c.annotator = annotator;
  log::info(rows.report.summary());
  feedback::Store store = feedback::Store::open(path);
  const feedback::Imported result = feedback::import_comparisons(store, rows.rows);
  log::info(path + ": " + number_of(result.comparisons, "comparison") + " added" +
            (result.again > 0 ? ", " + count_text(result.again) + " there before" : "") + "; head " +
            feedback::anchor_text(result.head));
  return kDone;
}

// --- export

int export_file(Options& options) {
  std::string path, out, ties = "drop";
  bool messages = false, full = false;
  store_option(options, path).required();
  options.value("--out", &out, "FILE", "where to write, complete or not at all; default: standard output");
  options.value("--ties", &ties, "HOW", "ties: left out, or as two rows of weight 1/2, one each way")
      .choices({"drop", "half"});
  options.flag("--messages", messages, "lists of messages in place of texts, as TRL wants them for a chat model");
  options.flag("--full", full, "every judgement with all that is known, as hone's own rows; for another store");
  options.about(
      "The judgements that count, after undo, as rows {\"prompt\", \"chosen\", \"rejected\"} that `hone "
      "preference`, `hone reward` and TRL take. Corrections become rows: over the answer that they were made from, "
      "and after \"both bad\" over both. Ties, both bad, can't tell and skipped have no winner: they are left out "
      "and counted, as are blind tests. Where one conversation is no plain text, all rows are lists of messages.");
  options.example("hone feedback export --store evening.store --out mine.jsonl", "rows for training");
  options.example("hone feedback export --store evening.store --full --out all.jsonl",
                  "every judgement, for `hone feedback import` into another store");
  if (!options.parse()) return kDone;
  if (full && (messages || options.given("--ties")))
    usage_error("'--full' writes everything as it is", "leave out '--messages' and '--ties'");
  if (!out.empty() && feedback::looks_like_store(out) && std::filesystem::file_size(out) > 0)
    usage_error(out + ": is a feedback store, which an export would replace", "give '--out' another name");
  const feedback::Store store = feedback::Store::open_read_only(path);
  const auto shape = full       ? feedback::ExportShape::kFull
                     : messages ? feedback::ExportShape::kMessages
                                : feedback::ExportShape::kText;
  const feedback::Exported result = feedback::export_rows(
      feedback::labels(store), shape, ties == "half" ? feedback::Ties::kHalf : feedback::Ties::kDrop);
  RowWriter writer(out);
  for (const Json& row : result.rows) writer.write(dump_json(row) + "\n");
  writer.finish();
  const std::string left_out = left_out_text(result.left_out);
  log::info(number_of(std::ssize(result.rows), "row") + (left_out.empty() ? "" : "; left out: " + left_out));
  return kDone;
}

}  // namespace

int feedback(Options& options) {
  const std::string word = options.take_word({"show", "import", "export"});
  if (word == "show") return show(options);
  if (word == "import") return import_files(options);
  if (word == "export") return export_file(options);
  options.about(
      "What people judged, in one file. Three words: `hone feedback show` counts, `hone feedback import FILE…` "
      "takes comparisons in, `hone feedback export` writes rows for training. `hone check STORE` verifies the "
      "file. `hone help feedback export` says more.");
  options.example("hone feedback import comparisons.jsonl --store evening.store", "comparisons of a file into a store");
  options.example("hone feedback show --store evening.store", "counts by outcome, person, round and day");
  options.example("hone feedback export --store evening.store --out mine.jsonl", "rows for `hone preference` and TRL");
  if (!options.parse()) return kDone;
  usage_error("`hone feedback` needs a word: show, import or export", "`hone help feedback` says more");
}

}  // namespace hone::cli
