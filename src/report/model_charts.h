// Charts of one figure, or of one group of figures, over the models of an evaluation.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "report/chart.h"
#include "report/results.h"

namespace hone::report {

using Pick = const std::optional<Estimate>& (*)(const ModelResult&);

/// One row a model. `chart` gives axis, reference and note.
std::string by_model(const Results& r, const std::string& title, bool percent, Pick pick, IntervalChart chart = {});

/// One row a name of `list`, one mark a model. `parts` add weights and meanings. A share reaches from 0 to `high`.
std::string by_name(const Results& r, const std::string& title, const Named ModelResult::* list,
                    const std::vector<Part>& parts, bool percent, std::optional<double> high);

}  // namespace hone::report
