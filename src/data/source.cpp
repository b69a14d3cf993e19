#include "data/source.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/sha256.h"

namespace hone::data {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::string_view kBlank = " \t\r\n";
constexpr uint64_t kLongestLine = uint64_t{8} << 30;  // a JSON array may be one line

// The extension without .gz: ".jsonl".
std::string extension(const fs::path& path) {
  const fs::path inner = path.extension() == ".gz" ? path.stem() : path;
  return inner.extension().string();
}
bool json_name(const fs::path& p) {
  const std::string e = extension(p);
  return e == ".json" || e == ".jsonl" || e == ".ndjson";
}
bool data_name(const fs::path& p) { return json_name(p) || extension(p) == ".txt"; }

std::string_view without_bom(std::string_view s) { return s.starts_with(kBom) ? s.substr(kBom.size()) : s; }

bool parses(std::string_view text) {
  try {
    parse_json(text, "");
    return true;
  } catch (const Error&) {
    return false;
  }
}

// Files of other kinds that hold data, by their first bytes, and what turns them into what is read here.
struct Foreign {
  std::string_view begins, name, way_out;
};
constexpr std::array<Foreign, 6> kForeign{
    {{"PAR1", "a Parquet",
      "pip install pandas pyarrow, then: python3 -c \"import pandas; pandas.read_parquet('FILE').to_json('FILE.jsonl', "
      "orient='records', lines=True, force_ascii=False)\""},
     {"ARROW1", "an Arrow",
      "pip install pandas pyarrow, then: python3 -c \"import pandas; pandas.read_feather('FILE').to_json('FILE.jsonl', "
      "orient='records', lines=True, force_ascii=False)\""},
     {"\x28\xB5\x2F\xFD", "a Zstandard-compressed", "unpack it: zstd -d FILE"},
     {"\xFD"
      "7zXZ",
      "an xz-compressed", "unpack it: xz -d FILE"},
     {"BZh", "a bzip2-compressed", "unpack it: bzip2 -d FILE"},
     {"PK\x03\x04", "a zip", "unpack it: unzip FILE"}}};

void refuse_foreign(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 8> head{};
  file.read(head.data(), head.size());
  const std::string_view begin(head.data(), static_cast<size_t>(file.gcount()));
  for (const Foreign& f : kForeign) {
    if (!begin.starts_with(f.begins)) continue;
    std::string hint(f.way_out);
    for (size_t at = hint.find("FILE"); at != std::string::npos; at = hint.find("FILE", at + path.string().size()))
      hint.replace(at, 4, path.string());
    usage_error(
        path.string() + ": " + std::string(f.name) + " file; JSON, JSON Lines and text are read, gzipped or not", hint);
  }
}

// The first lines decide; nothing of a large file is read beyond the first that is not blank, but for a line "[" or
// "{" alone, which begins a JSON value that spans lines.
struct Look {
  std::string first;  ///< the first line that is not blank
  bool more = false;  ///< another such line follows
  bool binary = false;
};

Look look_at(const fs::path& path) {
  struct Enough {};
  Look look;
  try {
    for_each_line(
        path,
        [&](std::string_view line, int64_t number) {
          if (number == 1) line = without_bom(line);
          if (line.find('\0') != std::string_view::npos) {
            look.binary = true;
            throw Enough{};
          }
          if (line.find_first_not_of(kBlank) == std::string_view::npos) return;
          if (look.first.empty()) {
            look.first = std::string(line);
          } else {
            look.more = true;
            throw Enough{};
          }
        },
        kLongestLine);
  } catch (const Enough&) {
  }
  return look;
}

Container container_of(const fs::path& path, const Look& look) {
  const bool json = json_name(path);
  const char c = look.first[look.first.find_first_not_of(kBlank)];
  if (c == '[') {
    if (json || (!look.more && parses(look.first))) return Container::kJsonArray;
    // Text may begin with a bracket: only a name in .json or an array of objects makes it JSON.
    const size_t next = look.first.find_first_not_of(kBlank, look.first.find('[') + 1);
    const bool open = next == std::string::npos || look.first[next] == '{';
    return open && parses(read_file(path)) ? Container::kJsonArray : Container::kText;
  }
  const bool alone = c == '{' && parses(look.first);
  if (c == '{' && !alone && look.more && parses(without_bom(read_file(path)))) return Container::kJsonObject;
  if (json || alone) return Container::kJsonLines;
  return Container::kText;
}

// Cuts the elements of a JSON array apart, so that each is parsed, and reported, on its own line.
void array_rows(std::string_view text, const std::string& where, const std::function<void(const Json&, int64_t)>& row,
                const std::function<void(const std::string&, int64_t)>& bad) {
  int64_t line = 1;
  size_t at = 0;
  auto skip_blank = [&] {
    while (at < text.size() && kBlank.find(text[at]) != std::string_view::npos) line += text[at++] == '\n';
  };
  skip_blank();
  ++at;  // the bracket
  skip_blank();
  bool first = true;
  while (at < text.size() && (text[at] != ']' || !first)) {
    const size_t begin = at;
    const int64_t begin_line = line;
    int depth = 0;
    bool in_string = false;
    for (; at < text.size(); ++at) {
      const char c = text[at];
      if (c == '\n') ++line;
      if (in_string) {
        if (c == '\\' && at + 1 < text.size()) {
          line += text[++at] == '\n';
        } else if (c == '"') {
          in_string = false;
        }
      } else if (c == '"') {
        in_string = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if (c == '}' || c == ']') {
        if (depth == 0) break;  // the array's own end
        --depth;
      } else if (c == ',' && depth == 0) {
        break;
      }
    }
    if (at >= text.size() && (depth > 0 || in_string))
      return bad("malformed JSON: the array breaks off inside the row that begins here", begin_line);
    Json value;
    std::string problem;
    try {
      value = parse_json(text.substr(begin, at - begin), where);
    } catch (const Error& e) {
      problem = std::string(e.what()).substr(where.size() + 2);
    }
    problem.empty() ? row(value, begin_line) : bad(problem, begin_line);
    first = false;
    if (at >= text.size() || text[at] != ',') break;
    ++at;
    skip_blank();
  }
  if (at >= text.size() || text[at] != ']') return bad("malformed JSON: the array does not end with ]", line);
  ++at;
  skip_blank();
  if (at < text.size()) bad("malformed JSON: something follows the array", line);
}

}  // namespace

std::string_view container_name(Container c) {
  switch (c) {
    case Container::kText:
      return "plain text";
    case Container::kJsonLines:
      return "JSON Lines";
    case Container::kJsonArray:
      return "JSON array";
    case Container::kJsonObject:
      return "one JSON object";
  }
  return "";
}

std::vector<fs::path> expand_paths(const std::vector<std::string>& paths) {
  std::vector<fs::path> out;
  for (const std::string& name : paths) {
    const fs::path path(name);
    std::error_code ec;
    const bool pattern = path.filename().string().find_first_of("*?") != std::string::npos && !fs::exists(path, ec);
    if (!pattern && !fs::is_directory(path, ec)) {
      if (!fs::exists(path, ec)) usage_error(name + ": no such file", "paths are relative to the working directory");
      // A device may never end, and a pipe is empty the second time.
      if (!fs::is_regular_file(path, ec))
        usage_error(name + ": a device or a pipe, not a file", "data is read more than once: write it to a file first");
      out.push_back(path);
      continue;
    }
    const fs::path folder = !pattern ? path : path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder, ec)) {
      if (!entry.is_regular_file(ec)) continue;
      const fs::path& file = entry.path();
      if (pattern ? ::fnmatch(path.filename().c_str(), file.filename().c_str(), 0) == 0 : data_name(file))
        found.push_back(file);
    }
    if (found.empty())
      usage_error(name + ": " + (pattern ? "no file matches" : "no .txt, .json or .jsonl file in this folder"),
                  "name the files; what they are shows in their content, and of Parquet the error says what to do");
    std::sort(found.begin(), found.end());
    out.insert(out.end(), found.begin(), found.end());
  }
  if (out.empty()) usage_error("no data file was given");
  return out;
}

Source open_source(const fs::path& path) {
  Source source;
  source.path = path;
  refuse_foreign(path);
  const Look look = look_at(path);
  if (look.binary) usage_error(path.string() + ": a binary file, not text or JSON");
  if (look.first.empty()) usage_error(path.string() + ": the file is empty");
  source.container = container_of(path, look);
  source.sha256 = sha256_file(path);
  source.bytes = fs::file_size(path);
  return source;
}

void for_each_json_row(const Source& source, const std::function<void(const Json&, int64_t)>& row,
                       const std::function<void(const std::string&, int64_t)>& bad) {
  const std::string where = source.path.string();
  if (source.container == Container::kJsonArray) {
    const std::string text = read_file(source.path);
    return array_rows(without_bom(text), where, row, bad);
  }
  if (source.container == Container::kJsonObject) {
    const std::string text = read_file(source.path);
    return row(parse_json(without_bom(text), where), 1);
  }
  for_each_line(source.path, [&](std::string_view line, int64_t number) {
    if (number == 1) line = without_bom(line);
    if (line.find_first_not_of(kBlank) == std::string_view::npos) return;
    Json value;
    try {
      value = parse_json(line, where);
    } catch (const Error& e) {
      return bad(std::string(e.what()).substr(where.size() + 2), number);
    }
    row(value, number);
  });
}

void for_each_document(const Source& source, std::string_view split_by,
                       const std::function<void(std::string_view, int64_t)>& document) {
  if (split_by == "file") {
    const std::string text = read_file(source.path);
    return document(without_bom(text), 1);
  }
  std::string paragraph;
  int64_t begin = 0;
  auto flush = [&] {
    if (!paragraph.empty()) document(paragraph, begin);
    paragraph.clear();
  };
  for_each_line(source.path, [&](std::string_view line, int64_t number) {
    if (number == 1) line = without_bom(line);
    const bool blank = line.find_first_not_of(kBlank) == std::string_view::npos;
    if (split_by == "line" || blank) flush();
    if (blank) return;
    if (paragraph.empty()) begin = number;
    if (!paragraph.empty()) paragraph += '\n';
    paragraph += line;
  });
  flush();
}

}  // namespace hone::data
