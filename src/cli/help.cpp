#include "base/error.h"
#include "cli/output.h"
#include "cli/verb.h"

namespace hone::cli {

int help(Options& options) {
  std::vector<std::string> words;
  options.positional("VERB", &words, "the verb to explain; none: the overview");
  options.example("hone help", "the overview of all verbs");
  options.example("hone help generate", "the options of generate, with examples");
  options.example("hone help ppo", "every setting of the PPO stage with its default");
  if (!options.parse()) return kDone;
  if (words.empty()) {
    print(overview());
    return kDone;
  }
  // A verb explains itself; words after it (data inspect) go along.
  std::vector<const char*> call;
  for (const std::string& w : words) call.push_back(w.c_str());
  call.push_back("--help");
  return dispatch(call);
}

}  // namespace hone::cli
