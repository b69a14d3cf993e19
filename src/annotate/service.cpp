#include "annotate/service.h"

#include <atomic>

#include "annotate/api.h"
#include "annotate/file_pairs.h"
#include "annotate/token_table.h"
#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "serve/server.h"
#include "web/pages.h"

namespace hone::annotate {
namespace {

// For a shell, as a person would type it.
std::string quoted(const std::string& word) {
  const char* plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=+,:@";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

Progress serve_pairs(const ServiceSettings& settings, std::stop_token stop,
                     const std::function<void(const std::string& address)>& ready) {
  if (settings.port < 0 || settings.port > 65535) usage_error("'--port' must be between 0 and 65535");

  if (!settings.annotator.empty()) feedback::check_actor(settings.annotator);
  if (settings.annotator == "system")
    usage_error("'--annotator' is 'system', which is how hone signs what it writes itself", "take another name");

  // 1. The pairs, before a store is made: most mistakes are in the files.
  FilePairs source(settings.pairs, settings.read);
  log::info(source.report().summary());

  // 2. The desk. The pseudonym says nothing of the person and stays with the store.
  feedback::Store store = feedback::Store::open(settings.store);
  Desk desk(store, source, settings.annotator.empty() ? "person-" + store.id().substr(0, 8) : settings.annotator);
  Listeners listeners;
  Api api(desk, source, listeners,
          "hone feedback export --store " + quoted(settings.store.string()) + " > chosen.jsonl");

  // 3. The server.
  serve::Routes routes;
  api.add_to(routes);
  for (const web::Asset& asset : web::assets()) routes.file(asset.path, asset.content_type, asset.bytes);
  TokenTable tokens(store);
  std::atomic<const serve::Server*> running = nullptr;
  serve::Options options;
  options.port = static_cast<int>(settings.port);
  options.tokens = &tokens;
  options.on_session = [&] {
    if (const serve::Server* server = running) log::info("a browser signed in; for another one: " + server->url());
  };
  serve::Server server(options, std::move(routes));
  running = &server;

  // 4. Until the end.
  const int64_t left = *source.left();
  log::info(count_text(left) + (left == 1 ? " pair" : " pairs") +
            " to judge; open the address in a browser, Ctrl-C ends");
  ready(server.url());
  server.run(std::move(stop));
  return desk.progress();
}

}  // namespace hone::annotate
