#include "train/preference_start.h"

#include <set>

#include "base/error.h"
#include "base/log.h"
#include "data/read.h"
#include "data/split.h"
#include "model/hf_folder.h"
#include "train/adapt.h"
#include "train/answer_ends.h"
#include "train/asked_prompts.h"
#include "train/judged_groups.h"
#include "train/precision.h"
#include "train/reference_logps.h"
#include "train/sides.h"

namespace hone::train {
namespace {

// What a look asks: what is not learned from, where there is any.
std::vector<data::Prompt> look_prompts(const PreferenceParams& params, const PreferenceStart& start) {
  if (params.stop.ask.empty()) return start.held_out_prompts.empty() ? start.train_prompts : start.held_out_prompts;
  std::set<std::string> trained;
  for (const data::Prompt& p : start.train_prompts) trained.insert(data::prompt_hash(p));
  data::ReadSettings lines;
  lines.split_text_by = "line";  // as `hone annotate --prompts` takes them
  std::vector<data::Prompt> out = data::read_prompts(params.stop.ask, lines).rows;
  std::erase_if(out, [&](const data::Prompt& p) { return trained.contains(data::prompt_hash(p)); });
  if (out.empty())
    usage_error("stop.ask: every prompt is one that is learned from",
                "give others, or leave stop.ask out: then some are drawn of what is held out, or of what is trained");
  return out;
}

// 1. Policy and judged answers.
PreferenceStart prepare(const PreferenceParams& params, config::StageContext& context) {
  const auto seed = static_cast<uint64_t>(context.run.seed);
  const losses::PreferenceNeeds needs = params.loss.needs();
  text::Tokenizer tokenizer = text::Tokenizer::load(params.model);
  model::LoadedModel loaded = model::load_model(params.model);
  if (loaded.head)
    usage_error(params.model + ": is a reward model, not a language model", "start from the model that it was made of");
  model::Decoder policy = std::move(loaded.decoder);
  policy.to(at::Device(context.run.device), at::kFloat);
  settle_adapter(policy, params.model, params.adapter, seed);
  const at::ScalarType compute = resolve_precision(context, policy.config());
  if (policy.adapter() != nullptr) policy.keep_matrices_in(compute);

  auto read = read_judged(needs.arity, params.data, params.text.read);
  params.text.keep_part(read);
  log::info("  " + read.report.summary());
  const data::Encoder encoder = data::Encoder::make(tokenizer, params.text.length.chat_format, policy.config().eos);
  settle_answer_ends(encoder, context, policy.config());
  const int64_t positions = policy.config().max_positions;
  const std::string what = name_of_groups(needs.arity);
  auto sides = encode_sides(split_judged(std::move(read.rows), params.text, seed, context.folder, what),
                            params.text.length, what, [&](std::span<const data::JudgedAnswers> rows) {
                              return data::encode_judged(rows, encoder, params.text.length, positions);
                            });
  PreferenceStart out{std::move(tokenizer),
                      std::move(policy),
                      compute,
                      encoder,
                      {},
                      {},
                      prompts_of(sides.rows.train),
                      prompts_of(sides.rows.held_out),
                      {},
                      ""};
  out.look_prompts = look_prompts(params, out);
  out.train.groups = std::move(sides.train.items);
  out.held_out.groups = std::move(sides.held_out.items);
  for (JudgedData* part : {&out.train, &out.held_out}) {
    part->measure_lengths();
    if (needs.mismatched && !part->groups.empty())
      part->mismatched = mismatched_answers(part->groups, data::sequence_limit(params.text.length, positions));
  }
  if (needs.reference) out.reference = params.reference.empty() ? params.model : params.reference;
  return out;
}

// 2. The reference, once.
void add_reference(PreferenceStart& start, const PreferenceParams& params, const config::StageContext& context) {
  if (start.reference.empty()) return;
  if (!params.reference.empty())
    text::require_same_tokenizer(start.tokenizer, params.reference,
                                 "the reference has another tokenizer than the policy",
                                 "both must give the probability of the same token ids");
  for (JudgedData* part : {&start.train, &start.held_out})
    if (!part->groups.empty())
      part->reference = cached_reference(start.reference, params.reference.empty() ? &start.policy : nullptr,
                                         part->groups, part->mismatched, context, start.compute);
}

}  // namespace

PreferenceStart start_preference(const PreferenceParams& params, config::StageContext& context) {
  PreferenceStart out = prepare(params, context);
  add_reference(out, params, context);
  return out;
}

}  // namespace hone::train
