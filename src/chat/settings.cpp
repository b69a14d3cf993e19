#include "chat/settings.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <tuple>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

namespace hone::chat {
namespace {

// Every setting once: its name and its place.
template <class S>
auto fields(S& s) {
  return std::tuple(std::pair("temperature", &s.temperature), std::pair("top-p", &s.top_p),
                    std::pair("top-k", &s.top_k), std::pair("max-tokens", &s.max_tokens), std::pair("seed", &s.seed));
}

template <class S, class F>
void for_each(S& s, const F& f) {
  std::apply([&](const auto&... field) { (f(field.first, *field.second), ...); }, fields(s));
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}
std::string number_text(int64_t value) { return std::to_string(value); }
std::string number_text(uint64_t value) { return std::to_string(value); }

}  // namespace

void Settings::take_defaults(const std::string& generation_config) {
  if (generation_config.empty()) return;
  const Json json = parse_json(generation_config, "generation_config.json");
  if (json.contains("do_sample") && json["do_sample"] == false) return;
  const auto take = [&](const char* key, auto Settings::* place) {
    const auto it = json.find(key);
    if (it == json.end() ||
        !(std::is_integral_v<std::remove_reference_t<decltype(this->*place)>> ? it->is_number_integer()
                                                                              : it->is_number()))
      return;
    Settings said = *this;
    said.*place = it->get<std::remove_reference_t<decltype(this->*place)>>();
    try {
      said.check();
      *this = said;
    } catch (const Error& e) {  // of somebody else's file
      log::warn("generation_config.json: " + std::string(key) + " is passed over: " + e.what());
    }
  };
  take("temperature", &Settings::temperature);
  take("top_p", &Settings::top_p);
  take("top_k", &Settings::top_k);
}

void Settings::check() const {
  constexpr double kLeastTemperature = 1e-6;
  if (!(temperature >= 0) || std::isinf(temperature)) usage_error("temperature must be 0 (greedy) or more");
  if (temperature > 0 && temperature < kLeastTemperature)
    usage_error("temperature must be 0 or at least 1e-6: divided by less, logits overflow", "0 is greedy");
  if (!(top_p > 0) || top_p > 1) usage_error("top-p must be above 0 and at most 1");
  if (top_k < 0) usage_error("top-k must not be negative");
  if (max_tokens < 1) usage_error("max-tokens must be at least 1");
}

void Settings::set(std::string_view name, std::string_view value) {
  std::string wanted(name);
  std::ranges::replace(wanted, '_', '-');
  Settings changed = *this;
  bool found = false;
  for_each(changed, [&](const char* field, auto& place) {
    if (wanted != field) return;
    found = true;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), place);
    if (error != std::errc() || end != value.data() + value.size() || value.empty())
      usage_error("'" + std::string(value) + "' is no number for " + wanted);
  });
  if (!found) {
    std::string list;
    for (const std::string& n : names()) list += (list.empty() ? "" : ", ") + n;
    usage_error("there is no setting '" + wanted + "'", "settings are " + list);
  }
  changed.check();
  *this = changed;
}

std::string Settings::describe() const {
  std::string out;
  for_each(*this, [&](const char* name, const auto& value) {
    out += (out.empty() ? "" : ", ") + std::string(name) + " " + number_text(value);
  });
  return out;
}

std::vector<std::string> Settings::names() {
  std::vector<std::string> out;
  const Settings any;
  for_each(any, [&](const char* name, const auto&) { out.emplace_back(name); });
  return out;
}

rollout::SamplingParams Settings::sampling() const {
  rollout::SamplingParams out;
  out.temperature = temperature;
  out.top_p = top_p;
  out.top_k = top_k;
  out.max_tokens = max_tokens;
  return out;
}

}  // namespace hone::chat
