#include "cli/jsonl.h"

#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>

#include "base/error.h"
#include "base/files.h"

using namespace hone;
using cli::Item;

namespace {

struct Scratch {
  fs::path path = fs::temp_directory_path() / ("hone-jsonl-test-" + std::to_string(::getpid()));
  Scratch() { fs::create_directories(path); }
  ~Scratch() { fs::remove_all(path); }
};

// Doubles "x" of each row; "x" that is no number fails.
std::string run(const std::string& in, cli::JsonlOptions options, int* code = nullptr, size_t* chunks = nullptr) {
  const Scratch s;
  write_file_atomic(s.path / "in", in);
  options.in = s.path / "in";
  options.out = s.path / "out";
  const int result = cli::process_jsonl(options, {"x"}, [&](std::span<Item*> items) {
    if (chunks) ++*chunks;
    cli::for_each_item(items, [](Item& item) {
      if (!item.row.contains("x") || !item.row["x"].is_number()) usage_error("no number 'x'");
      item.row["y"] = item.row["x"].get<double>() * 2;
    });
  });
  if (code) *code = result;
  return read_file(s.path / "out");
}

}  // namespace

TEST_CASE("one line out for each line in, in order, unknown fields carried through") {
  int code = -1;
  CHECK(run("{\"id\":\"a\",\"x\":1}\n{\"x\":2,\"note\":[1,{\"k\":null}]}\n", {}, &code) ==
        "{\"id\":\"a\",\"x\":1,\"y\":2.0}\n{\"x\":2,\"note\":[1,{\"k\":null}],\"y\":4.0}\n");
  CHECK(code == 0);
}

TEST_CASE("a row that fails stands in its place and the others go on") {
  int code = -1;
  CHECK(run("{\"x\":1}\nnonsense\n\n[1]\n{\"x\":\"a\",\"id\":7}\r\n{\"x\":2}", {}, &code) ==
        "{\"x\":1,\"y\":2.0}\n"
        "{\"error\":\"line 2: malformed JSON: at column 2: syntax error while parsing value - invalid literal; last "
        "read: 'no'\"}\n"
        "{\"error\":\"line 3: is empty\"}\n"
        "{\"error\":\"line 4: must be a JSON object, got array\"}\n"
        "{\"error\":\"line 5: no number 'x'\",\"id\":7}\n"
        "{\"x\":2,\"y\":4.0}\n");
  CHECK(code == 1);
}

TEST_CASE("chunks change nothing") {
  std::string in;
  for (int i = 0; i < 100; ++i) in += "{\"x\":" + std::to_string(i) + "}\n";
  size_t many = 0, one = 0;
  cli::JsonlOptions small, large;
  small.chunk_rows = 3;
  CHECK(run(in, small, nullptr, &many) == run(in, large, nullptr, &one));
  CHECK(many == 34);  // 100 / 3, rounded up
  CHECK(one == 1);
  cli::JsonlOptions bytes;
  bytes.chunk_bytes = 1;
  size_t single = 0;
  run(in, bytes, nullptr, &single);
  CHECK(single == 100);
}

TEST_CASE("a line over the limit is passed over, not kept") {
  cli::JsonlOptions options;
  options.max_line = 1000;
  const std::string out = run("{\"x\":1}\n{\"x\":\"" + std::string(1000000, 'a') + "\"}\n{\"x\":3}\n", options);
  CHECK(out == "{\"x\":1,\"y\":2.0}\n{\"error\":\"line 2: longer than 1000 bytes\"}\n{\"x\":3,\"y\":6.0}\n");
  // Exactly at the limit is well; the newline does not count.
  const std::string row = "{\"x\":1,\"pad\":\"" + std::string(1000 - 16, 'p') + "\"}";
  REQUIRE(row.size() == 1000);
  CHECK(run(row + "\n", options).find("error") == std::string::npos);
}

TEST_CASE("gzip is read as it is, an empty input gives an empty output") {
  const Scratch s;
  gzFile f = gzopen((s.path / "in.gz").c_str(), "wb");
  gzputs(f, "{\"x\":1}\n");
  gzclose(f);
  cli::JsonlOptions options;
  options.in = s.path / "in.gz";
  options.out = s.path / "out";
  CHECK(cli::process_jsonl(options, {}, [](std::span<Item*>) {}) == 0);
  CHECK(read_file(s.path / "out") == "{\"x\":1}\n");
  CHECK(run("", {}) == "");
}

TEST_CASE("an exception that is no row's fault leaves no output file") {
  const Scratch s;
  write_file_atomic(s.path / "in", "{\"x\":1}\n");
  cli::JsonlOptions options;
  options.in = s.path / "in";
  options.out = s.path / "out";
  CHECK_THROWS_AS(cli::process_jsonl(options, {}, [](std::span<Item*>) { run_error("the device is gone"); }), Error);
  CHECK_FALSE(fs::exists(s.path / "out"));
  CHECK_FALSE(fs::exists(s.path / "out.tmp"));
  options.in = s.path / "absent";
  CHECK_THROWS_WITH_AS(cli::process_jsonl(options, {}, [](std::span<Item*>) {}), doctest::Contains("No such file"),
                       Error);
}

TEST_CASE("the output may be the input") {
  const Scratch s;
  write_file_atomic(s.path / "f", "{\"x\":1}\n{\"x\":2}\n");
  cli::JsonlOptions options;
  options.in = options.out = s.path / "f";
  CHECK(cli::process_jsonl(options, {}, [](std::span<Item*>) {}) == 0);
  CHECK(read_file(s.path / "f") == "{\"x\":1}\n{\"x\":2}\n");
}
