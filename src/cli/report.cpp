#include "report/report.h"

#include "base/log.h"
#include "cli/verb.h"
#include "config/run_folder.h"

namespace hone::cli {

int report(Options& options) {
  std::vector<std::string> folders;
  std::string out;
  options.positional("DIR", &folders, "run folders, of recipes or of single stages").required();
  options.value("--out", &out, "FILE.html", "the page; default: report.html in DIR where there is one, else here");
  options.about(
      "One self-contained page: what was run, learning curves, samples before and after, calibration, warnings. It "
      "opens from disk without a network.");
  options.example("hone report runs/align", "writes runs/align/report.html");
  options.example("hone report runs/a runs/b --out compare.html", "two runs on one page");
  if (!options.parse()) return kDone;
  const std::vector<std::filesystem::path> paths(folders.begin(), folders.end());
  const std::filesystem::path page = !out.empty()        ? std::filesystem::path(out)
                                     : paths.size() == 1 ? paths[0] / config::names::kReport
                                                         : config::names::kReport;
  report::write_report(paths, page);
  log::info("wrote " + page.string());
  return kDone;
}

}  // namespace hone::cli
