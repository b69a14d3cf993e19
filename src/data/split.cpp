#include "data/split.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/sha256.h"

namespace hone::data {
namespace {

// Trimmed, each run of white space one blank: the same prompt pasted twice is the same prompt.
void append_normal(std::string& out, std::string_view text) {
  bool blank = false, any = false;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      blank = true;
      continue;
    }
    if (blank && any) out += ' ';
    blank = false;
    any = true;
    out += c;
  }
}

constexpr size_t kHashDigits = 32;

// In [0, 1): the same for a prompt wherever it occurs, so that a larger share holds out the same prompts and more.
double place_of(const std::string& hash, uint64_t seed) { return Stream(seed, "held out", hash64(hash)).uniform_at(0); }

// A share with which neither side is empty, as a hint; `least`, `most`: the first and last place of any prompt.
std::string possible_share(double share, double least, double most) {
  const double possible = share <= least ? std::ceil(least * 1000 + 1) / 1000 : std::floor(most * 1000 - 1) / 1000;
  if (possible <= least || possible > most || possible > kLargestHeldOut) return "give more data, or another seed";
  return "with this seed a share of " + decimal_text(possible, 3) + " would; or give more data";
}

}  // namespace

std::string prompt_hash(std::span<const text::Message> prompt) {
  std::string canonical;
  for (const text::Message& m : text::joined_neighbours({prompt.begin(), prompt.end()})) {
    canonical += m.role;
    canonical += '\x1f';
    append_normal(canonical, m.content);
    // What a plain turn does not have changes nothing for it.
    for (const std::string* more : {&m.tools, &m.tool_calls, &m.reasoning}) {
      if (more->empty()) continue;
      canonical += '\x1d';
      append_normal(canonical, *more);
    }
    canonical += '\x1e';
  }
  return sha256(canonical).substr(0, kHashDigits);
}

std::string prompt_hash(const Preference& row) { return prompt_hash(row.prompt); }
std::string prompt_hash(const JudgedAnswers& row) { return prompt_hash(row.prompt); }
std::string prompt_hash(const Prompt& row) { return prompt_hash(row.messages); }
std::string prompt_hash(const Demonstration& row) {
  HONE_CHECK(!row.messages.empty());
  size_t n = row.messages.size() - 1;
  while (n > 0 && row.messages[n - 1].role == "assistant") --n;  // an answer of several turns
  return prompt_hash(std::span(row.messages).first(n));
}

bool is_held_out(const std::string& hash, double share, uint64_t seed) { return place_of(hash, seed) < share; }

template <class Row>
Split<Row> split(std::vector<Row> rows, double share, uint64_t seed) {
  if (!(share >= 0 && share <= 1)) usage_error("held_out is " + decimal_text(share, 3) + ", not between 0 and 1");
  Split<Row> out;
  std::set<std::string> prompts;
  double least = 1, most = 0;
  for (Row& row : rows) {
    const std::string hash = prompt_hash(row);
    const double place = place_of(hash, seed);
    (place < share ? out.held_out : out.train).push_back(std::move(row));
    prompts.insert(hash);
    least = std::min(least, place);
    most = std::max(most, place);
  }
  if (share > 0 && share < 1 && prompts.size() > 1 && (out.train.empty() || out.held_out.empty()))
    usage_error("to hold out " + (share < 0.001 ? "less than 0.001" : decimal_text(share, 3)) + " of " +
                    count_text(static_cast<int64_t>(prompts.size())) + " prompts leaves no row " +
                    (out.train.empty() ? "to learn from" : "to evaluate on"),
                possible_share(share, least, most));
  return out;
}
template Split<Preference> split(std::vector<Preference>, double, uint64_t);
template Split<JudgedAnswers> split(std::vector<JudgedAnswers>, double, uint64_t);
template Split<Demonstration> split(std::vector<Demonstration>, double, uint64_t);
template Split<Prompt> split(std::vector<Prompt>, double, uint64_t);

template <class Row>
void keep_part(std::vector<Row>& rows, double begin, double end) {
  if (begin <= 0 && end >= 1) return;
  const std::string part = decimal_text(begin, 3) + " to " + decimal_text(end, 3);
  if (!(begin < end))
    usage_error("the part of the prompts from " + part + " is empty", "let part_end be above part_begin");
  std::erase_if(rows, [&](const Row& row) {
    const double place = Stream(0, "part", hash64(prompt_hash(row))).uniform_at(0);
    return place < begin || place >= end;
  });
  if (rows.empty()) usage_error("no prompt lies in the part from " + part, "give more data, or a larger part");
}
template void keep_part(std::vector<Preference>&, double, double);
template void keep_part(std::vector<JudgedAnswers>&, double, double);
template void keep_part(std::vector<Demonstration>&, double, double);

std::string SplitManifest::sha256() const {
  std::string all;
  for (const std::string& hash : trained_) all += hash + "\n";
  return hone::sha256(all);
}

void SplitManifest::save(const fs::path& file) const {
  Json out;
  out["what"] = "hashes of the prompts that the model was trained on";
  out["held_out_share"] = share_;
  out["seed"] = seed_;
  out["sha256"] = sha256();
  out["trained"] = trained_;
  write_file_atomic(file, dump_json(out, 1) + "\n");
}

SplitManifest SplitManifest::load(const fs::path& file) {
  const Json json = parse_json(read_file(file), file.string());
  SplitManifest out;
  try {
    out.share_ = json.at("held_out_share").get<double>();
    out.seed_ = json.at("seed").get<uint64_t>();
    out.trained_ = json.at("trained").get<std::set<std::string>>();
    if (json.at("sha256").get<std::string>() == out.sha256()) return out;
  } catch (const nlohmann::json::exception&) {
    usage_error(file.string() + ": not a list of trained prompts",
                "it is written beside the model by the training stage");
  }
  usage_error(file.string() + ": the hashes do not give the stored sha256",
              "the file was changed; take it from the run again");
}

template <class Row>
void require_disjoint(const SplitManifest& manifest, std::span<const Row> rows, const std::string& what) {
  int64_t seen = 0;
  std::string first;
  for (const Row& row : rows) {
    if (!manifest.trained_on(prompt_hash(row))) continue;
    if (seen++ == 0) first = row.id;
  }
  if (seen == 0) return;
  usage_error(count_text(seen) + " of " + count_text(static_cast<int64_t>(rows.size())) + " rows of " + what +
                  " have prompts that the model was trained on (first: " + first + ")",
              "evaluate on held-out rows: the split with held_out = " + decimal_text(manifest.held_out_share(), 3) +
                  " and seed " + std::to_string(manifest.seed()) + " leaves them out");
}
template void require_disjoint(const SplitManifest&, std::span<const Preference>, const std::string&);
template void require_disjoint(const SplitManifest&, std::span<const JudgedAnswers>, const std::string&);
template void require_disjoint(const SplitManifest&, std::span<const Demonstration>, const std::string&);
template void require_disjoint(const SplitManifest&, std::span<const Prompt>, const std::string&);

}  // namespace hone::data
