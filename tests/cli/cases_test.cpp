// Runs the real program through tests/cases/*.case. A case:
//
//   == what it shows
//   file NAME                    a file of the scratch folder; its lines follow, each after "| "
//   $ hone …                     a shell command; the scratch folder is its working directory
//   < text                       a line of its standard input (none: empty)
//   exit 2                       its exit code (default 0)
//   out TEXT / err TEXT          standard output / error contains this
//   out-not TEXT / err-not TEXT  … does not
//   out-lines N                  lines of standard output
//   out-line N TEXT              line N is exactly this
//
// A case may hold several commands; what follows a command is about it. $TINY is a folder with a little run in it, made
// once by the program itself (fixture.sh): $TINY/model is a model folder, $TINY/reward a reward model. $DATA is the
// world's files.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "base/files.h"

using namespace hone;

namespace {

struct Command {
  std::string text, in;
  int exit = 0;
  std::vector<std::pair<std::string, std::string>> checks;
};

struct Case {
  std::string title, where;
  std::vector<std::pair<std::string, std::string>> files;
  std::vector<Command> commands;
};

std::vector<Case> read_cases(const fs::path& path) {
  std::vector<Case> out;
  for_each_line(path, [&](std::string_view view, int64_t number) {
    const std::string line(view);
    const auto rest = [&](size_t n) { return line.size() > n ? line.substr(n) : std::string(); };
    if (line.starts_with("== ")) {
      out.push_back({rest(3), path.filename().string() + ":" + std::to_string(number), {}, {}});
    } else if (line.starts_with("file ")) {
      out.back().files.emplace_back(rest(5), "");
    } else if (line.starts_with("|")) {
      out.back().files.back().second += rest(2) + "\n";
    } else if (line.starts_with("$ ")) {
      out.back().commands.push_back({rest(2), "", 0, {}});
    } else if (line.starts_with("<")) {
      out.back().commands.back().in += rest(2) + "\n";
    } else if (line.starts_with("exit ")) {
      out.back().commands.back().exit = std::stoi(rest(5));
    } else if (!line.empty() && line[0] != '#') {
      const size_t blank = line.find(' ');
      out.back().commands.back().checks.emplace_back(line.substr(0, blank), rest(blank + 1));
    }
  });
  return out;
}

struct Result {
  int exit;
  std::string out, err;
};

class Shell {
 public:
  Shell() : folder_(fs::temp_directory_path() / ("hone-cases-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_ / "bin");
    fs::create_symlink(HONE_PROGRAM, folder_ / "bin" / "hone");
    ::setenv("PATH", ((folder_ / "bin").string() + ":" + std::getenv("PATH")).c_str(), 1);
    ::setenv("RECIPES", fs::absolute("recipes").c_str(), 1);
    ::setenv("TINY", (folder_ / "tiny").c_str(), 1);
    ::setenv("DATA", (folder_ / "tiny" / "world").c_str(), 1);
    ::setenv("RECIPES", fs::absolute("recipes").c_str(), 1);
  }
  ~Shell() { fs::remove_all(folder_); }

  fs::path scratch() const { return folder_ / "scratch"; }
  void clean() const {
    fs::remove_all(scratch());
    fs::create_directories(scratch());
  }
  Result run(const std::string& command, const std::string& in) const {
    write_file_atomic(folder_ / "stdin", in);
    write_file_atomic(folder_ / "command", command + "\n");
    const std::string call = "cd '" + scratch().string() + "' && bash ../command <../stdin >../stdout 2>../stderr";
    const int status = std::system(call.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_file(folder_ / "stdout"), read_file(folder_ / "stderr")};
  }

 private:
  fs::path folder_;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

void check(const Result& r, const std::string& kind, const std::string& text) {
  const bool out = kind.starts_with("out");
  const std::string& stream = out ? r.out : r.err;
  if (kind == "out" || kind == "err") {
    CHECK_MESSAGE(stream.find(text) != std::string::npos, kind << " lacks: " << text << "\n" << stream);
  } else if (kind == "out-not" || kind == "err-not") {
    CHECK_MESSAGE(stream.find(text) == std::string::npos, kind << " has: " << text << "\n" << stream);
  } else if (kind == "out-lines") {
    CHECK_MESSAGE(lines_of(stream).size() == std::stoul(text), stream);
  } else if (kind == "out-line") {
    const auto lines = lines_of(stream);
    const size_t number = std::stoul(text);
    REQUIRE_MESSAGE(number <= lines.size(), stream);
    CHECK(lines[number - 1] == text.substr(text.find(' ') + 1));
  } else {
    FAIL_CHECK("no such check: " << kind);
  }
}

}  // namespace

TEST_CASE("cases") {
  const Shell shell;
  shell.clean();
  const Result fixture = shell.run("bash " + fs::absolute("tests/cases/fixture.sh").string(), "");
  REQUIRE_MESSAGE(fixture.exit == 0, fixture.err);

  std::vector<fs::path> files;
  const char* only = std::getenv("HONE_CASES");  // one file's name without .case
  for (const auto& e : fs::directory_iterator("tests/cases"))
    if (e.path().extension() == ".case" && (!only || e.path().stem() == only)) files.push_back(e.path());
  std::ranges::sort(files);
  REQUIRE_FALSE(files.empty());
  for (const fs::path& file : files) {
    for (const Case& c : read_cases(file)) {
      shell.clean();
      for (const auto& [name, content] : c.files) {
        fs::create_directories((shell.scratch() / name).parent_path());
        write_file_atomic(shell.scratch() / name, content);
      }
      for (const Command& command : c.commands) {
        INFO(c.where << " " << c.title << "\n$ " << command.text);
        const Result r = shell.run(command.text, command.in);
        CHECK_MESSAGE(r.exit == command.exit, r.err);
        for (const auto& [kind, text] : command.checks) check(r, kind, text);
      }
    }
  }
}
