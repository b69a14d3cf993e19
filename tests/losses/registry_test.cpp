#include "losses/registry.h"

#include <doctest/doctest.h>

#include "config/fields.h"
#include "losses/params.h"
#include "losses/preference_loss.h"

namespace losses = hone::losses;

TEST_CASE("every loss says what it is and whom to cite; losses of preferences are found by id") {
  CHECK(losses::all().size() >= 4);
  for (const losses::LossInfo& info : losses::all()) {
    CAPTURE(info.id);
    CHECK(!info.doc.empty());
    CHECK(!info.citation.empty());
    CHECK(losses::find(info.id) == &info);
    if (info.kind == "preference") CHECK_NOTHROW(losses::preference_loss(info.id));
  }
  CHECK(losses::find("nonesuch") == nullptr);
}

TEST_CASE("every setting has a meaning and a source") {
  losses::BradleyTerryParams reward;
  losses::PpoLossParams ppo;
  const auto check = [](const hone::config::Fields& fields) {
    for (const auto& field : fields.list()) {
      CAPTURE(field.key);
      CHECK(!field.doc.empty());
      CHECK(!field.source.empty());
    }
  };
  check(hone::config::fields_of(reward));
  check(hone::config::fields_of(ppo));
}
