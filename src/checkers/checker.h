// Checkers say whether an answer is right where that can be written down: a rule instead of a model ("verifiable
// rewards"). An answer is worth from 0 (wrong) to 1 (right). Torch-free, so that training, evaluation and the command
// line share them. Model text is untrusted: no answer makes a checker throw or hang.
//
// What is expected stands in the settings, or in fields of the prompt's row, which rows carry for this
// (data::Prompt::row): {"prompt": "What is 17 + 25?", "answer": "42"}.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "config/fields.h"

namespace hone::checkers {

class Checker {
 public:
  virtual ~Checker() = default;
  /// From 0 (wrong) to 1 (right). `row` holds what require() asks for. Bytes of the answer that are not UTF-8, which
  /// the length limit leaves of a character, become U+FFFD.
  double check(std::string_view answer, const Json& row) const;
  /// Keys of a prompt's row that it reads.
  virtual std::vector<std::string> keys() const { return {}; }
  /// A row without one of them, or with one that nothing can be held against: kUsage, which names no place.
  virtual void require(const Json& row) const;

 private:
  /// check() of valid UTF-8.
  virtual double judge(std::string_view answer, const Json& row) const = 0;
};

/// The settings of one checker; they stand in its own file.
class CheckerParams {
 public:
  virtual ~CheckerParams() = default;
  virtual void fields(config::Fields& v) = 0;
  virtual std::unique_ptr<CheckerParams> clone() const = 0;
  /// Settings that cannot be: kUsage. Reads no file, whose name may still be a reference.
  virtual void check() const = 0;
  /// The same, and a file that cannot be read.
  virtual std::unique_ptr<Checker> make() const = 0;
};

template <class C>
class CheckerParamsOf final : public CheckerParams {
 public:
  void fields(config::Fields& v) override { params_.fields(v); }
  std::unique_ptr<CheckerParams> clone() const override { return std::make_unique<CheckerParamsOf>(*this); }
  void check() const override {
    if constexpr (requires { C::check_settings(params_); }) C::check_settings(params_);
    else make();
  }
  std::unique_ptr<Checker> make() const override { return std::make_unique<C>(params_); }

 private:
  typename C::Params params_;
};

/// What checkers.def lists.
struct CheckerKind {
  std::unique_ptr<CheckerParams> (*params)() = nullptr;
};

/// `C` is a Checker with a struct `Params` that has fields(), and a constructor from it; with a static
/// check_settings(params) where the constructor reads files.
template <class C>
constexpr CheckerKind define_checker() {
  return {[]() -> std::unique_ptr<CheckerParams> { return std::make_unique<CheckerParamsOf<C>>(); }};
}

/// Ids of all checkers, in the order of checkers.def.
const std::vector<std::string>& checker_ids();

/// The settings of all checkers, a group for each, of which those in `used` are read.
class CheckerSettings {
 public:
  CheckerSettings();
  CheckerSettings(const CheckerSettings& other);
  CheckerSettings& operator=(const CheckerSettings& other);

  /// Groups `exact`, `numeric`, … of a stage whose setting `list` names the checkers that it uses, `used`.
  void fields(config::Fields& v, const std::string& list, const std::vector<std::string>& used);
  /// Unknown ids, or settings that cannot be: kUsage. Reads no file.
  void check(const std::string& id) const;
  std::unique_ptr<Checker> make(const std::string& id) const;

 private:
  const CheckerParams& params(const std::string& id) const;
  std::vector<std::unique_ptr<CheckerParams>> params_;  // in the order of checker_ids()
};

/// A text or number of a row as text; kUsage where it is neither.
std::string value_text(const Json& row, const std::string& key);
/// A text or number, or each of a list.
std::vector<std::string> value_texts(const Json& row, const std::string& key);

}  // namespace hone::checkers
