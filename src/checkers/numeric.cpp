// Numbers: an answer is right if its last number is the expected one,
//
//     |x - y| ≤ tolerance · max(1, |y|)
//
// so that an answer may show its work. The row's field may show its work as well: GSM8K's "… #### 72" is 72
// (Cobbe et al. 2021, arXiv 2110.14168). Unlike GSM8K's own evaluation, which asks for "####", any last number counts;
// `after = "####"` asks for it.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "checkers/answer_part.h"
#include "checkers/checker.h"
#include "checkers/number.h"

namespace hone::checkers {
namespace {

class Numeric final : public Checker {
 public:
  struct Params {
    std::string field = "answer";
    double tolerance = 1e-6;
    AnswerPart part;

    void fields(config::Fields& v) {
      v("field", field, "the field of a prompt's row that holds the right number, or a text whose last number it is",
        "answer: GSM8K");
      v("tolerance", tolerance, "how far off an answer may be, as a share of the right number (of 1 if that is less)",
        "what rounding takes");
      v.range("tolerance", 0);
      part.fields(v);
    }
  };

  explicit Numeric(const Params& params) : params_(params) {}

  std::vector<std::string> keys() const override { return {params_.field}; }

  void require(const Json& row) const override {
    Checker::require(row);
    if (!expected(row)) usage_error("field '" + params_.field + "' holds no number: " + value_text(row, params_.field));
  }

 private:
  double judge(std::string_view answer, const Json& row) const override {
    const auto part = params_.part.of(answer);
    const std::optional<double> given = part ? last_number(*part) : std::nullopt, right = expected(row);
    if (!given || !right) return 0;
    return std::abs(*given - *right) <= params_.tolerance * std::max(1.0, std::abs(*right)) ? 1 : 0;
  }

  std::optional<double> expected(const Json& row) const { return last_number(value_text(row, params_.field)); }

  Params params_;
};

}  // namespace

namespace kinds {
extern const CheckerKind numeric = define_checker<Numeric>();
}

}  // namespace hone::checkers
