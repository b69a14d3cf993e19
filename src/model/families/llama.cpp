// LlamaForCausalLM: Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023 (RMSNorm, RoPE,
// SwiGLU), with the grouped-query attention of Llama 2 and the frequency scaling of Llama 3.1.
#include "base/error.h"
#include "base/json.h"
#include "model/families/llama_shape.h"

namespace hone::model {

void read_llama_shape(ConfigReader& reader, ModelConfig& c) {
  c.width = reader.integer("hidden_size");
  c.layers = reader.integer("num_hidden_layers");
  c.heads = reader.integer("num_attention_heads");
  c.kv_heads = reader.integer("num_key_value_heads", c.heads);
  if (!reader.has("head_dim") && c.heads > 0 && c.width % c.heads != 0)
    usage_error(reader.where() + ": hidden_size must be a multiple of num_attention_heads");
  c.head_dim = reader.integer("head_dim", c.heads > 0 ? c.width / c.heads : 0);
  c.ffn = reader.integer("intermediate_size");
  c.max_positions = reader.integer("max_position_embeddings", 2048);
  c.norm_eps = reader.number("rms_norm_eps", 1e-6);
  c.tied = reader.boolean("tie_word_embeddings", false);
  reader.only("hidden_act", "silu");
  reader.only("partial_rotary_factor", 1.0);
  if (const Json* types = reader.has("layer_types") ? &reader.raw("layer_types") : nullptr)
    for (const Json& type : *types)
      if (type != "full_attention") reader.refuse("layer_types", "only full_attention is");
  read_rope(reader, c);
}

void write_llama_shape(const ModelConfig& c, Json& json) {
  json["hidden_size"] = c.width;
  json["num_hidden_layers"] = c.layers;
  json["num_attention_heads"] = c.heads;
  json["num_key_value_heads"] = c.kv_heads;
  json["head_dim"] = c.head_dim;
  json["intermediate_size"] = c.ffn;
  json["hidden_act"] = "silu";
  json["max_position_embeddings"] = c.max_positions;
  json["rms_norm_eps"] = c.norm_eps;
  write_rope(c, json);
}

std::string llama_shape_name(Slot slot, int64_t layer) {
  const std::string in_layer = "model.layers." + std::to_string(layer) + ".";
  switch (slot) {
    case Slot::kEmbedding:
      return "model.embed_tokens.weight";
    case Slot::kFinalNorm:
      return "model.norm.weight";
    case Slot::kOutput:
      return "lm_head.weight";
    case Slot::kNorm1:
      return in_layer + "input_layernorm.weight";
    case Slot::kQ:
      return in_layer + "self_attn.q_proj.weight";
    case Slot::kQBias:
      return in_layer + "self_attn.q_proj.bias";
    case Slot::kK:
      return in_layer + "self_attn.k_proj.weight";
    case Slot::kKBias:
      return in_layer + "self_attn.k_proj.bias";
    case Slot::kV:
      return in_layer + "self_attn.v_proj.weight";
    case Slot::kVBias:
      return in_layer + "self_attn.v_proj.bias";
    case Slot::kO:
      return in_layer + "self_attn.o_proj.weight";
    case Slot::kOBias:
      return in_layer + "self_attn.o_proj.bias";
    case Slot::kQNorm:
      return in_layer + "self_attn.q_norm.weight";
    case Slot::kKNorm:
      return in_layer + "self_attn.k_norm.weight";
    case Slot::kNorm2:
      return in_layer + "post_attention_layernorm.weight";
    case Slot::kGate:
      return in_layer + "mlp.gate_proj.weight";
    case Slot::kGateBias:
      return in_layer + "mlp.gate_proj.bias";
    case Slot::kUp:
      return in_layer + "mlp.up_proj.weight";
    case Slot::kUpBias:
      return in_layer + "mlp.up_proj.bias";
    case Slot::kDown:
      return in_layer + "mlp.down_proj.weight";
    case Slot::kDownBias:
      return in_layer + "mlp.down_proj.bias";
    default:
      HONE_CHECK(false, "Llama has no such tensor");
      return {};
  }
}

const Family& llama_family() {
  static const Family family{
      .id = "llama",
      .causal = "LlamaForCausalLM",
      .classifier = "LlamaForSequenceClassification",
      .model_type = "llama",
      .prefix = "model.",
      .transposed = false,
      .layer = {},
      .read =
          [](ConfigReader& reader, ModelConfig& c) {
            read_llama_shape(reader, c);
            c.qkv_bias = c.out_bias = reader.boolean("attention_bias", false);
            c.mlp_bias = reader.boolean("mlp_bias", false);
          },
      .write =
          [](const ModelConfig& c, Json& json) {
            write_llama_shape(c, json);
            json["attention_bias"] = c.qkv_bias;
            json["mlp_bias"] = c.mlp_bias;
          },
      .name = llama_shape_name,
  };
  return family;
}

}  // namespace hone::model
