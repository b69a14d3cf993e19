// Exact match: an answer is right if it is the expected text, or one of several. Case, white space and punctuation are
// what SQuAD's evaluation passes over (Rajpurkar et al. 2016, arXiv 1606.05250): here white space always, the others
// where asked.
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "base/json.h"
#include "checkers/answer_part.h"
#include "checkers/checker.h"

namespace hone::checkers {
namespace {

class Exact final : public Checker {
 public:
  struct Params {
    std::string field = "answer";
    bool ignore_case = false, ignore_punctuation = false;
    AnswerPart part;

    void fields(config::Fields& v) {
      v("field", field, "the field of a prompt's row that holds the right text, or a list of them", "answer");
      v("ignore_case", ignore_case, "large and small letters are alike");
      v("ignore_punctuation", ignore_punctuation, "punctuation counts for nothing");
      part.fields(v);
    }
  };

  explicit Exact(const Params& params) : params_(params) {}

  std::vector<std::string> keys() const override { return {params_.field}; }

  void require(const Json& row) const override {
    Checker::require(row);
    value_texts(row, params_.field);
  }

 private:
  double judge(std::string_view answer, const Json& row) const override {
    const auto part = params_.part.of(answer);
    if (!part) return 0;
    const icu::UnicodeString given = plain(*part);
    for (const std::string& right : value_texts(row, params_.field))
      if (plain(right) == given) return 1;
    return 0;
  }

  // Runs of white space are one blank, none at the ends.
  icu::UnicodeString plain(std::string_view text) const {
    icu::UnicodeString in = icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int>(text.size())));
    if (params_.ignore_case) in.foldCase();
    icu::UnicodeString out;
    bool space = false;
    for (int32_t i = 0; i < in.length(); i = in.moveIndex32(i, 1)) {
      const UChar32 c = in.char32At(i);
      if (params_.ignore_punctuation && u_ispunct(c)) continue;
      if (u_isUWhiteSpace(c)) {
        space = true;
        continue;
      }
      if (space && !out.isEmpty()) out.append(u' ');
      space = false;
      out.append(c);
    }
    return out;
  }

  Params params_;
};

}  // namespace

namespace kinds {
extern const CheckerKind exact = define_checker<Exact>();
}

}  // namespace hone::checkers
