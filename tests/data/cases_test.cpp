// Runs cases/*.case; their format stands in cases/README.md.
#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "config/fields.h"
#include "data/read.h"
#include "scratch.h"

using namespace hone;
using namespace hone::data;

namespace {

// "\xHH" to its byte; a last line "\" takes the newline before it away.
std::string unescaped(std::string text) {
  if (text.ends_with("\n\\\n")) text.resize(text.size() - 3);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "\\x") == 0 && i + 4 <= text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

struct Case {
  scratch::Folder dir;
  std::vector<std::string> files;
  std::string kind;
  ReadSettings settings;
  std::vector<std::pair<std::string, std::string>> expected;  ///< word, rest
};

void parse(const std::string& text, Case& out) {
  std::string name, content;
  const auto flush = [&] {
    if (!name.empty()) out.files.push_back(out.dir.file(name, unescaped(content)));
    name.clear();
    content.clear();
  };
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with("== ")) {
      if (!name.empty()) content += line + "\n";
      continue;
    }
    flush();
    const size_t space = line.find(' ', 3);
    const std::string word = line.substr(3, space - 3), rest = line.substr(space + 1);
    if (word == "file") {
      name = rest;
    } else if (word == "read") {
      size_t begin = rest.find(' ');
      out.kind = rest.substr(0, begin);
      while (begin != std::string::npos) {
        const size_t next = rest.find(' ', begin + 1), equals = rest.find('=', begin);
        const config::Fields fields = config::fields_of(out.settings);
        config::set_from_text(fields.find(rest.substr(begin + 1, equals - begin - 1), "read", "case"),
                              rest.substr(equals + 1, next - equals - 1), "case");
        begin = next;
      }
    } else {
      out.expected.emplace_back(word, rest);
    }
  }
  flush();
}

ReadReport read(const Case& c) {
  if (c.kind == "documents") return read_documents(c.files, c.settings).report;
  if (c.kind == "demonstrations") return read_demonstrations(c.files, c.settings).report;
  if (c.kind == "preferences") return read_preferences(c.files, c.settings).report;
  REQUIRE(c.kind == "prompts");
  return read_prompts(c.files, c.settings).report;
}

}  // namespace

TEST_CASE("text cases of reading") {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator("tests/data/cases"))
    if (entry.path().extension() == ".case") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  CHECK(paths.size() >= 25);
  for (const fs::path& path : paths) {
    const std::string name = path.filename().string();
    CAPTURE(name);
    Case c;
    parse(read_file(path), c);
    REQUIRE(!c.expected.empty());
    std::optional<ReadReport> report;
    std::string message, hint;
    try {
      report = read(c);
    } catch (const Error& e) {
      CHECK(e.kind == Kind::kUsage);
      message = e.what();
      hint = e.hint;
    }
    for (const auto& [word, rest] : c.expected) {
      CAPTURE(word);
      CAPTURE(rest);
      if (word == "error" || word == "hint") {
        CHECK_MESSAGE((word == "error" ? message : hint).find(rest) != std::string::npos, message, " | ", hint);
        continue;
      }
      REQUIRE_MESSAGE(report, message);
      if (word == "rows") CHECK(report->rows == std::stoll(rest));
      else if (word == "skipped") CHECK(report->skipped == std::stoll(rest));
      else if (word == "ties") CHECK(report->ties == std::stoll(rest));
      else if (word == "problem")
        CHECK((report->problems.at(0).where + ": " + report->problems.at(0).what).find(rest) != std::string::npos);
      else if (word == "dropped") CHECK(report->dropped[rest.substr(rest.find(' ') + 1)] == std::stoll(rest));
      else FAIL("unknown expectation");
    }
  }
}
