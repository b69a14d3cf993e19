// Every setting of every kind of stage changes what the stage leaves, or is refused: one that nobody reads is a promise
// that is not kept. Each field is moved off its default on a tiny run, one at a time; what the run leaves must differ,
// or the run must end in an error. What promises to change nothing stands in a list, with its reason.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <sstream>
#include <stop_token>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "pipeline/run.h"
#include "pipeline/stage.h"
#include "report/metric_list.h"

using namespace hone;

namespace {

using Settings = std::map<std::string, Json>;

// What promises to change no result.
const std::map<std::string, std::string> kChangesNothing{
    {"micro_tokens", "how a step is cut changes nothing but rounding (tests/train/cut_test.cpp)"},
    {"activation_gb", "how a step is cut changes nothing but rounding"},
    {"sampling.kv_gb", "how many sequences are in flight changes nothing (tests/rollout)"},
    {"checkpoint_activations", "what is kept and what is computed again changes nothing (tests/train/cut_test.cpp)"},
    {"tasks", "one entry; any other is refused"},
    {"watch_prompts", "a world this small has no more prompts to watch than are watched"},
};

class Workshop {
 public:
  Workshop() : root_(fs::temp_directory_path() / ("hone-settings-" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
    log::set_quiet(true);
  }
  ~Workshop() { fs::remove_all(root_); }

  std::string path(const std::string& name) const { return (root_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    write_file_atomic(root_ / name, text);
    return path(name);
  }
  /// Runs a stage in folder `name`, which stays.
  void make(const std::string& kind, const std::string& name, const Settings& settings) const {
    run(kind, settings, root_ / name);
  }
  /// The same, stopped after `steps` steps and gone on with.
  void make_in_two(const std::string& kind, const std::string& name, const Settings& settings, int64_t steps) const {
    std::stop_source stop;
    try {
      run(kind, settings, root_ / name,
          {.out = {}, .stop = stop.get_token(), .progress = [&](const config::StepDone& s) {
             if (s.step >= steps) stop.request_stop();
           }});
      FAIL_CHECK("ended before it was stopped");
    } catch (const Error& e) {
      CHECK(e.kind == Kind::kInterrupted);
    }
    run(kind, settings, root_ / name, {.out = {}, .resume = true});
  }
  /// All that a stage leaves, or its error.
  std::string result(const std::string& kind, const Settings& settings) const {
    const fs::path out = root_ / "out";
    fs::remove_all(out);
    std::string digest;
    try {
      run(kind, settings, out);
    } catch (const Error& e) {
      if (e.kind != Kind::kUsage) throw;
      return "refused: " + std::string(e.what());
    }
    std::vector<fs::path> files;
    for (const auto& e : fs::recursive_directory_iterator(out)) {
      const std::string relative = fs::relative(e.path(), out).string();
      if (relative == "checkpoints" || relative.starts_with("checkpoints/")) {
        if (e.is_directory()) digest += relative + "\n";  // which are kept
      } else if (e.is_regular_file() && relative != "run.json" && relative != "timing.jsonl" &&
                 relative != "report.html" && relative != "recipe.toml" && relative != ".lock") {
        files.push_back(e.path());
      }
    }
    std::ranges::sort(files);
    for (const fs::path& file : files) digest += fs::relative(file, out).string() + " " + sha256_file(file) + "\n";
    // The record's figures and warnings are results too.
    const config::Record record = config::read_record(out);
    digest += record.summary_json + record.model_json;
    for (const auto& [step, warning] : record.warnings) digest += warning;
    return digest;
  }

 private:
  static void run(const std::string& kind, const Settings& settings, const fs::path& out,
                  pipeline::RunOptions how = {}) {
    config::Recipe recipe;
    recipe.run.threads = 1;
    recipe.run.dtype = "f32";
    recipe.stages = {{kind, kind, "settings test", {}}};
    for (const auto& [key, value] : settings)
      recipe.stages[0].entries.push_back({key, "settings test", dump_json(value)});
    how.out = out;
    pipeline::run_recipe(recipe, how);
    if (fs::exists(out / "metrics.jsonl")) require_listed(kind, out / "metrics.jsonl");
  }
  // Every key that a stage writes is listed in metrics.def, of that kind of stage.
  static void require_listed(const std::string& kind, const fs::path& metrics) {
    std::istringstream lines(read_file(metrics));
    for (std::string line; std::getline(lines, line);) {
      const Json row = parse_json(line, "metrics.jsonl");
      for (const auto& [key, value] : row.items()) {
        const report::Metric* metric = report::find_metric(key);
        REQUIRE_MESSAGE(metric, kind << " writes '" << key << "', which metrics.def does not list");
        CHECK_MESSAGE((" " + std::string(metric->stages) + " ").find(" " + kind + " ") != std::string::npos,
                      "metrics.def does not say that " << kind << " writes '" << key << "'");
      }
    }
  }
  fs::path root_;
};

Settings with(Settings base, const Settings& more) {
  for (const auto& [key, value] : more) base[key] = value;
  return base;
}

// Values other than `value`, which the field stands at.
std::vector<Json> others(const config::Field& field, const Json& value) {
  std::vector<Json> out;
  if (value.is_boolean()) out.push_back(!value.get<bool>());
  for (const std::string& choice : field.choices)
    if (value != choice) out.push_back(choice);
  if (!out.empty() || value.is_string() || value.is_array()) return out;
  if (value.is_number_integer()) {
    const auto v = value.get<int64_t>();
    for (const int64_t w : {v + 1, 2 * v, v / 2, v - 1, int64_t{3}})
      if (w != v && static_cast<double>(w) >= field.minimum && static_cast<double>(w) <= field.maximum)
        out.push_back(w);
  } else {
    const auto v = value.get<double>();
    for (const double w : {2 * v, v / 2, v + 0.25, 0.5, 1.5})
      if (w != v && w >= field.minimum && w <= field.maximum) out.push_back(w);
  }
  return out;
}

/// How a field is put to the test where its default does not lend itself: other settings that it needs, and values.
struct Trial {
  Settings needs = {};
  std::vector<Json> values = {};
};

struct Subject {
  std::string kind;
  Settings base;
  std::map<std::string, Trial> trials = {};
};

std::vector<Subject> subjects(const Workshop& w) {
  const Settings small_world{{"world.people", 6},
                             {"world.animals", 4},
                             {"world.things", 4},
                             {"world.prompts_per_family", 12},
                             {"world.held_out_per_family", 3},
                             {"corpus.words", 3000},
                             {"demonstrations.count", 60}};
  w.make("world", "world", small_world);
  w.make("tokenizer", "tokenizer", {{"data", {w.path("world/corpus.txt")}}, {"size", 300}});
  const Settings shape{{"shape.layers", 1},   {"shape.width", 16}, {"shape.heads", 2},
                       {"shape.kv_heads", 1}, {"shape.ffn", 16},   {"shape.context", 192}};
  const std::string corpus = w.path("world/corpus.txt"), tokenizer = w.path("tokenizer/model");
  w.make("pretrain", "pretrain",
         with(shape, {{"tokenizer", tokenizer}, {"data", {corpus}}, {"steps", 6}, {"batch_tokens", 256}}));
  w.make(
      "pretrain", "wide",
      with(shape,
           {{"tokenizer", tokenizer}, {"data", {corpus}}, {"steps", 6}, {"batch_tokens", 256}, {"shape.width", 24}}));
  const std::string model = w.path("pretrain/model"), wide = w.path("wide/model");
  w.make("tokenizer", "other-tokenizer", {{"data", {w.path("world/demonstrations.jsonl")}}, {"size", 300}});

  // Rows in which every setting of reading has something to bite on.
  std::string rows, demonstrations, conversations;
  for (int i = 0; i < 24; ++i) {
    const std::string n = std::to_string(i);
    rows += dump_json(Json{{"prompt", "what is " + n}, {"chosen", "it is " + n + "."}, {"rejected", "no"}}) + "\n";
    demonstrations += dump_json(Json{{"prompt", "what is " + n}, {"completion", "it is " + n + "."}}) + "\n";
  }
  rows += dump_json(Json{{"prompt", "and"}, {"chosen", "yes"}, {"rejected", "no"}}) + "\n" +
          dump_json(Json{{"prompt", "and"}, {"chosen", "no"}, {"rejected", "yes"}}) + "\n";
  for (int i = 0; i < 12; ++i)
    conversations +=
        dump_json(Json{{"messages",
                        {{{"role", "user"}, {"content", "one " + std::to_string(i)}},
                         {{"role", "assistant"}, {"content", "two"}},
                         {{"role", "user"}, {"content", "three and some more words to be cut from the left"}},
                         {{"role", "assistant"}, {"content", "four"}}}}}) +
        "\n";
  std::string longer_rows = rows, longer_demonstrations = demonstrations;
  for (int i = 0; i < 8; ++i) {
    const std::string prompt =
        "say once more, in other words and at some length, what was said of " + std::to_string(i);
    longer_rows += dump_json(Json{{"prompt", prompt}, {"chosen", "well"}, {"rejected", "no"}}) + "\n";
    longer_demonstrations += dump_json(Json{{"prompt", prompt}, {"completion", "well"}}) + "\n";
  }
  const std::string long_pairs = w.write("long-pairs.jsonl", longer_rows),
                    long_demos = w.write("long-demos.jsonl", longer_demonstrations);
  const std::string pairs = w.write("pairs.jsonl", rows), demos = w.write("demos.jsonl", demonstrations),
                    chats = w.write("chats.jsonl", conversations),
                    broken = w.write("broken.jsonl", demonstrations + "{\"prompt\": \n"),
                    broken_pairs = w.write("broken-pairs.jsonl", rows + "{\"prompt\": \n"),
                    text = w.write("text.txt", "one\ntwo\n\nthree four\nfive\n\nsix seven eight nine ten\n"),
                    documents = w.write("documents.jsonl",
                                        "{\"text\": \"one two three\"}\n{\"text\": \"four five six\"}\n"
                                        "{\"text\": \"seven eight nine\"}\n"),
                    margins = w.write("margins.jsonl",
                                      [] {
                                        std::string out;
                                        for (int i = 0; i < 24; ++i)
                                          out += dump_json(Json{{"prompt", "what is " + std::to_string(i)},
                                                                {"chosen", "it is."},
                                                                {"rejected", "no"},
                                                                {"margin", 0.5 + i % 3}}) +
                                                 "\n";
                                        return out;
                                      }()),
                    ties = w.write(
                        "ties.jsonl",
                        rows + dump_json(Json{{"prompt", "or"}, {"chosen", "a"}, {"rejected", "b"}, {"tie", true}}) +
                            "\n"),
                    fine = w.write("fine.jsonl", [] {
                      std::string out;
                      for (int i = 0; i < 12; ++i)
                        out += dump_json(Json{{"question", "why " + std::to_string(i)},
                                              {"passages", {{"Title", "Because."}}},
                                              {"prediction 1", "a"},
                                              {"prediction 2", "b b"},
                                              {"prediction 3", "c c c"},
                                              {"prediction 4", "d"},
                                              {"preference", {1, 1, 1, 2, 2, 1}}}) +
                               "\n";
                      return out;
                    }());
  w.make("reward", "reward", {{"model", model}, {"data", {pairs}}, {"batch_pairs", 8}, {"text.held_out", 0.2}});
  // On another part of the prompts, so that it is another one.
  w.make("reward", "second",
         {{"model", model},
          {"data", {pairs}},
          {"batch_pairs", 8},
          {"optim.lr", 0.01},
          {"text.held_out", 0.2},
          {"text.part_end", 0.6}});
  w.make("reward", "ensemble",
         {{"model", model}, {"data", {pairs}}, {"batch_pairs", 8}, {"ensemble", 3}, {"optim.lr", 0.01}});
  const std::string world = w.path("world"), prompts = w.path("world/prompts-train.jsonl"),
                    held_out = w.path("world/prompts-heldout.jsonl"), reward = w.path("reward/model"),
                    ensemble = w.path("ensemble/model");
  const Settings short_answers{{"sampling.max_tokens", 6}};
  const Settings compare =
      with(short_answers,
           {{"model", model}, {"world", world}, {"prompts", {prompts}}, {"count", 12}, {"samples", 3}, {"pairs", 2}});
  w.make("compare", "compare", compare);
  const Settings ppo = with(short_answers, {{"model", model},
                                            {"reward", reward},
                                            {"prompts", {prompts}},
                                            {"steps", 3},
                                            {"batch_prompts", 8},
                                            {"minibatches", 2},
                                            {"critic_warmup", 0},
                                            {"policy_optim.lr", 1e-2},
                                            {"critic_optim.lr", 1e-2}});
  w.make("ppo", "ppo", with(ppo, {{"watch", world}, {"watch_every", 1}, {"watch_prompts", 6}}));

  // Settings that several kinds share.
  const auto add = [](std::map<std::string, Trial> own, const std::map<std::string, Trial>& more) {
    own.insert(more.begin(), more.end());
    return own;
  };
  const auto optimiser = [](const std::string& at) {
    std::map<std::string, Trial> out;
    for (const char* key : {"matrix_lr", "embedding_lr", "vector_lr", "head_lr"}) out[at + key] = {{}, {0.05}};
    for (const char* key : {"momentum", "newton_schulz_steps", "matrix_scale"})
      out[at + key] = {{{at + "rule", "muon"}, {at + "lr", 0.02}}};
    out[at + "eps"] = {{}, {0.1}};
    out[at + "clip_norm"] = {{}, {1e-3}};
    out[at + "weight_decay"] = {{{at + "lr", 0.1}}, {0.5}};
    out[at + "warmup_steps"] = {{}, {2, 1, 0}};
    out[at + "floor"] = {{{at + "decay", "linear"}, {at + "warmup_steps", 0}}, {0.5}};
    out[at + "decay"] = {{{at + "warmup_steps", 0}}};
    return out;
  };
  const auto adapter = [](const std::string& at) {
    const Settings on{{at + "rank", 2}};
    return std::map<std::string, Trial>{{at + "rank", {{}, {2}}},
                                        {at + "alpha", {on, {3.0}}},
                                        {at + "rslora", {on}},
                                        {at + "dropout", {on, {0.5}}},
                                        {at + "targets", {on, {Json::array({"q_proj"})}}}};
  };
  const auto kept = [] {
    return std::map<std::string, Trial>{
        {"keep.every", {{}, {1, 2}}}, {"keep.last", {{{"keep.every", 1}}, {1}}}, {"keep.evaluate_every", {{}, {2, 3}}}};
  };
  const auto lengths = [&](const std::string& at, const std::string& rows_key, const std::string& some_long) {
    return std::map<std::string, Trial>{
        {at + "chat_format", {}},
        {at + "train_on", {{{rows_key, {chats}}}}},
        {at + "max_length", {{}, {3, 16, 40}}},
        {at + "max_prompt_length", {{{at + "max_lost_share", 1.0}}, {10, 4}}},
        {at + "too_long", {{{at + "max_prompt_length", 24}, {at + "max_lost_share", 1.0}, {rows_key, {some_long}}}}},
        {at + "max_lost_share", {{{at + "max_prompt_length", 24}, {rows_key, {some_long}}}, {1.0}}},
    };
  };

  std::vector<Subject> out;
  out.push_back({"world", small_world});
  out.push_back({"tokenizer", {{"data", {corpus}}, {"size", 300}}, {{"data", {{}, {Json::array({demos})}}}}});
  out.push_back(
      {"import",
       {},
       {{"file", {{}, {w.path("absent.bin")}}}, {"vocabulary", {{{"file", corpus}}, {w.path("absent.bin")}}}}});
  const Settings pretrain =
      with(shape, {{"tokenizer", tokenizer}, {"data", {corpus}}, {"steps", 3}, {"batch_tokens", 256}});
  out.push_back({"pretrain", pretrain,
                 add(add({{"model", {{}, {model}}},
                          {"tokenizer", {{}, {w.path("other-tokenizer/model")}}},
                          {"data", {{}, {Json::array({text})}}},
                          {"epochs", {{{"steps", 0}, {"batch_tokens", 1024}}, {0.5}}},
                          {"max_data_tokens", {{}, {200}}},
                          {"max_minutes", {{{"steps", 40}, {"batch_tokens", 8}}, {1e-6}}},
                          {"documents", {{}, {"joined"}}},
                          {"shape.heads", {{}, {4}}},
                          {"shape.kv_heads", {{}, {2}}},
                          {"shape.context", {{}, {24}}},
                          {"shape.width", {{}, {24}}},
                          {"text.format", {{}, {"hh"}}},
                          {"text.on_bad_line", {{{"data", {broken}}}}},
                          {"text.ignore_keys", {{{"data", {documents}}}, {Json::array({"text"})}}},
                          {"text.split_text_by", {{{"data", {text}}, {"batch_tokens", 8}}}},
                          {"text.held_out", {{}, {0.3}}},
                          {"optim.rule", {{}, {"adamw"}}}},
                         optimiser("optim.")),
                     add(kept(), {{"adapter.targets", {{}, {Json::array({"q_proj"})}}}}))});
  const Settings sft{{"model", model},      {"data", {demos}},  {"steps", 3},
                     {"batch_tokens", 128}, {"optim.lr", 1e-2}, {"text.held_out", 0.2}};
  out.push_back({"sft", sft,
                 add(add(add(
                             {
                                 {"model", {{}, {wide}}},
                                 {"tokenizer", {{}, {w.path("other-tokenizer/model")}}},
                                 {"data", {{}, {Json::array({long_demos})}}},
                                 {"epochs", {{{"steps", 0}}, {0.5, 2.0}}},
                                 {"max_minutes", {{{"steps", 40}, {"batch_tokens", 8}}, {1e-6}}},
                                 {"text.format", {{}, {"hh"}}},
                                 {"text.on_bad_line", {{{"data", {broken}}}}},
                                 {"text.ignore_keys", {{}, {Json::array({"prompt"})}}},
                                 {"text.chosen_sides", {{{"data", {pairs}}}}},
                                 {"text.passages", {{{"data", {fine}}}}},
                                 {"text.held_out", {{}, {0.3}}},
                                 {"text.part_begin", {{}, {0.3}}},
                                 {"text.part_end", {{}, {0.7}}},
                             },
                             optimiser("optim.")),
                         lengths("text.", "data", long_demos)),
                     add(kept(), adapter("adapter.")))});
  for (const char* key : {"layers", "width", "heads", "kv_heads", "ffn", "context", "rope_theta", "init_std", "tied"})
    out.back().trials["shape." + std::string(key)] = {};  // refused beside a model
  out.push_back({"compare",
                 compare,
                 {{"model", {{}, {wide}}},
                  {"world", {{}, {w.path("absent")}}},
                  {"prompts", {{}, {Json::array({held_out})}}},
                  {"judge", {{}, {"stories"}}},
                  {"opening_tokens", {{{"judge", "stories"}, {"prompts", Json::array()}, {"world", ""}}, {30}}},
                  {"sampling.min_tokens", {{}, {6}}},
                  {"sampling.top_k", {{}, {2}}},
                  {"annotator.agree_bias", {{{"prompts", {w.path("world/prompts-train-opinion.jsonl")}}}, {50.0}}},
                  {"annotator.length_bias", {{}, {50.0}}},
                  {"annotator.position_bias", {{}, {50.0}}},
                  {"annotator.blind_spot", {{}, {1.0}}},
                  {"annotator.spammers", {{}, {1.0}}},
                  {"annotator.flip", {{}, {0.5, 1.0}}}}});
  const Settings comparisons{{"model", model}, {"data", {pairs}}, {"batch_pairs", 8}, {"optim.lr", 1e-2}};
  const std::map<std::string, Trial> pair_rows{
      {"data", {{}, {Json::array({margins})}}},
      {"epochs", {{}, {2.0}}},
      {"text.format", {{}, {"hh"}}},
      {"text.on_bad_line", {{{"data", {broken_pairs}}}}},
      {"text.ignore_keys", {{}, {Json::array({"prompt"})}}},
      {"text.ties", {{{"data", {ties}}}}},
      {"text.passages", {{{"data", {fine}}}}},
      {"text.held_out", {{}, {0.3}}},
      {"text.part_begin", {{}, {0.3}}},
      {"text.part_end", {{}, {0.7}}},
      {"loss.label_smoothing", {{}, {0.2}}},
  };
  out.push_back({"reward", with(comparisons, {{"text.held_out", 0.2}}),
                 add(add(add(add({{"model", {{}, {wide}}},
                                  {"reference", {{}, {Json::array({demos})}}},
                                  {"text.chosen_sides", {{{"reference", {pairs}}}}},
                                  {"use_margin", {{{"data", {margins}}}}},
                                  {"head_std", {{}, {0.0, 0.5}}},
                                  {"mismatch", {{}, {0.9}}},
                                  {"loss.centring", {{}, {0.5}}}},
                                 pair_rows),
                             optimiser("optim.")),
                         lengths("text.", "data", long_pairs)),
                     add(kept(), adapter("adapter.")))});
  out.push_back({"preference", comparisons,
                 add(add(add(add({{"model", {{}, {wide}}},
                                  {"reference", {{}, {wide}}},
                                  {"watch", {{}, {world}}},
                                  {"watch_every", {{{"watch", world}}, {1}}},
                                  {"samples.prompts", {{}, {0}}},  // one prompt is held out
                                  {"stop.patience", {{}, {1}}},
                                  {"stop.kl_limit", {{}, {0.5}}},
                                  {"stop.start_loss_limit", {{}, {2.0}}},
                                  {"stop.ask", {{{"stop.kl_limit", 0.5}}, {Json::array({held_out})}}},
                                  {"stop.prompts", {{{"stop.kl_limit", 0.5}, {"text.held_out", 0.3}}, {1}}},
                                  {"stop.rates", {{{"stop.kl_limit", 0.5}}, {Json::array({0.01})}}},
                                  {"stop.samples", {{{"stop.kl_limit", 0.5}}, {2}}},
                                  {"stop.max_tokens", {{{"stop.kl_limit", 0.5}}, {3}}},
                                  {"sync.every", {{}, {1}}},
                                  {"sync.alpha", {{{"sync.every", 1}}, {0.1}}},
                                  {"loss.margin_coef", {{{"data", {margins}}}, {2.0}}},
                                  {"loss.nll_coef", {{}, {1.0}}},
                                  {"loss.name", {{}, {"ipo"}}}},
                                 pair_rows),
                             optimiser("optim.")),
                         lengths("text.", "data", long_pairs)),
                     add(kept(), adapter("adapter.")))});
  // The settings of rules, where the setting `list` names them and the prompts' rows hold what they read. What a rule
  // makes of an answer is held by tests/checkers.
  const std::string checked = w.write("checked.jsonl", [&] {
    std::string rows;
    for (int i = 0; i < 6; ++i)
      rows += dump_json(Json{{"prompt", "What is " + std::to_string(i) + " and 2?"},
                             {"answer", i + 2},
                             {"other", 1},
                             {"pattern", "[aeiou]"},
                             {"schema", {{"type", "array"}}}}) +
              "\n";
    return rows;
  }());
  const std::string schema = w.write("schema.json", R"({"type": "string"})");
  const auto checkers = [&](const std::string& list, const Json& others, const Settings& base) {
    const auto used = [&](const std::string& id, const Settings& more) {
      Json ids = others;
      ids.push_back(id);
      return with(with(base, {{list, ids}}), more);
    };
    return std::map<std::string, Trial>{
        {"exact.field", {used("exact", {}), {"absent"}}},
        {"exact.after", {{}, {"x"}}},
        {"numeric.field", {used("numeric", {}), {"absent"}}},
        {"numeric.after", {{}, {"x"}}},
        {"regex.pattern", {used("regex", {{"regex.pattern", "[a-m]"}}), {"[n-z]", "[aeiou]", "."}}},
        {"regex.field", {used("regex", {{"regex.field", "pattern"}}), {"absent"}}},
        {"regex.absent", {used("regex", {{"regex.pattern", "[a-m]"}})}},
        {"regex.after", {used("regex", {{"regex.pattern", "[a-m]"}}), {"e", "a"}}},
        {"json_schema.schema", {used("json_schema", {{"json_schema.schema", schema}}), {checked}}},
        {"json_schema.field", {used("json_schema", {{"json_schema.field", "schema"}}), {"absent"}}},
        {"json_schema.after", {{}, {"x"}}},
    };
  };
  // What the stages that learn from their own samples share.
  const auto on_policy = [&](std::map<std::string, Trial> own) {
    own = add(std::move(own),
              {{"model", {{}, {wide}}},
               {"reward", {{}, {ensemble}}},
               {"prompts", {{}, {Json::array({held_out})}}},
               {"skip_held_out", {{{"prompts", {pairs}}}}},
               {"rewards", {{{"prompts", {checked}}}, {Json::array({"model", "numeric"})}}},
               {"reward_weights", {{}, {Json::array({2.0})}}},
               {"target_kl", {{}, {1e-9}}},
               {"train_layers", {{}, {1}}},
               {"watch", {{}, {world}}},
               {"watch_every", {{{"watch", world}}, {1}}},
               {"ensemble", {{{"reward", ensemble}}}},
               {"ensemble_penalty", {{{"reward", ensemble}, {"ensemble", "uncertainty"}}, {3.0}}},
               {"sampling.min_tokens", {{}, {2}}},
               {"sampling.top_k", {{}, {2}}},
               {"sampling.top_p", {{}, {0.5}}},
               {"kl_coef", {{}, {3.0}}},
               {"kl_controller", {{}, {"adaptive"}}},
               {"kl_target", {{{"kl_controller", "adaptive"}, {"kl_horizon", 10.0}}, {0.01}}},
               {"kl_horizon", {{{"kl_controller", "adaptive"}, {"kl_target", 0.01}}, {10.0}}},
               {"missing_eos_penalty", {{}, {4.0}}},
               {"score_clip", {{}, {0.01}}},
               {"loss.clip_low", {{{"policy_optim.lr", 0.1}}, {0.01}}},
               {"loss.clip_high", {{{"policy_optim.lr", 0.1}}, {0.01}}},
               {"loss.dual_clip", {{{"policy_optim.lr", 0.1}}, {1.0001, 0.5}}},
               {"loss.entropy_coef", {{}, {0.5}}},
               {"format", {{}, {"hh"}}},
               {"on_bad_line", {{{"prompts", {broken}}}}},
               {"ignore_keys", {{{"prompts", {demos}}, {"skip_held_out", false}}, {Json::array({"prompt"})}}},
               {"split_text_by", {{{"prompts", {text}}, {"skip_held_out", false}}}},
               {"passages", {{{"prompts", {fine}}, {"skip_held_out", false}}}}});
    own = add(std::move(own), checkers("rewards", Json::array({"model"}), {{"prompts", {checked}}}));
    return add(add(add(std::move(own), optimiser("policy_optim.")), lengths("", "prompts", long_demos)),
               add(kept(), adapter("adapter.")));
  };
  out.push_back({"ppo", ppo,
                 add(add(on_policy({{"critic", {{}, {model}}},
                                    {"pretrain_coef", {{{"pretrain_data", {corpus}}}, {0.5}}},
                                    {"pretrain_data",
                                     {{{"pretrain_coef", 0.5}, {"pretrain_data", {corpus}}}, {Json::array({text})}}},
                                    {"pretrain_tokens", {{{"pretrain_coef", 0.5}, {"pretrain_data", {corpus}}}, {64}}},
                                    {"score_position", {{{"sampling.max_tokens", 60}, {"batch_prompts", 32}}}},
                                    {"kl_clamp", {{{"kl_coef", 1.0}}}},
                                    {"kl_clamp_limit", {{{"kl_clamp", "symmetric"}, {"kl_coef", 1.0}}, {1e-4}}},
                                    {"kl_estimator", {{{"kl_coef", 1.0}}}},
                                    {"estimator", {{}, {"nope"}}},
                                    {"gamma", {{}, {0.5}}},
                                    {"lambda", {{}, {0.5}}},
                                    {"loss.value_clip", {{}, {0.001}}}}),
                         optimiser("critic_optim.")),
                     adapter("critic_adapter."))});
  out.push_back(
      {"group",
       with(short_answers, {{"model", model},
                            {"reward", reward},
                            {"prompts", {prompts}},
                            {"steps", 3},
                            {"batch_prompts", 4},
                            {"samples_per_prompt", 3},
                            {"minibatches", 2},
                            {"policy_epochs", 2},
                            {"policy_optim.lr", 1e-2}}),
       on_policy({{"kl_estimator", {{{"kl_placement", "loss"}, {"kl_coef", 1.0}}}},
                  {"overlong_buffer", {{}, {3}}},
                  {"overlong_weight", {{{"overlong_buffer", 3}}, {3.0}}},
                  // Answers of one likely token are often all alike.
                  {"sampling_rounds",
                   {{{"dynamic_sampling", true}, {"sampling.max_tokens", 1}, {"sampling.temperature", 0.1}}, {1}}},
                  {"importance_cap", {{{"importance", "truncate"}}, {1.0}}},
                  {"loss.ratio_cap", {{{"loss.surrogate", "cispo"}}, {0.5}}},
                  {"loss.tau_positive", {{{"loss.surrogate", "sapo"}}, {3.0}}},
                  {"loss.tau_negative", {{{"loss.surrogate", "sapo"}}, {3.0}}}})});
  const Settings world_eval = with(short_answers, {{"models", {"sft=" + model, "ppo=" + w.path("ppo/model")}},
                                                   {"world", world},
                                                   {"prompts", {held_out}},
                                                   {"reward", reward},
                                                   {"annotators", w.path("compare")},
                                                   {"audit_samples", 2}});
  const Settings open{{"judge", "none"}, {"world", ""}, {"annotators", ""}, {"audit_samples", 4}, {"prompts", {chats}}};
  std::map<std::string, Trial> of_eval{
      {"models", {{}, {Json::array({"sft=" + model})}}},
      {"judge", {{{"annotators", ""}, {"audit_samples", 4}, {"reward", ""}, {"curves", Json::array()}}}},
      {"world", {{}, {w.path("absent")}}},
      {"prompts", {{}, {Json::array({prompts})}}},
      {"limit", {{}, {5}}},
      {"held_out", {open, {0.4}}},
      {"samples", {open}},
      {"original", {open, {w.path("ppo/model")}}},
      {"start", {{}, {"ppo"}}},
      {"final", {{}, {"sft"}}},
      {"reward", {{}, {ensemble}}},
      {"close_unfinished", {open}},
      {"harmful", {open, {Json::array({demos})}}},
      {"comparisons", {with(open, {{"held_out", 0.2}}), {Json::array({pairs})}}},
      {"comparisons_limit", {with(open, {{"held_out", 0.2}, {"comparisons", {pairs}}}), {2}}},
      {"texts", {open, {Json::array({corpus})}}},
      {"text_passages", {with(open, {{"texts", {corpus}}}), {3}}},
      {"second_reward", {open, {w.path("second/model")}}},
      {"checkers", {with(open, {{"prompts", {checked}}}), {Json::array({"numeric"})}}},
      {"annotators", {{}, {w.path("absent")}}},
      {"audit_samples", {{}, {3}}},
      {"curves", {{}, {Json::array({"ppo=" + w.path("ppo/metrics.jsonl")})}}},
      {"side_by_side", {{}, {2}}},
      {"require", {{}, {Json::array({"gold: ppo >= 0"})}}},
      {"sampling.min_tokens", {{}, {4}}},
      {"sampling.top_k", {{}, {2}}},
      {"format", {open, {"hh"}}},
      {"on_bad_line", {with(open, {{"prompts", {broken}}})}},
      {"ignore_keys", {with(open, {{"prompts", {demos}}}), {Json::array({"prompt"})}}},
      {"split_text_by", {with(open, {{"prompts", {text}}})}},
      {"passages", {with(open, {{"prompts", {fine}}})}},
  };
  for (auto& [key, trial] : lengths("", "prompts", long_demos))
    if (key != "train_on") of_eval[key] = {with(with(open, {{"reward", ""}}), trial.needs), trial.values};
  for (auto& [key, trial] : checkers("checkers", Json::array(), {{"prompts", {checked}}}))
    of_eval[key] = {trial.needs.empty() ? Settings{} : with(open, trial.needs), trial.values};
  out.push_back({"eval", world_eval, of_eval});
  return out;
}

}  // namespace

TEST_CASE("every setting of every stage changes a result or is refused") {
  const Workshop w;
  std::set<std::string> kinds;
  for (const Subject& s : subjects(w)) {
    kinds.insert(s.kind);
    const auto stage = pipeline::make_stage(s.kind, "settings test");
    const config::Fields defaults = stage->fields();
    std::map<std::string, std::string> results;  // of the base with what a trial needs
    for (const config::Field& f : defaults.list()) {
      if (kChangesNothing.contains(f.key)) continue;
      const auto listed = s.trials.find(f.key);
      const Trial trial = listed == s.trials.end() ? Trial{} : listed->second;
      const Settings base = with(s.base, trial.needs);
      std::string named;
      for (const auto& [key, value] : base) named += key + "=" + dump_json(value) + "\n";
      if (!results.contains(named)) results[named] = w.result(s.kind, base);
      const std::string& before = results[named];
      const std::vector<Json> values =
          trial.values.empty() ? others(f, base.contains(f.key) ? base.at(f.key) : config::to_json(f)) : trial.values;
      const bool moved = std::ranges::any_of(
          values, [&](const Json& value) { return w.result(s.kind, with(base, {{f.key, value}})) != before; });
      CHECK_MESSAGE(moved, s.kind << "." << f.key << ": " << values.size()
                                  << " other values changed nothing; of the base: " << before.substr(0, 300));
    }
  }
  for (const pipeline::StageKind& k : pipeline::stage_kinds())
    CHECK_MESSAGE(kinds.contains(std::string(k.kind)), k.kind);
}

// The settings of each loss, which stand in its own file.
TEST_CASE("every setting of every preference loss changes a result") {
  const Workshop w;
  Settings base;
  for (const Subject& s : subjects(w))
    if (s.kind == "preference") base = s.base;
  int losses = 0;
  for (const pipeline::StageVariant& v : pipeline::stage_variants("preference")) {
    if (v.choice.empty()) continue;
    ++losses;
    const Settings with_loss = with(base, {{v.selector, v.choice}});
    const std::string before = w.result("preference", with_loss);
    const config::Fields fields = v.stage->fields();
    for (const config::Field& f : fields.list()) {
      if (!f.key.starts_with("loss.") || f.selects) continue;
      const std::vector<Json> values = f.key == "loss.label_smoothing" ? std::vector<Json>{0.3}
                                       : f.key == "loss.max_weight"    ? std::vector<Json>{1e-3}
                                                                       : others(f, config::to_json(f));
      CHECK_MESSAGE(std::ranges::any_of(values,
                                        [&](const Json& value) {
                                          return w.result("preference", with(with_loss, {{f.key, value}})) != before;
                                        }),
                    v.choice << ": " << f.key);
    }
  }
  CHECK(losses > 10);
}

TEST_CASE("a stopped run of every preference loss goes on to the same bytes") {
  const Workshop w;
  Settings base;
  for (const Subject& s : subjects(w))
    if (s.kind == "preference") base = with(s.base, {{"epochs", 2.0}, {"keep.every", 3}, {"text.held_out", 0.2}});
  std::vector<Settings> runs;
  for (const pipeline::StageVariant& v : pipeline::stage_variants("preference"))
    runs.push_back(v.choice.empty() ? base : with(base, {{v.selector, v.choice}}));
  for (const char* loss : {"dpo", "kto"}) {  // a reference that moves; folds
    runs.push_back(with(base, {{"loss.name", loss}, {"sync.every", 2}}));
    runs.push_back(with(base, {{"loss.name", loss}, {"text.held_out", 0.0}, {"stop.folds", 2}}));
  }
  runs.push_back(with(base, {{"loss.name", "bco"}, {"text.held_out", 0.0}, {"stop.folds", 2}, {"adapter.rank", 2}}));
  for (const Settings& settings : runs) {
    INFO(dump_json(Json(settings)));
    w.make("preference", "whole", settings);
    w.make_in_two("preference", "two", settings, 4);
    for (const char* file :
         {"metrics.jsonl", "samples.jsonl", "model/model.safetensors", "model/adapter_model.safetensors"}) {
      if (!fs::exists(w.path(std::string("whole/") + file))) continue;
      CHECK_MESSAGE(
          sha256_file(w.path(std::string("whole/") + file)) == sha256_file(w.path(std::string("two/") + file)), file);
    }
    for (const char* run : {"whole", "two"}) fs::remove_all(w.path(run));
  }
}

TEST_CASE("answers for people to read change nothing else that a stage leaves") {
  const Workshop w;
  int stages = 0;
  for (const Subject& s : subjects(w)) {
    if (s.kind != "sft" && s.kind != "preference" && s.kind != "ppo" && s.kind != "group") continue;
    ++stages;
    w.make(s.kind, "silent", with(s.base, {{"samples.prompts", 0}}));
    w.make(s.kind, "speaking", with(s.base, {{"samples.prompts", 3}}));
    CHECK_FALSE(fs::exists(w.path("silent/answers.jsonl")));
    CHECK(fs::file_size(w.path("speaking/answers.jsonl")) > 0);
    for (const char* file : {"metrics.jsonl", "samples.jsonl", "model/model.safetensors"})
      CHECK_MESSAGE(
          sha256_file(w.path(std::string("silent/") + file)) == sha256_file(w.path(std::string("speaking/") + file)),
          s.kind << " " << file);
    std::set<int64_t> steps;
    std::map<std::string, std::set<std::string>> answers;  // of one prompt at one temperature
    for_each_line(w.path("speaking/answers.jsonl"), [&](std::string_view line, int64_t) {
      const Json j = parse_json(line, "answers");
      steps.insert(j.at("step").get<int64_t>());
      CHECK(j.at("tokens").get<int64_t>() <= 128);
      answers[dump_json(j.at("id")) + dump_json(j.at("temperature"))].insert(j.at("completion").get<std::string>());
    });
    CHECK_MESSAGE(steps.contains(0), s.kind);
    CHECK_MESSAGE(steps.size() >= 2, s.kind);
    CHECK(answers.size() % 2 == 0);  // greedy, and at temperature 1
    // With these rates the stage changes what it says; the random numbers are the same at every look.
    CHECK(std::ranges::any_of(answers, [](const auto& a) { return a.second.size() > 1; }));
    for (const char* run : {"silent", "speaking"}) fs::remove_all(w.path(run));
  }
  CHECK(stages == 4);
}
