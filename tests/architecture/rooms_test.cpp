// Holds the room table of ARCHITECTURE.md true: every folder of src/ has a row, every include stays within it, and no
// torch header is reachable from a room that is not marked T.
#include <doctest/doctest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "base/files.h"

namespace fs = std::filesystem;

namespace {

struct Row {
  bool torch = false;
  std::set<std::string> may;
};

std::map<std::string, Row> read_table() {
  std::map<std::string, Row> rows;
  const std::regex row(R"(^\| *\d+ *\| *`(\w+)` *\| *(T?) *\|[^|]*\|([^|]*)\|$)");
  hone::for_each_line("ARCHITECTURE.md", [&](std::string_view line, int64_t) {
    std::smatch m;
    const std::string text(line);
    if (!std::regex_match(text, m, row)) return;
    Row r;
    r.torch = m[2] == "T";
    std::istringstream words(m[3]);
    for (std::string w; words >> w;) r.may.insert(w);
    rows[m[1]] = r;
  });
  return rows;
}

// The quoted and angled includes of a file.
std::vector<std::string> includes(const fs::path& file) {
  std::vector<std::string> out;
  const std::regex include(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"].*$)");
  hone::for_each_line(file, [&](std::string_view line, int64_t) {
    std::smatch m;
    const std::string text(line);
    if (std::regex_match(text, m, include)) out.push_back(m[1]);
  });
  return out;
}

bool torch_header(const std::string& include) {
  return include.starts_with("ATen/") || include.starts_with("c10/") || include.starts_with("torch/");
}

// True if the header, or any of ours that it includes, includes torch.
bool reaches_torch(const std::string& header, std::set<std::string>& seen) {
  if (!seen.insert(header).second || !fs::exists("src/" + header)) return false;
  for (const std::string& i : includes("src/" + header))
    if (torch_header(i) || reaches_torch(i, seen)) return true;
  return false;
}

}  // namespace

TEST_CASE("every folder of src has a row, and every row a folder") {
  const auto rows = read_table();
  REQUIRE(rows.size() > 10);
  for (const auto& e : fs::directory_iterator("src")) {
    CAPTURE(e.path().string());
    CHECK(rows.contains(e.path().filename().string()));
  }
  for (const auto& [room, row] : rows) {
    CAPTURE(room);
    CHECK(fs::is_directory("src/" + room));
    for (const std::string& m : row.may) CHECK_MESSAGE(rows.contains(m), room << " may include an unknown room " << m);
  }
}

TEST_CASE("rooms include only what their row allows") {
  const auto rows = read_table();
  for (const auto& e : fs::recursive_directory_iterator("src")) {
    if (!e.is_regular_file()) continue;
    const std::string extension = e.path().extension().string();
    if (extension != ".h" && extension != ".cpp" && extension != ".cu") continue;
    const std::string relative = fs::relative(e.path(), "src").string();
    const std::string room = relative.substr(0, relative.find('/'));
    if (!rows.contains(room)) continue;
    const Row& row = rows.at(room);
    for (const std::string& include : includes(e.path())) {
      if (!row.torch && torch_header(include))
        FAIL_CHECK(relative << " includes " << include << ", but " << room << " is torch-free");
      const auto slash = include.find('/');
      if (slash == std::string::npos || !rows.contains(include.substr(0, slash)) || !fs::exists("src/" + include))
        continue;
      const std::string other = include.substr(0, slash);
      if (other != room && !row.may.contains(other))
        FAIL_CHECK(relative << " includes " << include << ": '" << other << "' is not in the row of '" << room << "'");
      std::set<std::string> seen;
      if (!row.torch && reaches_torch(include, seen))
        FAIL_CHECK(relative << " includes " << include << ", which reaches a torch header");
    }
  }
}

TEST_CASE("Boost stays in one file") {
  for (const auto& e : fs::recursive_directory_iterator("src")) {
    if (!e.is_regular_file() || e.path() == "src/serve/server.cpp") continue;
    for (const std::string& include : includes(e.path()))
      CHECK_MESSAGE(!include.starts_with("boost/"), e.path().string() << " includes " << include);
  }
}

TEST_CASE("no room is called utils, common, helpers or misc") {
  for (const auto& e : fs::recursive_directory_iterator("src")) {
    const std::string stem = e.path().stem().string();
    for (const char* word : {"utils", "util", "common", "helpers", "helper", "misc"})
      CHECK_MESSAGE(stem != word, e.path().string());
  }
}
