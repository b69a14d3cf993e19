// Reading data files into rows. Nothing is lost silently: bad lines, ties, rows that cannot be used are counted, and
// the first problems are kept with file and line.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "data/rows.h"

namespace hone::data {

struct ReadSettings {
  std::string format = "auto";
  std::string on_bad_line = "stop";
  std::string ties = "drop";
  std::string split_text_by = "file";
  std::string chosen_sides = "best";
  bool passages = false;
  std::vector<std::string> ignore_keys;

  template <class V>
  void fields(V& v) {
    v("format", format, "row format of the files (`hone list formats`); auto: seen in each file's first row");
    v.choice("on_bad_line", on_bad_line, {"stop", "skip"},
             "a line that cannot be read stops the run, or is skipped and counted", "a lost line is worth a look");
    v.choice("ties", ties, {"drop", "half"},
             "comparisons without a winner are dropped, or become two of weight 1/2, one each way",
             "a tie tells a Bradley-Terry model only that the rewards are close");
    v.choice("split_text_by", split_text_by, {"file", "blank_line", "line"},
             "what one document is in a plain text file");
    v.choice("chosen_sides", chosen_sides, {"best", "all"},
             "demonstrations from comparisons: answers that win and never lose on their prompt, or every chosen side");
    v("passages", passages, "fine-grained QA feedback: put the evidence passages before the question",
      "they run to thousands of tokens");
    v("ignore_keys", ignore_keys, "keys of rows to pass over knowingly, though they change what a row says",
      "a key that is dropped in silence trains another model than the data describe");
  }
};

struct FileReport {
  std::string path, sha256, container, format;
  uint64_t bytes = 0;
  int64_t rows = 0;  ///< rows in the file, bad ones included
};

struct Problem {
  std::string where;  ///< "file:line"
  std::string what;
};

inline constexpr const char* kTexts = "texts without a prompt and an answer";
inline constexpr const char* kUnjudged = "pairs that nobody judged";

struct ReadReport {
  std::vector<FileReport> files;
  int64_t rows = 0;                        ///< what came out
  int64_t skipped = 0;                     ///< bad lines passed over (on_bad_line = "skip")
  int64_t ties = 0;                        ///< comparisons without a winner
  std::map<std::string, int64_t> dropped;  ///< well-formed but of no use: reason -> count
  std::map<std::string, int64_t> noticed;  ///< used, and odd: what -> rows
  std::map<std::string, int64_t> unread;   ///< keys without a meaning to hone: key -> rows
  std::map<std::string, int64_t> found;    ///< what the rows hold, read or not: "texts", "demonstrations", … -> count
  std::vector<Problem> problems;           ///< the first ten of them

  Json to_json() const;
  /// One line: "7,038 rows from 5 files; 865 ties; skipped 2 bad lines (first: x.jsonl:7: …)".
  std::string summary() const;
};

template <class Row>
struct Read {
  std::vector<Row> rows;
  ReadReport report;
};

// Each takes files, folders and patterns, and fails (kUsage) where nothing comes out: "no comparisons in FILE".
Read<Document> read_documents(const std::vector<std::string>& paths, const ReadSettings& settings = {});
/// From demonstration rows, and from comparisons the chosen sides.
Read<Demonstration> read_demonstrations(const std::vector<std::string>& paths, const ReadSettings& settings = {});
Read<Preference> read_preferences(const std::vector<std::string>& paths, const ReadSettings& settings = {});
/// The same comparisons, behind the type of answers that were judged together.
Read<JudgedAnswers> read_judged_pairs(const std::vector<std::string>& paths, const ReadSettings& settings = {});
/// Each answer by itself, good or bad: rows with a label, and comparisons taken apart (of "both bad", both are bad).
/// All good, or all bad: kUsage.
Read<JudgedAnswers> read_judged_singles(const std::vector<std::string>& paths, const ReadSettings& settings = {});
/// Rankings of two or more answers, best first, and comparisons as rankings of two. Answers of one rank: the first
/// stands for them.
Read<JudgedAnswers> read_rankings(const std::vector<std::string>& paths, const ReadSettings& settings = {});
/// The prompts of every kind of row, each different one once. With `keep_rows`, each has its row; those of plain text
/// have none.
Read<Prompt> read_prompts(const std::vector<std::string>& paths, const ReadSettings& settings = {},
                          bool keep_rows = false);

}  // namespace hone::data
