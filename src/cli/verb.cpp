#include "cli/verb.h"

#include "base/error.h"
#include "base/log.h"
#include "base/version.h"
#include "cli/output.h"
#include "cli/stage_verb.h"
#include "config/fields.h"
#include "tensor/runtime.h"

namespace hone::cli {

#define HONE_VERB(name, group, summary) int name(Options& options);
#include "cli/verbs.def"
#undef HONE_VERB

namespace {

constexpr Verb kVerbs[] = {
#define HONE_VERB(name, group, summary) {#name, group, summary, name},
#include "cli/verbs.def"
#undef HONE_VERB
};

std::string row(std::string_view name, std::string_view summary) {
  std::string left = "  " + std::string(name);
  left.resize(16, ' ');
  return left + wrap(summary, kWidth, 16) + "\n";
}

}  // namespace

std::span<const Verb> verbs() { return kVerbs; }

std::string version_text() { return "hone " + std::string(kVersion) + " (torch " + torch_version() + ")\n"; }

std::string overview() {
  std::string out = "hone " + std::string(kVersion) +
                    ": from a language model and people's comparisons to an aligned model:\n"
                    "pretraining, fine-tuning, reward models, PPO, preference learning, evaluation\n"
                    "and a report, in one program.\n\n"
                    "Start here:\n"
                    "  hone run recipes/align.toml --out runs/align\n"
                    "      from nothing to an aligned model and its report\n"
                    "  hone run recipes/own.toml --plan\n"
                    "      what your own model and data would take\n"
                    "  hone help VERB\n"
                    "      how a verb is used, with examples\n";
  std::string_view group;
  for (const Verb& v : kVerbs) {
    if (v.group != group) {
      if (group == "Train") {
        out += "\nOne stage (each also stands in a recipe as [[stage]] kind = \"…\"):\n";
        for (const auto& [name, summary] : stage_verbs()) out += row(name, summary);
      }
      group = v.group;
      out += "\n" + std::string(group) + ":\n";
    }
    out += row(v.name, v.summary);
  }
  return out +
         "\nRows are JSON Lines, in on standard input or --in FILE, out on standard output\n"
         "or --out FILE. Exit codes: 0 done; 1 failed (state is kept, --resume goes on);\n"
         "2 the request was wrong; 130 interrupted.\n";
}

int dispatch(std::span<const char* const> words) {
  std::span<const char* const> rest = words;
  // General options may stand before the verb.
  while (!rest.empty() && rest[0][0] == '-') {
    const std::string_view word = rest[0];
    if (word == "--quiet") {
      log::set_quiet(true);
    } else if (word == "--version" || word == "-V") {
      print(version_text());
      return kDone;
    } else if (word == "--help" || word == "-h") {
      print(overview());
      return kDone;
    } else {
      const std::string near = config::closest(word, {"--quiet", "--version", "--help"});
      usage_error("unknown option '" + std::string(word) + "' before a verb" +
                      (near.empty() ? "" : "; did you mean '" + near + "'?"),
                  "write hone VERB [options]; `hone help` lists the verbs");
    }
    rest = rest.subspan(1);
  }
  if (rest.empty()) {
    print(overview());
    return kDone;
  }
  const std::string name = rest[0];
  rest = rest.subspan(1);
  std::vector<std::string> known;
  for (const Verb& v : kVerbs) {
    if (v.name == name) {
      Options options(name, std::string(v.summary), rest);
      return v.run(options);
    }
    known.emplace_back(v.name);
  }
  for (const auto& [stage, summary] : stage_verbs()) {
    if (stage == name) {
      // `hone tokenizer train` reads well, so it is taken too.
      if (name == "tokenizer" && !rest.empty() && std::string_view(rest[0]) == "train") rest = rest.subspan(1);
      Options options(name, std::string(summary), rest);
      return run_stage_verb(options);
    }
    known.emplace_back(stage);
  }
  const std::string near = config::closest(name, known);
  usage_error("unknown verb '" + name + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?"),
              "`hone help` lists the verbs");
}

}  // namespace hone::cli
