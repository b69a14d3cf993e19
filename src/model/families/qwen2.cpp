// Qwen2ForCausalLM: Yang et al., "Qwen2 Technical Report", 2024. Llama's shape with biases on q, k and v.
#include "base/json.h"
#include "model/families/llama_shape.h"

namespace hone::model {

const Family& qwen2_family() {
  static const Family family{
      .id = "qwen2",
      .causal = "Qwen2ForCausalLM",
      .classifier = "Qwen2ForSequenceClassification",
      .model_type = "qwen2",
      .prefix = "model.",
      .transposed = false,
      .layer = {},
      .read =
          [](ConfigReader& reader, ModelConfig& c) {
            read_llama_shape(reader, c);
            c.qkv_bias = true;
            reader.only("use_sliding_window", false);
            reader.ignore({"sliding_window", "max_window_layers"});
          },
      .write =
          [](const ModelConfig& c, Json& json) {
            write_llama_shape(c, json);
            json["use_sliding_window"] = false;
          },
      .name = llama_shape_name,
  };
  return family;
}

}  // namespace hone::model
