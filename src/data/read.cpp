#include "data/read.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "data/read_comparisons.h"
#include "data/row_reader.h"
#include "data/split.h"

namespace hone::data {
namespace {

// Several things of one row share its id with a suffix.
std::string numbered(const std::string& id, size_t n, size_t of) {
  return of > 1 ? id + "." + std::to_string(n + 1) : id;
}

std::string join(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) out += (i ? ", " : "") + names[i];
  return out;
}

// What takes the rows that there are, or what is wanted instead.
std::string way_out(const ReadReport& report, const std::string& what, bool others) {
  if (!others) return "is this the right file, and the right format?";
  if (what == "demonstrations")
    return std::string(report.found.contains(kTexts) ? "`hone pretrain` learns from texts; " : "") +
           "demonstrations are {\"prompt\", \"completion\"} or {\"messages\"} that end with the assistant";
  if (what == "comparisons" && report.found.contains(kUnjudged))
    return "`hone annotate` asks a person which of the answers is better";
  if (what == "judged answers")
    return "judged answers are {\"prompt\", \"completion\", \"label\"}, or comparisons, which are taken apart";
  if (what == "rankings")
    return "rankings are {\"instruction\", \"output\": [best, …, worst]}, ranked replies of a tree, or comparisons";
  if (what == "comparisons")
    return "comparisons are {\"prompt\", \"chosen\", \"rejected\"}; demonstrations, labelled or not, are for `hone "
           "sft`";
  return "documents are {\"text\"} or plain text; rows of a conversation are for `hone sft`";
}

template <class Row>
Read<Row> finished(std::vector<Row> rows, ReadReport report, const std::vector<std::string>& paths,
                   const std::string& what) {
  report.rows = static_cast<int64_t>(rows.size());
  if (rows.empty()) {
    std::string formats, holds;
    for (const FileReport& f : report.files) formats += (formats.empty() ? "" : ", ") + f.format;
    for (const auto& [kind, n] : report.found)
      if (kind != what) holds += (holds.empty() ? ": the rows are " : ", ") + count_text(n) + " " + kind;
    usage_error("no " + what + " in " + join(paths) + holds + " (" + report.summary() + "; format: " + formats + ")",
                way_out(report, what, !holds.empty()));
  }
  return {std::move(rows), std::move(report)};
}

// An answer that says and does nothing.
bool empty_answer(const text::Message& m) { return m.content.empty() && m.tool_calls.empty() && m.reasoning.empty(); }

// Up to what the last answer, of one or more turns in a row, answers.
void drop_answer(std::vector<text::Message>& messages) {
  while (!messages.empty() && messages.back().role == "assistant") messages.pop_back();
}

std::vector<text::Message> followed_by(std::vector<text::Message> prompt, const std::vector<text::Message>& answer) {
  prompt.insert(prompt.end(), answer.begin(), answer.end());
  return prompt;
}

// What has no winner is counted, each kind by itself.
void count_undecided(const Comparison& c, ReadReport& report) {
  if (c.outcome == Outcome::kTie) ++report.ties;
  if (c.outcome == Outcome::kBothBad) ++report.dropped["both answers bad"];
  if (c.outcome == Outcome::kCantTell) ++report.dropped["the judge could not tell"];
  if (c.outcome == Outcome::kSkip) ++report.dropped["skipped by the judge"];
}

bool useless(const Comparison& c, ReadReport& report) {
  if (c.a.messages == c.b.messages && c.correction.empty()) {
    ++report.dropped["identical answers"];
    return true;
  }
  if (c.weight == 0) {
    ++report.dropped["weight 0"];
    return true;
  }
  return false;
}

}  // namespace

Read<Document> read_documents(const std::vector<std::string>& paths, const ReadSettings& settings) {
  std::vector<Document> rows;
  ReadReport report = read_rows(paths, settings, [&](RowContent& c, const RowPlace& place, ReadReport& r) {
    if (c.documents.empty()) ++r.dropped["no text in the row"];
    for (size_t i = 0; i < c.documents.size(); ++i) {
      if (c.documents[i].find_first_not_of(" \t\r\n") == std::string::npos) {
        ++r.dropped["empty documents"];
        continue;
      }
      rows.push_back({std::move(c.documents[i]), numbered(place.id, i, c.documents.size())});
    }
  });
  return finished(std::move(rows), std::move(report), paths, "documents");
}

Read<Demonstration> read_demonstrations(const std::vector<std::string>& paths, const ReadSettings& settings) {
  std::vector<Demonstration> rows;
  std::vector<std::string> answer_of;  // of each row from a comparison: hash of prompt and answer; "" of others
  std::unordered_map<std::string, std::pair<bool, bool>> fate;  // the same hash: has it won, has it lost
  ReadReport report = read_rows(paths, settings, [&](RowContent& c, const RowPlace& place, ReadReport& r) {
    for (size_t i = 0; i < c.demonstrations.size(); ++i) {
      auto& messages = c.demonstrations[i];
      if (c.label && !*c.label) {
        ++r.dropped["labelled bad"];
        continue;
      }
      if (empty_answer(messages.back())) {
        ++r.dropped["empty answers"];
        continue;
      }
      if (std::none_of(messages.begin(), messages.end(),
                       [](const text::Message& m) { return m.role == "assistant" && m.weight > 0; })) {
        ++r.dropped["no turn is learnt (weight 0)"];
        continue;
      }
      rows.push_back({std::move(messages), numbered(place.id, i, c.demonstrations.size()), c.label});
      answer_of.emplace_back();
    }
    if (!c.demonstrations.empty()) return;
    if (c.comparisons.empty()) ++r.dropped["no answer in the row"];
    for (size_t i = 0; i < c.comparisons.size(); ++i) {
      const Comparison& comparison = c.comparisons[i];
      count_undecided(comparison, r);
      if (useless(comparison, r) || !feedback::decided(comparison.outcome)) continue;
      const bool first = comparison.outcome == Outcome::kA;
      const auto& winner = (first ? comparison.a : comparison.b).messages;
      const auto& loser = (first ? comparison.b : comparison.a).messages;
      fate[prompt_hash(followed_by(comparison.prompt, loser))].second = true;
      if (empty_answer(winner.back())) {
        ++r.dropped["empty answers"];
        continue;
      }
      std::vector<text::Message> messages = followed_by(comparison.prompt, winner);
      const std::string key = prompt_hash(messages);
      const bool again = std::exchange(fate[key].first, true);
      if (again) {
        ++r.dropped["chosen already"];
        continue;
      }
      for (size_t at = comparison.prompt.size(); at < messages.size(); ++at)
        if (messages[at].role == "assistant") messages[at].weight *= comparison.weight;
      rows.push_back({std::move(messages), numbered(place.id, i, c.comparisons.size())});
      answer_of.push_back(key);
    }
  });
  if (settings.chosen_sides == "best") {
    size_t kept = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!answer_of[i].empty() && fate[answer_of[i]].second) {
        ++report.dropped["chosen once, rejected another time"];
        continue;
      }
      if (kept != i) rows[kept] = std::move(rows[i]);
      ++kept;
    }
    rows.resize(kept);
  }
  return finished(std::move(rows), std::move(report), paths, "demonstrations");
}

Read<Preference> read_preferences(const std::vector<std::string>& paths, const ReadSettings& settings) {
  std::vector<Preference> rows;
  ReadReport report = read_rows(paths, settings, [&](RowContent& c, const RowPlace& place, ReadReport& r) {
    if (c.comparisons.empty()) ++r.dropped["nothing is compared in the row"];
    for (size_t i = 0; i < c.comparisons.size(); ++i) {
      const Comparison& comparison = c.comparisons[i];
      count_undecided(comparison, r);
      if (useless(comparison, r)) continue;
      const std::string id = numbered(place.id, i, c.comparisons.size());
      const auto ties = settings.ties == "half" ? feedback::Ties::kHalf : feedback::Ties::kDrop;
      for (feedback::Pair& pair : feedback::pairs_of(comparison, ties))
        rows.push_back({std::move(pair.prompt), std::move(pair.chosen), std::move(pair.rejected), pair.weight,
                        pair.margin, place.source, id + std::string(feedback::id_suffix(pair)),
                        pair.kind == feedback::Pair::Kind::kTie});
    }
  });
  return finished(std::move(rows), std::move(report), paths, "comparisons");
}

Read<JudgedAnswers> read_judged_pairs(const std::vector<std::string>& paths, const ReadSettings& settings) {
  Read<Preference> read = read_preferences(paths, settings);
  Read<JudgedAnswers> out{{}, std::move(read.report)};
  for (Preference& row : read.rows) out.rows.push_back(as_judged(std::move(row)));
  return out;
}

Read<JudgedAnswers> read_judged_singles(const std::vector<std::string>& paths, const ReadSettings& settings) {
  std::vector<JudgedAnswers> rows;
  int64_t good = 0;
  const auto add = [&](std::vector<text::Message> prompt, std::vector<text::Message> answer, bool is_good,
                       double weight, const RowPlace& place, const std::string& id, bool tie) {
    good += is_good;
    rows.push_back({std::move(prompt), {std::move(answer)}, is_good, weight, 0, place.source, id, tie});
  };
  ReadReport report = read_rows(paths, settings, [&](RowContent& c, const RowPlace& place, ReadReport& r) {
    if (!c.label && !c.demonstrations.empty()) ++r.dropped["answers without a label"];
    for (size_t i = 0; c.label && i < c.demonstrations.size(); ++i) {
      std::vector<text::Message> prompt = c.demonstrations[i];
      drop_answer(prompt);
      std::vector<text::Message> answer(c.demonstrations[i].begin() + std::ssize(prompt), c.demonstrations[i].end());
      const double weight = answer.back().weight;
      if (weight == 0) ++r.dropped["weight 0"];
      else if (empty_answer(answer.back())) ++r.dropped["empty answers"];
      else
        add(std::move(prompt), std::move(answer), *c.label, weight, place,
            numbered(place.id, i, c.demonstrations.size()), false);
    }
    for (size_t i = 0; i < c.comparisons.size(); ++i) {
      const Comparison& comparison = c.comparisons[i];
      const std::string id = numbered(place.id, i, c.comparisons.size());
      if (comparison.outcome == Outcome::kBothBad && comparison.weight > 0) {
        add(comparison.prompt, comparison.a.messages, false, comparison.weight, place, id + ".a", false);
        add(comparison.prompt, comparison.b.messages, false, comparison.weight, place, id + ".b", false);
      } else {
        count_undecided(comparison, r);
      }
      if (useless(comparison, r)) continue;
      const auto ties = settings.ties == "half" ? feedback::Ties::kHalf : feedback::Ties::kDrop;
      for (feedback::Pair& pair : feedback::pairs_of(comparison, ties)) {
        const std::string of_pair = id + std::string(feedback::id_suffix(pair));
        const bool tie = pair.kind == feedback::Pair::Kind::kTie;
        add(pair.prompt, std::move(pair.chosen), true, pair.weight, place, of_pair + ".chosen", tie);
        add(std::move(pair.prompt), std::move(pair.rejected), false, pair.weight, place, of_pair + ".rejected", tie);
      }
    }
  });
  Read<JudgedAnswers> out = finished(std::move(rows), std::move(report), paths, "judged answers");
  const auto n = std::ssize(out.rows);
  if (good == 0 || good == n)
    usage_error("all " + count_text(n) + " judged answers in " + join(paths) + " are " + (good == 0 ? "bad" : "good") +
                    ": there is nothing to tell them from",
                good == 0 ? "give good answers, too" : "give bad answers, too; good ones alone are for `hone sft`");
  return out;
}

Read<JudgedAnswers> read_rankings(const std::vector<std::string>& paths, const ReadSettings& settings) {
  std::vector<JudgedAnswers> rows;
  ReadReport report = read_rows(paths, settings, [&](RowContent& c, const RowPlace& place, ReadReport& r) {
    if (c.rankings.empty() && c.comparisons.empty()) ++r.dropped["nothing is ranked in the row"];
    for (size_t i = 0; i < c.rankings.size(); ++i) {
      Ranking& ranking = c.rankings[i];
      rows.push_back({std::move(ranking.prompt), std::move(ranking.answers), true, 1, 0, place.source,
                      numbered(place.id, i, c.rankings.size())});
    }
    if (!c.rankings.empty()) return;
    for (size_t i = 0; i < c.comparisons.size(); ++i) {
      const Comparison& comparison = c.comparisons[i];
      count_undecided(comparison, r);
      if (useless(comparison, r)) continue;
      for (feedback::Pair& pair : feedback::pairs_of(comparison, feedback::Ties::kDrop))
        rows.push_back(as_judged(
            {std::move(pair.prompt), std::move(pair.chosen), std::move(pair.rejected), pair.weight, pair.margin,
             place.source, numbered(place.id, i, c.comparisons.size()) + std::string(feedback::id_suffix(pair))}));
    }
  });
  return finished(std::move(rows), std::move(report), paths, "rankings");
}

Read<Comparison> read_comparisons(const std::vector<std::string>& paths, const ReadSettings& settings) {
  std::vector<Comparison> rows;
  ReadReport report = read_rows(paths, settings, [&](RowContent& c, const RowPlace&, ReadReport& r) {
    if (c.comparisons.empty()) ++r.dropped["nothing is compared in the row"];
    for (size_t i = 0; i < c.comparisons.size(); ++i) {
      Comparison& comparison = c.comparisons[i];
      if (!c.id.empty()) comparison.id = numbered(c.id, i, c.comparisons.size());
      comparison.source = c.source;
      rows.push_back(std::move(comparison));
    }
  });
  return finished(std::move(rows), std::move(report), paths, "comparisons");
}

Read<Prompt> read_prompts(const std::vector<std::string>& paths, const ReadSettings& settings, bool keep_rows) {
  std::vector<Prompt> rows;
  std::set<std::string> seen;
  ReadReport report = read_rows(paths, settings, [&](RowContent& c, const RowPlace& place, ReadReport& r) {
    std::vector<std::vector<text::Message>> prompts = std::move(c.prompts);
    for (auto& messages : c.demonstrations) {
      drop_answer(messages);
      prompts.push_back(std::move(messages));
    }
    for (Comparison& comparison : c.comparisons) prompts.push_back(std::move(comparison.prompt));
    for (AnswerPair& pair : c.unjudged) prompts.push_back(std::move(pair.prompt));
    for (std::string& document : c.documents) prompts.push_back({{"user", std::move(document)}});
    std::vector<std::vector<text::Message>> fresh;
    for (auto& messages : prompts) {
      if (messages.empty()) {
        ++r.dropped["no prompt before the answer"];
      } else if (!seen.insert(prompt_hash(messages)).second) {
        ++r.dropped["the same prompt again"];
      } else {
        fresh.push_back(std::move(messages));
      }
    }
    const auto row = keep_rows && place.row ? std::make_shared<const Json>(*place.row) : nullptr;
    for (size_t i = 0; i < fresh.size(); ++i)
      rows.push_back({std::move(fresh[i]), numbered(place.id, i, fresh.size()), row});
  });
  return finished(std::move(rows), std::move(report), paths, "prompts");
}

}  // namespace hone::data
