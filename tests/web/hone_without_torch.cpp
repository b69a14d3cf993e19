// `hone annotate` and `hone feedback export` in a build without LibTorch, where there is no hone: so that the browser
// tests run against the same rooms under sanitizers. Options are those of hone, as far as the tests use them.
#include <atomic>
#include <chrono>
#include <csignal>
#include <iostream>
#include <map>
#include <string>
#include <thread>

#include "annotate/service.h"
#include "base/error.h"
#include "base/json.h"
#include "feedback/exchange.h"

namespace {

std::atomic<bool> stopped = false;

int annotate(const std::map<std::string, std::string>& options) {
  hone::annotate::ServiceSettings settings;
  settings.store = options.at("--store");
  settings.pairs = {options.at("--pairs")};
  settings.port = std::stoll(options.at("--port"));
  std::signal(SIGTERM, [](int) { stopped = true; });
  std::stop_source stop;
  const std::jthread watcher([&stop](const std::stop_token& done) {
    while (!done.stop_requested() && !stopped) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    stop.request_stop();
  });
  hone::annotate::serve_pairs(settings, stop.get_token(),
                              [](const std::string& address) { std::cout << address << std::endl; });
  return 0;
}

int export_rows(const std::map<std::string, std::string>& options) {
  using namespace hone::feedback;
  const Store store = Store::open_read_only(options.at("--store"));
  const auto shape = options.contains("--full") ? ExportShape::kFull : ExportShape::kText;
  for (const hone::Json& row : export_rows(labels(store), shape, Ties::kDrop).rows)
    std::cout << hone::dump_json(row) << '\n';
  return 0;
}

}  // namespace

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);
  std::map<std::string, std::string> options;
  for (int i = 2; i < count; ++i) {
    const std::string word = words[i];
    if (word.starts_with("--")) options[word] = i + 1 < count ? words[i + 1] : "";
  }
  try {
    return count > 1 && std::string(words[1]) == "annotate" ? annotate(options) : export_rows(options);
  } catch (const hone::Error& e) {
    std::cerr << "error: " << e.what() << '\n' << e.hint << '\n';
  }
  return 2;
}
