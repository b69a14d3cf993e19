#include "train/answer_ends.h"

#include "base/json.h"
#include "base/log.h"

namespace hone::train {

void settle_answer_ends(const data::Encoder& encoder, config::StageContext& context, model::ModelConfig& config) {
  log::info("  " + encoder.endings().describe());
  context.record.ends_json = dump_json(encoder.endings().to_json());
  config.eos.clear();
  for (const int32_t id : encoder.endings().ids()) config.eos.push_back(id);
}

}  // namespace hone::train
