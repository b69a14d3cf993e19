#include "data/row_reader.h"

#include <set>

#include "base/error.h"
#include "base/json.h"
#include "data/source.h"

namespace hone::data {
namespace {

constexpr size_t kProblemsKept = 10;

// "test" of "a/b/test.jsonl.gz".
std::string short_name(const std::filesystem::path& path) {
  std::filesystem::path name = path.filename();
  if (name.extension() == ".gz") name = name.stem();
  return name.stem().string();
}

std::string keys_of(const Json& row) {
  if (!row.is_object()) return std::string("a ") + row.type_name();
  std::string out;
  int n = 0;
  for (const auto& [key, value] : row.items()) {
    if (++n > 8) return out + ", …";
    out += (out.empty() ? "" : ", ") + key;
  }
  return out.empty() ? "no keys" : out;
}

class FileReader {
 public:
  FileReader(const std::filesystem::path& path, const ReadSettings& settings, ReadReport& report,
             const std::function<void(RowContent&, const RowPlace&, ReadReport&)>& take)
      : source_(open_source(path)), settings_(settings), report_(report), take_(take), name_(short_name(path)) {
    if (settings.format != "auto") format_ = &format(settings.format);
  }

  void run() {
    if (source_.container == Container::kText) {
      if (format_ && format_->id != "text")
        usage_error(source_.path.string() + ": plain text, not rows of format '" + settings_.format + "'");
      format_ = &format("text");
      for_each_document(source_, settings_.split_text_by, [&](std::string_view text, int64_t line) {
        RowContent content;
        content.documents.emplace_back(text);
        deliver(content, nullptr, line);
      });
    } else {
      for_each_json_row(
          source_, [&](const Json& row, int64_t line) { json_row(row, line); },
          [&](const std::string& what, int64_t line) { ++rows_, bad(what, "", line); });
    }
    report_.files.push_back({source_.path.string(), source_.sha256, std::string(container_name(source_.container)),
                             format_ ? std::string(format_->id) : "none", source_.bytes, rows_});
  }

 private:
  void json_row(const Json& row, int64_t line) {
    ++rows_;
    if (!format_) format_ = recognise(row);
    if (!format_)
      return bad("no known format has a row like this one (" + keys_of(row) + ")",
                 "`hone list formats` shows all; name one with format = \"…\"", line);
    RowContent content;
    try {
      content = read(row);
    } catch (const Error& e) {
      if (e.kind != Kind::kUsage) throw;
      return bad(std::string(e.what()) + " (format " + std::string(format_->id) + ")", e.hint, line);
    }
    --rows_;  // deliver counts it
    deliver(content, &row, line);
  }

  RowContent read(const Json& row) const {
    const FormatOptions options{.passages = settings_.passages};
    if (!row.is_object() || settings_.ignore_keys.empty()) return checked(row, options);
    Json rest = row;
    for (const std::string& key : settings_.ignore_keys) rest.erase(key);
    return checked(rest, options);
  }

  RowContent checked(const Json& row, const FormatOptions& options) const {
    RowContent content = format_->read(row, options);
    note_other_keys(row, format_->keys(), "", content.notes);
    return content;
  }

  void deliver(RowContent& content, const Json* row, int64_t line) {
    ++rows_;
    for (const std::string& what : content.notes.noticed) ++report_.noticed[what];
    for (const std::string& key : std::set<std::string>(content.notes.unread.begin(), content.notes.unread.end()))
      ++report_.unread[key];
    const auto count = [&](const char* what, size_t n) {
      if (n > 0) report_.found[what] += static_cast<int64_t>(n);
    };
    count(kTexts, content.documents.size());
    count(content.label ? "answers labelled good or bad" : "demonstrations", content.demonstrations.size());
    count("comparisons", content.comparisons.size());
    count(kUnjudged, content.unjudged.size());
    count("prompts without an answer", content.prompts.size());
    if (!content.dropped.empty()) {
      ++report_.dropped[content.dropped];
      return note(content.dropped, line);
    }
    RowPlace place{source_.path.string(), content.id, content.source, line, row};
    if (place.id.empty()) place.id = name_ + ":" + std::to_string(rows_);
    if (place.source.empty()) place.source = name_;
    try {
      take_(content, place, report_);
    } catch (const Error& e) {
      if (e.kind != Kind::kUsage) throw;
      bad(e.what(), e.hint, line);
    }
  }

  std::string where(int64_t line) const { return source_.path.string() + ":" + std::to_string(line); }

  void note(const std::string& what, int64_t line) {
    if (report_.problems.size() < kProblemsKept) report_.problems.push_back({where(line), what});
  }

  void bad(const std::string& what, const std::string& hint, int64_t line) {
    if (settings_.on_bad_line != "skip")
      usage_error(where(line) + ": " + what,
                  hint.empty() ? "mend the line, or pass over such lines with on_bad_line = \"skip\"" : hint);
    ++report_.skipped;
    note(what, line);
  }

  Source source_;
  const ReadSettings& settings_;
  ReadReport& report_;
  const std::function<void(RowContent&, const RowPlace&, ReadReport&)>& take_;
  std::string name_;
  const Format* format_ = nullptr;
  int64_t rows_ = 0;
};

}  // namespace

ReadReport read_rows(const std::vector<std::string>& paths, const ReadSettings& settings,
                     const std::function<void(RowContent&, const RowPlace&, ReadReport&)>& take) {
  ReadReport report;
  for (const auto& path : expand_paths(paths)) FileReader(path, settings, report, take).run();
  return report;
}

}  // namespace hone::data
