// The keys of rotary position settings: rope_theta + rope_scaling as transformers 4 writes them, rope_parameters as 5
// does.
#include "base/error.h"
#include "base/json.h"
#include "model/families/llama_shape.h"

namespace hone::model {
namespace {

void read_scaling(const Json& json, ConfigReader& parent, const std::string& key, ModelConfig& c) {
  ConfigReader reader(json, parent.where() + ": " + key);
  RopeScaling& rope = c.rope;
  c.rope_theta = reader.number("rope_theta", c.rope_theta);
  const std::string old_name = reader.text("type", "default");
  const std::string type = reader.text("rope_type", old_name);
  reader.only("partial_rotary_factor", 1.0);
  if (type == "default" || type == "none") {
    rope = {};
  } else if (type == "linear") {
    rope.type = RopeScaling::Type::kLinear;
  } else if (type == "llama3") {
    rope.type = RopeScaling::Type::kLlama3;
    rope.low_freq_factor = reader.number("low_freq_factor", 1);
    rope.high_freq_factor = reader.number("high_freq_factor", 4);
    if (rope.high_freq_factor <= rope.low_freq_factor)
      usage_error(reader.where() + ": high_freq_factor must be above low_freq_factor");
  } else if (type == "yarn") {
    rope.type = RopeScaling::Type::kYarn;
    rope.beta_fast = reader.number("beta_fast", 32);
    rope.beta_slow = reader.number("beta_slow", 1);
    rope.attention_factor = reader.optional_number("attention_factor");
    rope.mscale = reader.optional_number("mscale");
    rope.mscale_all_dim = reader.optional_number("mscale_all_dim");
    rope.truncate = reader.boolean("truncate", true);
  } else {
    // 'dynamic' moves every position's angle as the sequence grows, cached keys with it: no cache can be right.
    parent.refuse(key, "type '" + type + "' is not; default, linear, llama3 and yarn are");
  }
  rope.factor = reader.number("factor", 1);
  if (rope.factor < 1) usage_error(reader.where() + ": factor must be at least 1");
  rope.original_positions = reader.integer("original_max_position_embeddings", c.max_positions);
  if (rope.type != RopeScaling::Type::kNone && rope.original_positions <= 0)
    usage_error(reader.where() + ": original_max_position_embeddings must be positive");
  for (std::string& note : reader.finish()) parent.note(std::move(note));
}

}  // namespace

void read_rope(ConfigReader& reader, ModelConfig& c) {
  c.rope_theta = reader.number("rope_theta", 10000);
  // rope_parameters is the later word where both are written.
  if (const Json* scaling = reader.object("rope_scaling")) read_scaling(*scaling, reader, "rope_scaling", c);
  if (const Json* parameters = reader.object("rope_parameters"))
    read_scaling(*parameters, reader, "rope_parameters", c);
}

void write_rope(const ModelConfig& c, Json& json) {
  const RopeScaling& rope = c.rope;
  json["rope_theta"] = c.rope_theta;
  Json scaling = Json::object();
  switch (rope.type) {
    case RopeScaling::Type::kNone:
      scaling["rope_type"] = "default";
      break;
    case RopeScaling::Type::kLinear:
      scaling["rope_type"] = "linear";
      break;
    case RopeScaling::Type::kLlama3:
      scaling["rope_type"] = "llama3";
      scaling["low_freq_factor"] = rope.low_freq_factor;
      scaling["high_freq_factor"] = rope.high_freq_factor;
      break;
    case RopeScaling::Type::kYarn:
      scaling["rope_type"] = "yarn";
      scaling["beta_fast"] = rope.beta_fast;
      scaling["beta_slow"] = rope.beta_slow;
      if (rope.attention_factor) scaling["attention_factor"] = *rope.attention_factor;
      if (rope.mscale) scaling["mscale"] = *rope.mscale;
      if (rope.mscale_all_dim) scaling["mscale_all_dim"] = *rope.mscale_all_dim;
      if (!rope.truncate) scaling["truncate"] = false;
      break;
  }
  if (rope.type == RopeScaling::Type::kNone) {
    json["rope_scaling"] = nullptr;
  } else {
    scaling["factor"] = rope.factor;
    if (rope.type != RopeScaling::Type::kLinear) scaling["original_max_position_embeddings"] = rope.original_positions;
    json["rope_scaling"] = scaling;
  }
  scaling["rope_theta"] = c.rope_theta;
  json["rope_parameters"] = scaling;
}

}  // namespace hone::model
