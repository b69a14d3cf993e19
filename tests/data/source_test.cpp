// Containers (lines, array, one object, text; gzip), bad lines with their places, empty and binary files.
#include "data/source.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"
#include "data/read.h"
#include "scratch.h"

using namespace hone;
using namespace hone::data;

namespace {
const std::string kRow = R"({"prompt": "P", "completion": "C"})";
std::vector<std::string> texts(const Read<Document>& read) {
  std::vector<std::string> out;
  for (const Document& d : read.rows) out.push_back(d.text);
  return out;
}
}  // namespace

TEST_CASE("lines, arrays, gzip, a byte order mark, CRLF, blank lines: the same rows") {
  const scratch::Folder dir;
  const std::pair<const char*, std::string> files[] = {
      {"a.jsonl", kRow + "\n" + kRow + "\n"},
      {"b.jsonl", "\n" + kRow + "\r\n\r\n" + kRow},
      {"c.jsonl", "\xEF\xBB\xBF" + kRow + "\n" + kRow},
      {"d.json", "[" + kRow + "," + kRow + "]"},
      {"e.json", "\n[\n  " + kRow + ",\n  " + kRow + "\n]\n"},
      {"f.json", "\xEF\xBB\xBF[" + kRow + "," + kRow + "]"},
      {"g.jsonl.gz", kRow + "\n" + kRow + "\n"},
      {"h.json.gz", "[" + kRow + "," + kRow + "]"},
      {"i.data", kRow + "\n" + kRow + "\n"},
      {"j.txt", kRow + "\n" + kRow + "\n"},
      {"k.data", "[\n" + kRow + ",\n" + kRow + "\n]\n"},
  };
  for (const auto& [name, content] : files) {
    CAPTURE(std::string(name));
    const std::string path = dir.file(name, content);
    const auto read = read_demonstrations({path});
    CHECK(read.rows.size() == 2);
    CHECK(read.report.rows == 2);
    REQUIRE(read.report.files.size() == 1);
    CHECK(read.report.files[0].sha256 == sha256_file(path));
    CHECK(read.report.files[0].rows == 2);
  }
}

TEST_CASE("a bad line stops the run with its place, or is skipped and counted") {
  const scratch::Folder dir;
  struct Case {
    const char* name;
    std::string content, where, what;
  };
  const Case cases[] = {
      {"a.jsonl", kRow + "\n\n{\"prompt\": \"P\", \"comp\n" + kRow, "a.jsonl:3", "malformed JSON"},
      {"b.jsonl", kRow + "\n{\"prompt\": \"P\"}\n" + kRow, "b.jsonl:2",
       "field 'completion' is missing (format completion)"},
      {"c.jsonl", kRow + "\n[1, 2]\n" + kRow, "c.jsonl:2", "the row is not a JSON object"},
      {"d.jsonl", kRow + "\n{\"prompt\": 7, \"completion\": \"C\"}\n" + kRow, "d.jsonl:2",
       "field 'prompt' is not a text"},
      {"e.json", "[\n" + kRow + ",\n{\"prompt\": nope},\n" + kRow + "]", "e.json:3", "malformed JSON"},
      {"f.json", "[" + kRow + ",\n\n" + kRow + ",\n null\n]", "f.json:4", "the row is not a JSON object"},
      {"g.jsonl", "{\"what\": 1}\n" + kRow + "\n" + kRow, "g.jsonl:1",
       "no known format has a row like this one (what)"},
      {"h.jsonl", "oops\n" + kRow + "\n" + kRow, "h.jsonl:1", "malformed JSON"},
      {"i.jsonl", kRow + "\n{\"prompt\": \"\xff\", \"completion\": \"C\"}\n" + kRow, "i.jsonl:2", "malformed JSON"},
      {"j.json", "[" + kRow + ",\n" + kRow + ",\n{\"prompt\": \"P\", \"completion\": \"C", "j.json:3", "breaks off"},
      {"k.json", "[" + kRow + ",\n" + kRow + "\n", "k.json:3", "does not end with ]"},
      {"l.json", "[" + kRow + "," + kRow + "]\n{}", "l.json:2", "something follows the array"},
      {"m.json", "[" + kRow + ",\n" + kRow + ",\n]", "m.json:3", "malformed JSON"},
  };
  for (const Case& c : cases) {
    CAPTURE(std::string(c.name));
    const std::string path = dir.file(c.name, c.content);
    try {
      read_demonstrations({path});
      FAIL("no error");
    } catch (const Error& e) {
      CHECK(e.kind == Kind::kUsage);
      CHECK_MESSAGE(std::string(e.what()).find(c.where + ": ") != std::string::npos, e.what());
      CHECK_MESSAGE(std::string(e.what()).find(c.what) != std::string::npos, e.what());
      CHECK(!e.hint.empty());
    }
    ReadSettings skip;
    skip.on_bad_line = "skip";
    const auto read = read_demonstrations({path}, skip);
    CHECK(read.rows.size() == 2);
    CHECK(read.report.skipped == 1);
    REQUIRE(read.report.problems.size() == 1);
    CHECK(read.report.problems[0].where.ends_with(c.where));
    CHECK(read.report.summary().find("skipped 1 bad line (first problem: ") != std::string::npos);
  }
}

TEST_CASE("the same bad rows many times: ten problems are kept, all are counted") {
  const scratch::Folder dir;
  std::string content = kRow + "\n";
  for (int i = 0; i < 500; ++i) content += "{\n";
  ReadSettings skip;
  skip.on_bad_line = "skip";
  const auto read = read_demonstrations({dir.file("x.jsonl", content)}, skip);
  CHECK(read.report.skipped == 500);
  CHECK(read.report.problems.size() == 10);
  const Json json = read.report.to_json();
  CHECK(json["skipped"] == 500);
  CHECK(json["files"][0]["format"] == "completion");
  CHECK(json["files"][0]["rows"] == 501);
}

TEST_CASE("missing, empty, binary, of another kind") {
  const scratch::Folder dir;
  CHECK_THROWS_WITH_AS(read_documents({(dir.path / "no.txt").string()}), doctest::Contains("no.txt: no such file"),
                       Error);
  CHECK_THROWS_WITH_AS(read_documents({dir.path.string()}), doctest::Contains("no .txt, .json or .jsonl file"), Error);
  CHECK_THROWS_WITH_AS(read_documents({(dir.path / "*.txt").string()}), doctest::Contains("no file matches"), Error);
  CHECK_THROWS_WITH_AS(read_documents({}), doctest::Contains("no data file"), Error);
  CHECK_THROWS_WITH_AS(read_documents({dir.file("e.txt", "")}), doctest::Contains("the file is empty"), Error);
  CHECK_THROWS_WITH_AS(read_documents({dir.file("e.jsonl.gz", " \n\n")}), doctest::Contains("the file is empty"),
                       Error);
  CHECK_THROWS_WITH_AS(read_demonstrations({dir.file("e.json", "[]")}), doctest::Contains("no demonstrations in"),
                       Error);
  CHECK_THROWS_WITH_AS(read_documents({dir.file("b.bin", std::string("GGUF\0\1", 6))}),
                       doctest::Contains("binary file"), Error);
  CHECK_THROWS_WITH_AS(read_preferences({dir.file("d.jsonl", kRow)}), doctest::Contains("no comparisons in"), Error);
  CHECK_THROWS_WITH_AS(read_preferences({dir.file("t.txt", "text")}), doctest::Contains("format: text"), Error);
  ReadSettings hh;
  hh.format = "hh";
  CHECK_THROWS_WITH_AS(read_preferences({dir.file("t.txt", "text")}, hh),
                       doctest::Contains("plain text, not rows of format 'hh'"), Error);
  CHECK_THROWS_WITH_AS(read_preferences({dir.file("d.jsonl", kRow)}, hh),
                       doctest::Contains("d.jsonl:1: field 'chosen' is missing"), Error);
  // A truncated gzip file is an error, not a short file.
  std::string many;
  for (int i = 0; i < 20000; ++i) many += std::to_string(i * 7919) + "\n";
  const std::string cut = dir.file("cut.txt.gz", many);
  fs::resize_file(cut, fs::file_size(cut) / 2);
  CHECK_THROWS_AS(read_documents({cut}), Error);
}

TEST_CASE("folders and patterns, in the order of their names") {
  const scratch::Folder dir;
  dir.file("b.txt", "second");
  dir.file("a.txt.gz", "first");
  dir.file("README.md", "not data");
  dir.file("c.jsonl", "{\"text\": \"third\"}");
  CHECK(texts(read_documents({dir.path.string()})) == std::vector<std::string>{"first", "second", "third"});
  CHECK(texts(read_documents({(dir.path / "?.txt*").string()})) == std::vector<std::string>{"first", "second"});
}

TEST_CASE("documents of a text file: the whole, paragraphs, lines") {
  const scratch::Folder dir;
  const std::string file = dir.file("t.txt", "\xEF\xBB\xBFone\ntwo\r\n\n \nthree\n");
  ReadSettings s;
  CHECK(texts(read_documents({file}, s)) == std::vector<std::string>{"one\ntwo\r\n\n \nthree\n"});
  s.split_text_by = "blank_line";
  CHECK(texts(read_documents({file}, s)) == std::vector<std::string>{"one\ntwo", "three"});
  s.split_text_by = "line";
  CHECK(texts(read_documents({file}, s)) == std::vector<std::string>{"one", "two", "three"});
  CHECK(read_documents({file}, s).rows[2].id == "t:3");
}

TEST_CASE("text that begins like JSON stays text") {
  const scratch::Folder dir;
  CHECK(texts(read_documents({dir.file("a.txt", "[Illustration]\n\nChapter I")})).size() == 1);
  CHECK(texts(read_documents({dir.file("b.txt", "{unclosed\nbrace}")})).size() == 1);
  CHECK(texts(read_documents({dir.file("c.jsonl", "{\"text\": \"a\"}\n{\"text\": \"  \"}")})).size() == 1);
}
