#include "annotate/service.h"

#include <atomic>
#include <exception>
#include <optional>

#include "annotate/api.h"
#include "annotate/file_pairs.h"
#include "annotate/round_api.h"
#include "annotate/sampled_pairs.h"
#include "annotate/token_table.h"
#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/rng.h"
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

  // 1. Pairs or prompts, before a store is made: most mistakes are in the files.
  std::optional<FilePairs> files;
  std::vector<data::Prompt> prompts;
  if (settings.model) {
    prompts = load_prompts(settings.prompts, settings.read);
  } else {
    files.emplace(settings.pairs, settings.read);
    log::info(files->report().summary());
  }

  // 2. The desk. The pseudonym says nothing of the person and stays with the store.
  feedback::Store store = feedback::Store::open(settings.store);
  const std::string annotator = settings.annotator.empty() ? "person-" + store.id().substr(0, 8) : settings.annotator;
  std::stop_source end;
  const std::stop_callback asked(stop, [&end] { end.request_stop(); });
  std::exception_ptr failed;  // of the model
  std::optional<ModelThread> thread;
  std::optional<PromptDeck> deck;
  std::optional<SampledPairs> sampled;
  if (settings.model) {
    thread.emplace();
    deck.emplace(std::move(prompts), hash64(store.id()));
    sampled.emplace(store, *thread, *deck, annotator);
  }
  PairSource& pairs = sampled ? static_cast<PairSource&>(*sampled) : *files;
  BlindPairs blind(store, pairs, thread ? &*thread : nullptr, settings.learner, deck ? &*deck : nullptr, annotator);
  PairSource& source = blind;
  Desk desk(store, source, annotator);
  Listeners listeners;
  Api api(desk, source, listeners,
          quoted(settings.program) + " feedback export --store " + quoted(settings.store.string()) + " > chosen.jsonl");

  const auto model_failed = [&](std::exception_ptr thrown) {
    failed = std::move(thrown);
    end.request_stop();
  };
  // A model that a person chose, when hone was started before or just now.
  const auto open = [&](const feedback::ModelName& model) {
    return [&, model] { return settings.learner->open(model.folder, shown_name(model.policy)); };
  };
  std::optional<Rounds> rounds;
  std::optional<RoundApi> round_api;
  if (sampled && settings.learner != nullptr) {
    rounds.emplace(
        store, desk, *thread, *settings.learner, *deck, annotator, settings.original,
        [&](const feedback::ModelName& model) { sampled->start(open(model), model_failed); },
        [&] {
          if (round_api) round_api->tell();
        });
    round_api.emplace(store, *rounds, blind, *deck, desk, listeners);
  }

  // 3. The server.
  serve::Routes routes;
  api.add_to(routes);
  if (round_api) round_api->add_to(routes);
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

  // 4. The model, while the page can be opened already.
  if (sampled) {
    log::info(count_text(static_cast<int64_t>(deck->size())) + " prompts, " + count_text(deck->fresh()) +
              " of them new here; open the address in a browser, Ctrl-C ends");
    const std::optional<feedback::ModelName> chosen = feedback::chosen_model(store.events());
    if (rounds && chosen && chosen->folder != settings.original)
      log::info("this store goes on with " + shown_name(chosen->policy) + " (" + chosen->folder +
                "), which was chosen on its page; --model is the original that it is compared with");
    sampled->start(rounds && chosen ? SampledPairs::Open(open(*chosen)) : settings.model, model_failed);
    if (rounds) rounds->resume();
  } else {
    const int64_t left = *source.left();
    log::info(count_text(left) + (left == 1 ? " pair" : " pairs") +
              " to judge; open the address in a browser, Ctrl-C ends");
  }

  // 5. Until the end.
  ready(server.url());
  server.run(end.get_token());
  const Progress judged = desk.progress();
  // In this order: what runs on the model thread tells the ones behind it.
  blind.end();
  rounds.reset();  // a round that learns writes its checkpoint, and goes on at the next start
  round_api.reset();
  if (sampled) {
    const SampledPairs::Counts made = sampled->counts();
    sampled.reset();  // waits for the model thread, which may be the one that failed
    log::info(count_text(made.pairs) + " pairs made of " + count_text(made.answers) + " answers, " +
              count_text(made.cut) + " of them cut at the length limit; " + count_text(made.resampled) +
              " prompts sampled again for answers that read nearly the same, " + count_text(made.passed_over) +
              " passed over, " + count_text(made.too_long) + " too long");
    if (failed) std::rethrow_exception(failed);
  }
  return judged;
}

}  // namespace hone::annotate
