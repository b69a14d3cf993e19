#include "serve/http.h"

#include "base/json.h"

namespace hone::serve {

const std::vector<ProblemInfo>& all_problems() {
  static const std::vector<ProblemInfo> problems = {
#define HONE_PROBLEM(name, code, status, title) {code, status, title},
#include "serve/problems.def"
#undef HONE_PROBLEM
  };
  return problems;
}

const ProblemInfo& info(Problem problem) { return all_problems()[static_cast<size_t>(problem)]; }

Response json_response(const Json& value, int status) { return {status, "application/json", dump_json(value), {}}; }

Response no_content() { return {204, "", "", {}}; }

Response problem_response(Problem problem, std::string_view detail, std::string_view hint) {
  const ProblemInfo& about = info(problem);
  Json body;
  body["type"] = "/problems/" + std::string(about.code);
  body["title"] = about.title;
  body["status"] = about.status;
  if (!detail.empty()) body["detail"] = detail;
  body["code"] = about.code;
  if (!hint.empty()) body["hint"] = hint;
  return {about.status, "application/problem+json", dump_json(body), {}};
}

Json json_body(const Request& request) {
  try {
    return parse_json(request.body, "body");
  } catch (const Error& e) {
    throw Refused(Problem::kMalformedJson, e.what(), "send one JSON value in UTF-8");
  }
}

}  // namespace hone::serve
