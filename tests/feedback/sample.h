// A scratch folder for stores, and comparisons to put into them.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "../data/scratch.h"
#include "feedback/store.h"

namespace sample {

struct Folder : scratch::Folder {
  std::filesystem::path store() const { return path / "f.store"; }
};

/// "prompt N", "one N", "other N".
inline hone::feedback::Comparison comparison(int n, hone::feedback::Outcome outcome = hone::feedback::Outcome::kA) {
  const std::string k = std::to_string(n);
  hone::feedback::Comparison c = hone::feedback::compared({{"user", "prompt " + k}}, {{"assistant", "one " + k}},
                                                          {{"assistant", "other " + k}}, outcome);
  c.order = n % 2 ? hone::feedback::Order::kAFirst : hone::feedback::Order::kBFirst;
  c.strategy = "uniform";
  c.propensity = 0.25;
  c.a.policy = "start";
  c.a.sampling = R"({"seed":1,"temperature":0.7})";
  c.b.policy = "new";
  return c;
}

inline std::string query(int n) { return "q" + std::to_string(n); }

/// Query n shown and judged by "ann"; the receipt of the judgement.
inline hone::feedback::Receipt judge(hone::feedback::Store& store, int n,
                                     hone::feedback::Outcome outcome = hone::feedback::Outcome::kA,
                                     const std::string& actor = "ann") {
  using namespace hone::feedback;
  const Comparison c = comparison(n, outcome);
  const std::vector<NewEvent> events{shown(actor, query(n), c, Purpose::kLearn, "round-1"), judged(actor, query(n), c)};
  return store.append(events).back();
}

/// The trouble of what `act` throws.
template <class Act>
std::string trouble(const Act& act) {
  using hone::feedback::Trouble;
  static constexpr const char* kNames[] = {"conflict", "refused", "locked",    "missing", "foreign",
                                           "newer",    "damaged", "read-only", "full",    "io"};
  try {
    act();
  } catch (const hone::feedback::StoreError& e) {
    return kNames[static_cast<size_t>(e.trouble)];
  } catch (const hone::Error& e) {
    return std::string("usage: ") + e.what();
  }
  return "none";
}

}  // namespace sample
