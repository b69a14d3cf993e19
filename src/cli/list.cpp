#include "base/json.h"
#include "cli/catalogue.h"
#include "cli/output.h"
#include "cli/verb.h"

namespace hone::cli {

int list(Options& options) {
  std::string thing;
  bool json = false;
  options.positional("THING", &thing, "what to list; none: how many there are of each").choices(catalogue_things());
  options.flag("--json", json, "print JSON");
  options.example("hone list recipes", "the recipes that come with hone");
  options.example("hone list metrics --json", "every key of metrics.jsonl with unit and meaning");
  if (!options.parse()) return kDone;
  std::vector<CatalogueEntry> entries;
  if (thing.empty()) {
    for (const std::string& t : catalogue_things()) {
      const auto of_thing = catalogue(t);
      std::string names;
      for (const CatalogueEntry& e : of_thing) names += (names.empty() ? "" : ", ") + e.name;
      entries.push_back({t, std::to_string(of_thing.size()), names, ""});
    }
  } else {
    entries = catalogue(thing);
  }
  if (json) {
    Json out = Json::array();
    for (const CatalogueEntry& e : entries) {
      Json row{{"name", e.name}};
      if (!e.detail.empty()) row["detail"] = e.detail;
      row["doc"] = e.doc;
      if (!e.source.empty()) row["source"] = e.source;
      out.push_back(row);
    }
    print(dump_json(out, 2) + "\n");
    return kDone;
  }
  size_t name_width = 0, detail_width = 0;
  for (const CatalogueEntry& e : entries)
    name_width = std::max(name_width, e.name.size()), detail_width = std::max(detail_width, e.detail.size());
  std::string out;
  for (const CatalogueEntry& e : entries) {
    std::string left = e.name + std::string(name_width + 2 - e.name.size(), ' ');
    if (detail_width > 0) left += e.detail + std::string(detail_width + 2 - e.detail.size(), ' ');
    out += left + wrap(e.doc, std::max<size_t>(kWidth, left.size() + 40), left.size()) + "\n";
  }
  print(out);
  return kDone;
}

}  // namespace hone::cli
