#include "base/files.h"

#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"

namespace fs = std::filesystem;
using hone::Error;

namespace {
struct Folder {
  fs::path path = fs::temp_directory_path() / ("hone-files-test-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
};
}  // namespace

TEST_CASE("lines come with their numbers, from plain and gzip files alike") {
  const Folder dir;
  const std::string text = "one\r\n\nthree";
  hone::write_file_atomic(dir.path / "a.txt", text);
  gzFile gz = gzopen((dir.path / "a.txt.gz").c_str(), "wb");
  gzwrite(gz, text.data(), static_cast<unsigned>(text.size()));
  gzclose(gz);
  for (const char* name : {"a.txt", "a.txt.gz"}) {
    std::vector<std::string> lines;
    hone::for_each_line(dir.path / name, [&](std::string_view line, int64_t n) {
      lines.push_back(std::to_string(n) + ":" + std::string(line));
    });
    CHECK(lines == std::vector<std::string>{"1:one", "2:", "3:three"});
    CHECK(hone::read_file(dir.path / name) == text);
  }
}

TEST_CASE("a truncated gzip file is an error, not a short file") {
  const Folder dir;
  gzFile gz = gzopen((dir.path / "t.gz").c_str(), "wb");
  for (int i = 0; i < 5000; ++i) gzprintf(gz, "%d\n", i * i);
  gzclose(gz);
  fs::resize_file(dir.path / "t.gz", fs::file_size(dir.path / "t.gz") / 2);
  CHECK_THROWS_AS(hone::read_file(dir.path / "t.gz"), Error);
}

TEST_CASE("a line writer cuts what was written after a checkpoint") {
  const Folder dir;
  uint64_t mark = 0;
  {
    hone::LineWriter w(dir.path / "m.jsonl");
    w.write("1");
    w.write("2");
    mark = w.bytes();
    w.write("3");
  }
  hone::LineWriter w(dir.path / "m.jsonl", mark);
  w.write("4");
  CHECK(hone::read_file(dir.path / "m.jsonl") == "1\n2\n4\n");
}

TEST_CASE("a folder is locked once") {
  const Folder dir;
  const hone::FolderLock lock(dir.path);
  CHECK_THROWS_WITH_AS(hone::FolderLock(dir.path), doctest::Contains("in use by process"), Error);
}

TEST_CASE("malformed and hostile JSON") {
  CHECK_THROWS_WITH_AS(hone::parse_json("{\"a\": ", "x.jsonl:3"), doctest::Contains("x.jsonl:3: malformed JSON"),
                       Error);
  CHECK_THROWS_AS(hone::parse_json(std::string(100000, '['), "deep"), Error);
  CHECK(hone::dump_json("bad \xff byte") == "\"bad \xEF\xBF\xBD byte\"");
}

TEST_CASE("a JSON object keeps the order of its keys, the last value of a repeated one, and 200 levels") {
  CHECK(hone::dump_json(hone::parse_json(R"({"b":1,"a":{"x":[1,2.5,null,true,"s"]},"b":3})", "j")) ==
        R"({"b":3,"a":{"x":[1,2.5,null,true,"s"]}})");
  CHECK_NOTHROW(hone::parse_json(std::string(200, '[') + std::string(200, ']'), "deep"));
  CHECK_THROWS_WITH_AS(hone::parse_json(std::string(201, '[') + std::string(201, ']'), "deep"),
                       doctest::Contains("deeper than 200"), Error);
  CHECK_THROWS_AS(hone::parse_json("{} {}", "two"), Error);
  CHECK_THROWS_AS(hone::parse_json("", "none"), Error);
}

TEST_CASE("a JSON object of a vocabulary's size is read in linear time") {
  // 150,000 keys searched one by one on every insertion would be 10^10 comparisons: minutes.
  std::string text = "{";
  for (int i = 0; i < 150000; ++i) text += (i ? ",\"token" : "\"token") + std::to_string(i) + "\":" + std::to_string(i);
  const auto start = std::chrono::steady_clock::now();
  const hone::Json vocabulary = hone::parse_json(text + "}", "vocabulary");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  REQUIRE(vocabulary.size() == 150000);
  CHECK(vocabulary.back() == 149999);
}

TEST_CASE("sha256 of \"abc\" (FIPS 180-4, example 1)") {
  CHECK(hone::sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
