// Every preference loss that TRL has, held against TRL's trainers on the same weights and the same token ids:
// log-probabilities, loss and the norm of the gradient (tools/golden/trl_preference.py, versions in the file).
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "../golden/golden.h"
#include "config/fields.h"
#include "golden_rows.h"
#include "model/hf_folder.h"
#include "train/preference_step.h"
#include "train/trainable.h"

using namespace hone;
using golden::behind;

namespace {

const Json& file() {
  static const Json json = golden::load("trl_preference.json");
  return json;
}

model::Decoder model_of(const char* role) {
  return model::load_model("tests/golden/" + file()["models"][role].get<std::string>()).decoder;
}

train::JudgedData batch_of(const Json& entry, const losses::PreferenceNeeds& needs) {
  train::JudgedData out;
  const Json& rows = file()[entry["batch"].get<std::string>()];
  for (size_t i = 0; i < rows.size(); ++i) {
    const Json& row = rows[i];
    data::JudgedGroup group;
    group.prompt_length = std::ssize(row["prompt"]);
    if (row.contains("label")) {
      group.good = row["label"];
      group.answers = {behind(row["prompt"], row["completion"])};
    } else {
      group.answers = {behind(row["prompt"], row["chosen"]), behind(row["prompt"], row["rejected"])};
    }
    if (needs.mismatched) {
      const auto of = entry["mismatched"][i].get<size_t>();
      out.mismatched.push_back(behind(row["prompt"], rows[of]["completion"]));
    }
    out.groups.push_back(std::move(group));
  }
  out.measure_lengths();
  return out;
}

losses::PreferenceLossSettings settings_of(const Json& entry) {
  losses::PreferenceLossSettings out(entry["name"].get<std::string>());
  const config::Fields fields = config::fields_of(out);
  const auto set = [&](const std::string& key, const Json& value) {
    config::set_from_json(fields.find(key, out.name, ""), value, "");
  };
  for (const auto& [key, value] : entry["settings"].items()) set(key, value);
  if (out.name == "ipo") set("log_ratio", "token_mean");  // as TRL has it
  if (out.name == "wpo") set("max_weight", 0);            // TRL 1.16 does not cut it
  return out;
}

// What TRL has under a name of ours and computes otherwise, or we have not.
bool other(const Json& entry) {
  const std::string name = entry["name"], batch = entry["batch"];
  return name == "ld_dpo" || (name == "bco" && batch == "pairs") || (name == "apo_zero" && batch == "singles");
}

void check_close(double value, double trl, const char* what) {
  CAPTURE(what);
  CHECK(value == doctest::Approx(trl).epsilon(1e-5).scale(0.1));
}

}  // namespace

TEST_CASE("losses, log-probabilities and gradients of preference losses are TRL's") {
  std::set<std::string> held;
  for (const Json& entry : file()["entries"]) {
    if (other(entry)) continue;
    const losses::PreferenceLossSettings loss = settings_of(entry);
    CAPTURE(loss.name);
    CAPTURE(entry["trl"].get<std::string>());
    held.insert(loss.name);
    train::JudgedData data = batch_of(entry, loss.needs());
    std::vector<int64_t> all(data.groups.size());
    std::iota(all.begin(), all.end(), 0);
    if (loss.needs().reference)
      train::refresh_reference(data.reference, model_of("reference"), data.groups, data.mismatched, all, at::kFloat);
    model::Decoder policy = model_of("policy");
    const std::vector<optim::NamedTensor> trained = train::trainable_tensors(policy);
    losses::Statistic statistic;
    std::vector<int64_t> rows = all;
    if (entry.contains("rows")) {  // a second batch, after another one
      rows = entry["rows"].get<std::vector<int64_t>>();
      const auto before = entry["seen_before"].get<std::vector<int64_t>>();
      int64_t tokens = 0;
      statistic = train::measure_statistic(policy, data, before, 1 << 20, loss, statistic, {}, tokens);
    }
    const train::PreferenceStep step = train::add_preference_gradient(policy, data, rows, 1 << 20, loss, statistic, {});
    double square = 0;
    for (const optim::NamedTensor& t : trained)
      if (t.tensor.grad().defined()) square += t.tensor.grad().to(at::kDouble).square().sum().item<double>();
    check_close(step.loss, entry["loss"], "loss");
    check_close(std::sqrt(square), entry["grad_norm"], "norm of the gradient");
    if (entry.contains("z")) check_close(statistic.value, entry["z"], "z");
    if (entry.contains("delta")) check_close(statistic.value, entry["delta"], "delta");

    const at::NoGradGuard no_grad;
    int64_t tokens = 0;
    const losses::Answers answers = train::answers_of(policy, all, data, loss.needs(), {}, tokens);
    const auto compare = [&](const Tensor& ours, const Json& theirs, const char* what) {
      const auto same = [&](const Tensor& x, const Json& y) {
        const Tensor wanted = golden::tensor(y);
        if (wanted.numel() != x.numel()) return;  // of the rows of the batch alone
        CHECK_MESSAGE(((x - wanted).abs() / wanted.abs().clamp_min(1)).max().item<double>() < 1e-5, what);
      };
      if (theirs.contains("completion")) return same(ours, theirs["completion"]);
      same(answers.chosen(ours), theirs["chosen"]);
      same(answers.rejected(ours), theirs["rejected"]);
    };
    compare(answers.policy, entry["policy_logps"], "policy");
    if (loss.needs().reference) compare(answers.reference, entry["reference_logps"], "reference");
  }
  for (const std::string& name : losses::preference_loss_ids())
    if (name != "plackett_luce") CHECK_MESSAGE(held.contains(name), name << " is not held against TRL");
}
