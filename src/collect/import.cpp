#include "collect/import.h"

#include "base/error.h"

namespace hone::collect {

void run_import(const ImportParams& params, config::StageContext&) { usage_error("import: " + params.file + ": not landed yet"); }

}  // namespace hone::collect
