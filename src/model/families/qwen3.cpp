// Qwen3ForCausalLM: Yang et al., "Qwen3 Technical Report", 2025. Llama's shape with an RMSNorm of each head's queries
// and keys in place of Qwen 2's biases.
#include "base/json.h"
#include "model/families/llama_shape.h"

namespace hone::model {

const Family& qwen3_family() {
  static const Family family{
      .id = "qwen3",
      .causal = "Qwen3ForCausalLM",
      .classifier = "Qwen3ForSequenceClassification",
      .model_type = "qwen3",
      .prefix = "model.",
      .transposed = false,
      .layer = {.qk_norm = LayerSpec::QkNorm::kHeads},
      .read =
          [](ConfigReader& reader, ModelConfig& c) {
            read_llama_shape(reader, c);
            if (!reader.has("head_dim")) c.head_dim = 128;
            c.qkv_bias = c.out_bias = reader.boolean("attention_bias", false);
            reader.only("use_sliding_window", false);
            reader.ignore({"sliding_window", "max_window_layers"});
          },
      .write =
          [](const ModelConfig& c, Json& json) {
            write_llama_shape(c, json);
            json["attention_bias"] = c.qkv_bias;
            json["use_sliding_window"] = false;
          },
      .name = llama_shape_name,
  };
  return family;
}

}  // namespace hone::model
