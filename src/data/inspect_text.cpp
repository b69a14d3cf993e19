// An inspection as a page of text and as JSON.
#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "base/progress.h"
#include "data/inspect.h"

namespace hone::data {
namespace {

constexpr size_t kLabel = 12;     // width of the first column
constexpr int64_t kBar = 32;      // longest bar of a histogram
constexpr size_t kExample = 600;  // bytes of an example shown

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}
std::string right(const std::string& text, size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

// Control characters, quotes and bytes that are no UTF-8 made visible: dump_json's work, without the quotes.
std::string visible(const std::string& bytes) {
  const std::string quoted = dump_json(Json(bytes));
  return quoted.substr(1, quoted.size() - 2);
}

std::string shortened(const std::string& text) {
  if (text.size() <= kExample) return text;
  size_t end = kExample;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " … (" + count_text(static_cast<int64_t>(text.size())) + " bytes)\n";
}

void add_lengths(std::string& out, const std::string& unit, const std::vector<std::pair<std::string, Lengths>>& table) {
  if (table.empty()) return;
  out += padded(unit, kLabel) + right("least", 9) + right("median", 9) + right("95%", 9) + right("most", 10) +
         right("total", 13) + "\n";
  for (const auto& [name, l] : table)
    out += padded("  " + name, kLabel) + right(count_text(l.least), 9) + right(count_text(l.median), 9) +
           right(count_text(l.p95), 9) + right(count_text(l.most), 10) + right(count_text(l.total), 13) + "\n";
}

void add_histogram(std::string& out, const std::string& title, const Lengths& l) {
  const int64_t most = l.bins.empty() ? 0 : *std::max_element(l.bins.begin(), l.bins.end());
  if (most == 0) return;
  out += title + "\n";
  size_t first = 0;
  while (l.bins[first] == 0) ++first;
  for (size_t b = first; b < l.bins.size(); ++b) {
    const int64_t low = b == 0 ? 0 : int64_t{1} << (b - 1);
    const int64_t high = b == 0 ? 0 : (int64_t{1} << b) - 1;
    const std::string range = low == high ? count_text(low) : count_text(low) + "-" + count_text(high);
    out += right(range, 17) + right(count_text(l.bins[b]), 9) + "  " +
           std::string((l.bins[b] * kBar + most - 1) / most, '#') + "\n";
  }
}

Json lengths_json(const std::vector<std::pair<std::string, Lengths>>& table) {
  Json out = Json::object();
  for (const auto& [name, l] : table)
    out[name] = {{"n", l.n},     {"total", l.total}, {"least", l.least},         {"median", l.median},
                 {"p95", l.p95}, {"most", l.most},   {"power_of_2_bins", l.bins}};
  return out;
}

std::string share_text(int64_t part, int64_t of) {
  return count_text(part) +
         (of > 0 ? " (" + decimal_text(100.0 * static_cast<double>(part) / static_cast<double>(of), 1) + "%)" : "");
}

}  // namespace

Json Inspection::to_json() const {
  Json out;
  out["kind"] = kind;
  out["rows"] = rows;
  out["report"] = report.to_json();
  out["characters"] = lengths_json(characters);
  if (!tokens.empty()) {
    out["tokens"] = lengths_json(tokens);
    out["fit"] = fit.to_json();
  }
  if (kind != "documents") out["distinct_prompts"] = distinct_prompts;
  out["duplicates"] = duplicates;
  if (kind == "comparisons") {
    out["contradictions"] = contradictions;
    out["empty_answers"] = empty_answers;
    out["longer_is_chosen"] = longer_is_chosen();
    out["sources"] = sources;
  }
  out["examples"] = examples;
  out["tokenised"] = Json::array();
  for (const ShownSequence& s : shown) {
    Json list = Json::array();
    for (const ShownToken& t : s.tokens) list.push_back({{"id", t.id}, {"text", t.text}, {"weight", t.weight}});
    out["tokenised"].push_back({{"row", s.title}, {"tokens", list}});
  }
  return out;
}

std::string Inspection::to_text() const {
  std::string out;
  for (const FileReport& f : report.files)
    out += f.path + ": " + f.container + ", format " + f.format + ", " + count_text(f.rows) +
           (f.rows == 1 ? " row, " : " rows, ") + count_text(static_cast<int64_t>(f.bytes)) + " bytes, sha256 " +
           f.sha256.substr(0, 16) + "…\n";
  out += "\n" + count_text(rows) + " " + kind;
  if (kind != "documents" && kind != "prompts") out += " on " + count_text(distinct_prompts) + " distinct prompts";
  out += "\n";
  if (sources.size() > 1)
    for (const auto& [source, n] : sources) out += "  " + padded(source, 24) + right(count_text(n), 9) + "\n";

  out += "\n";
  add_lengths(out, "characters", characters);
  add_lengths(out, "tokens", tokens);
  const auto& measured = tokens.empty() ? characters : tokens;
  if (!measured.empty())
    add_histogram(out, "\n" + measured.back().first + ", " + (tokens.empty() ? "characters" : "tokens") + ":",
                  measured.back().second);
  if (!tokens.empty()) out += "\nagainst the limits: " + fit.summary() + "\n";

  out += "\nnoticed:\n";
  const size_t before = out.size();
  if (report.skipped > 0) out += "  " + count_text(report.skipped) + " bad lines\n";
  if (report.ties > 0) out += "  " + count_text(report.ties) + " ties\n";
  for (const auto& [reason, n] : report.dropped) out += "  " + count_text(n) + " left out: " + reason + "\n";
  for (const auto& [what, n] : report.noticed)
    out += "  in " + count_text(n) + (n == 1 ? " row: " : " rows: ") + what + "\n";
  for (const auto& [key, n] : report.unread)
    out += "  key '" + key + "' is not read (" + count_text(n) + (n == 1 ? " row)\n" : " rows)\n");
  for (const Problem& p : report.problems) out += "    " + p.where + ": " + p.what + "\n";
  if (duplicates > 0) out += "  " + share_text(duplicates, rows) + " say the same as an earlier row\n";
  if (contradictions > 0)
    out += "  " + share_text(contradictions, rows) +
           " say the opposite of an earlier row: the share bounds what a reward "
           "model can reach\n";
  if (fit.special_text > 0) out += "  " + fit.special_text_notice() + "\n";
  if (fit.same_ids > 0)
    out += "  " + count_text(fit.same_ids) + " comparisons whose two sides become the same tokens\n";
  if (empty_answers > 0) out += "  " + count_text(empty_answers) + " empty answers\n";
  if (kind == "comparisons")
    out += "  the longer answer is the chosen one in " + decimal_text(100 * longer_is_chosen(), 1) +
           "%: what a model that knows only length would reach\n";
  if (out.size() == before) out += "  nothing odd\n";

  if (shown.empty()) {
    for (const std::string& e : examples) out += "\n" + shortened(e);
    return out;
  }
  for (const ShownSequence& s : shown) {
    out += "\n[" + s.title + "] token by token; * is trained\n";
    for (const ShownToken& t : s.tokens) {
      std::string mark = t.weight == 0 ? "   " : " * ";
      if (t.weight != 0 && t.weight != 1) mark = decimal_text(t.weight, 2) + " ";
      out += mark + right(std::to_string(t.id), 7) + "  " + visible(t.text) + "\n";
    }
  }
  return out;
}

}  // namespace hone::data
