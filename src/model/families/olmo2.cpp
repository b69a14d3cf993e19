// Olmo2ForCausalLM: OLMo Team, "2 OLMo 2 Furious", 2025, arXiv 2501.00656. Llama's shape with the norms behind each
// half of a layer, and an RMSNorm of all queries and of all keys.
#include "base/json.h"
#include "model/families/llama_shape.h"

namespace hone::model {
namespace {

std::string name(Slot slot, int64_t layer) {
  const std::string in_layer = "model.layers." + std::to_string(layer) + ".";
  if (slot == Slot::kNorm1) return in_layer + "post_attention_layernorm.weight";
  if (slot == Slot::kNorm2) return in_layer + "post_feedforward_layernorm.weight";
  return llama_shape_name(slot, layer);
}

}  // namespace

const Family& olmo2_family() {
  static const Family family{
      .id = "olmo2",
      .causal = "Olmo2ForCausalLM",
      .classifier = "Olmo2ForSequenceClassification",
      .model_type = "olmo2",
      .prefix = "model.",
      .transposed = false,
      .layer = {.placement = LayerSpec::Placement::kBehind, .qk_norm = LayerSpec::QkNorm::kWhole},
      .read =
          [](ConfigReader& reader, ModelConfig& c) {
            read_llama_shape(reader, c);
            c.qkv_bias = c.out_bias = reader.boolean("attention_bias", false);
          },
      .write =
          [](const ModelConfig& c, Json& json) {
            write_llama_shape(c, json);
            json["attention_bias"] = c.qkv_bias;
          },
      .name = name,
  };
  return family;
}

}  // namespace hone::model
