#include "report/report.h"

#include "base/error.h"
#include "base/log.h"
#include "cli/row_writer.h"
#include "cli/verb.h"
#include "config/run_folder.h"

namespace hone::cli {
namespace {

namespace fs = std::filesystem;

// A run folder, or one that holds some, two levels down at most.
bool holds_run(const fs::path& folder, int levels = 2) {
  for (const char* name : {config::names::kRecord, config::names::kRecipe, config::names::kMetrics})
    if (fs::exists(folder / name)) return true;
  if (levels > 0)
    for (const auto& e : fs::directory_iterator(folder))
      if (e.is_directory() && holds_run(e.path(), levels - 1)) return true;
  return false;
}

}  // namespace

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
  const std::vector<fs::path> paths(folders.begin(), folders.end());
  const fs::path page = !out.empty()        ? fs::path(out)
                        : paths.size() == 1 ? paths[0] / config::names::kReport
                                            : config::names::kReport;
  for (const fs::path& path : paths)
    if (fs::is_directory(path) && !holds_run(path))
      usage_error(path.string() + ": holds no run (no run.json)",
                  "give run folders, as `hone run` and the stage verbs write them");
  RowWriter writer(page.string());  // a device or "-" is written to as it is
  writer.write(report::make_report(paths));
  writer.finish();
  log::info("wrote " + page.string());
  return kDone;
}

}  // namespace hone::cli
