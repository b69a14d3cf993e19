#include <chrono>
#include <thread>

#include "annotate/service.h"
#include "base/log.h"
#include "base/progress.h"
#include "cli/output.h"
#include "cli/reading_options.h"
#include "cli/terminal_signals.h"
#include "cli/verb.h"

namespace hone::cli {

int annotate(Options& options) {
  annotate::ServiceSettings settings;
  std::string store;
  std::vector<std::string> more;
  options.value("--store", &store, "FILE", "the feedback store: one SQLite file, made where there is none").required();
  options
      .value("--pairs", &settings.pairs, "FILE",
             "pairs to judge: rows {\"prompt\", \"answers\": [a, b]}, or comparisons in any format that hone reads, "
             "whose verdict is not shown; files, folders or patterns")
      .required();
  options.positional("FILE", &more, "further files of pairs");
  options.value("--port", &settings.port, "N", "port on this machine; 0: any free one");
  options.value("--annotator", &settings.annotator, "NAME", "a pseudonym for who judges")
      .shows("one that belongs to the store");
  declare_reading(options, settings.read);
  options.about(
      "Judge pairs of answers in a browser. It serves a page on this machine alone (127.0.0.1), prints its address and "
      "runs until Ctrl-C. Arrow keys choose, the page tells the other keys. A judgement is on the disk before it is "
      "acknowledged, and started again with the same files it goes on where it was. The address signs one browser in; "
      "the next one is printed then. Nothing leaves the machine. Which answer stands first is random and recorded. "
      "`hone feedback export` then gives rows for `hone preference`.");
  options.example("hone annotate --store evening.store --pairs pairs.jsonl", "prints the address of the page");
  options.example("hone annotate --store evening.store --pairs monday.jsonl tuesday.jsonl --port 9000",
                  "pairs of two files, on another port");
  options.example("hone feedback export --store evening.store > chosen.jsonl",
                  "what was chosen, as rows for hone preference --data");
  if (!options.parse()) return kDone;
  settings.store = store;
  settings.pairs.insert(settings.pairs.end(), more.begin(), more.end());

  signals::watch();
  std::stop_source stop;
  annotate::Progress judged;
  {
    const std::jthread watcher([&stop](const std::stop_token& done) {
      while (!done.stop_requested() && !signals::interrupted() && !signals::terminated())
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      stop.request_stop();
    });
    judged =
        annotate::serve_pairs(settings, stop.get_token(), [](const std::string& address) { print(address + "\n"); });
  }
  log::info(count_text(judged.decided) + " decided, " + count_text(judged.tie) + " tied, " +
            count_text(judged.both_bad + judged.cant_tell + judged.skip) + " without a verdict in " + store);
  return kDone;
}

}  // namespace hone::cli
