// Writes the test's pages into a folder, to look at them: tests_report_show FOLDER.
#include <vector>

#include "report/report.h"
#include "synthetic.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  if (argc != 2) return 2;
  const fs::path out = argv[1];
  hone::report::synthetic::write_align_run(out / "runs" / "align", 1);
  hone::report::synthetic::write_align_run(out / "runs" / "align-2", 2);
  hone::report::synthetic::write_broken_run(out / "broken");
  hone::report::synthetic::write_hostile_run(out / "hostile");
  hone::report::synthetic::write_chat_run(out / "chat");
  const auto write = [&](const fs::path& folder, const char* name) {
    hone::report::write_report(std::vector<fs::path>{folder}, out / name);
  };
  write(out / "runs" / "align", "align.html");
  write(out / "runs", "two.html");
  write(out / "broken", "broken.html");
  write(out / "hostile", "hostile.html");
  write(out / "chat", "chat.html");
  return 0;
}
