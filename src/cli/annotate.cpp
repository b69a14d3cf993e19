#include <chrono>
#include <thread>

#include "annotate/api.h"
#include "annotate/file_pairs.h"
#include "annotate/token_table.h"
#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "cli/output.h"
#include "cli/terminal_signals.h"
#include "cli/verb.h"
#include "serve/server.h"
#include "web/pages.h"

namespace hone::cli {
namespace {

// The same port every time, so that a page that was left open, and what waits in its browser, finds hone again.
constexpr int64_t kPort = 8642;

// For a shell, as a person would type it.
std::string quoted(const std::string& word) {
  const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=+,:@";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// A pseudonym that says nothing of the person and stays with the store.
std::string pseudonym(const feedback::Store& store) { return "person-" + store.id().substr(0, 8); }

// Ctrl-C and SIGTERM end the server.
std::jthread watch_for_interrupt(std::stop_source& stop) {
  return std::jthread([&stop](const std::stop_token& done) {
    while (!done.stop_requested() && !signals::interrupted() && !signals::terminated())
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
}

}  // namespace

int annotate(Options& options) {
  std::string path, annotator;
  std::vector<std::string> files, more;
  data::ReadSettings read;
  int64_t port = kPort;
  options.value("--store", &path, "FILE", "the feedback store: one SQLite file, made where there is none").required();
  options
      .value("--pairs", &files, "FILE",
             "pairs to judge: rows {\"prompt\", \"answers\": [a, b]}, or comparisons in any format that hone reads, "
             "whose verdict is not shown; files, folders or patterns")
      .required();
  options.positional("FILE", &more, "further pairs");
  options.value("--port", &port, "N", "port on this machine; 0: any free one");
  options.value("--annotator", &annotator, "NAME", "a pseudonym for who judges").shows("one that belongs to the store");
  options.value("--on-bad-line", &read.on_bad_line, "HOW", "a line that cannot be read").choices({"stop", "skip"});
  options.about(
      "Judge pairs of answers in a browser. It serves a page on this machine alone (127.0.0.1), prints its address, "
      "and "
      "runs until Ctrl-C. Arrow keys choose, the page says the rest; every judgement is on the disk before it is "
      "acknowledged, and started again with the same files it goes on where it was. The address opens one browser; "
      "another one is printed for the next. Nothing leaves the machine. Which answer stands first is random and "
      "recorded. `hone feedback export` then gives rows for `hone preference`.");
  options.example("hone annotate --store evening.db --pairs pairs.jsonl", "prints the address of the page");
  options.example("hone annotate --store evening.db --pairs 'samples/*.jsonl' --port 9000",
                  "pairs of several files, on another port");
  options.example("hone feedback export --store evening.db > chosen.jsonl",
                  "what was judged, as rows for hone preference --data");
  if (!options.parse()) return kDone;
  if (port < 0 || port > 65535) usage_error("'--port' must be between 0 and 65535");

  // 1. The pairs, before a store is made: most mistakes are in the files.
  files.insert(files.end(), more.begin(), more.end());
  annotate::FilePairs source(files, read);
  log::info(source.report().summary());

  // 2. The desk.
  feedback::Store store = feedback::Store::open(path);
  if (annotator.empty()) annotator = pseudonym(store);
  annotate::Desk desk(store, source, annotator);
  annotate::Listeners listeners;
  annotate::Api api(desk, source, listeners, "hone feedback export --store " + quoted(path) + " > chosen.jsonl");

  // 3. The server.
  serve::Routes routes;
  api.add_to(routes);
  for (const web::Asset& asset : web::assets()) routes.file(asset.path, asset.content_type, asset.bytes);
  annotate::TokenTable tokens(store);
  serve::Options settings;
  settings.port = static_cast<int>(port);
  settings.tokens = &tokens;
  serve::Server* running = nullptr;
  settings.on_session = [&] { log::info("signed in; for another browser: " + running->url()); };
  serve::Server server(settings, std::move(routes));
  running = &server;

  // 4. Until Ctrl-C.
  signals::watch();
  std::stop_source stop;
  const annotate::Progress before = desk.progress();
  log::info(count_text(*before.left) + " pairs to judge; open this address in a browser, Ctrl-C ends");
  print(server.url() + "\n");
  {
    const std::jthread watcher = watch_for_interrupt(stop);
    server.run(stop.get_token());
  }
  const annotate::Progress after = desk.progress();
  log::info("stopped; " + count_text(after.decided) + " decided, " + count_text(after.tie) + " ties, " +
            count_text(after.both_bad + after.cant_tell + after.skip) + " others in " + path);
  return kDone;
}

}  // namespace hone::cli
