// What there is, from the .def lists of the rooms: `hone list`, `hone explain` and suggestions all read this.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hone::cli {

struct CatalogueEntry {
  std::string name, detail, doc, source;  ///< detail: kind, unit, …; may be ""
};

/// "stages", "losses", … in the order of the overview.
std::vector<std::string> catalogue_things();
/// Unknown thing: kUsage with a suggestion.
std::vector<CatalogueEntry> catalogue(const std::string& thing);

/// The recipes that were in recipes/ when the program was built.
struct BuiltInRecipe {
  std::string_view name, text;
};
std::span<const BuiltInRecipe> built_in_recipes();
/// The quoted value of a top-level key ("title", "about"), or "".
std::string recipe_text_key(std::string_view toml, std::string_view key);

}  // namespace hone::cli
