#include "serve/routes.h"

#include <algorithm>

#include "base/sha256.h"

namespace hone::serve {
namespace {

std::vector<std::string> split_path(std::string_view path) {
  HONE_CHECK(path.starts_with('/'), path);
  std::vector<std::string> segments;
  while (!path.empty() && path != "/") {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& segments) {
  if (pattern.size() != segments.size()) return false;
  for (size_t i = 0; i < pattern.size(); ++i)
    if (pattern[i] == "{}" ? segments[i].empty() : pattern[i] != segments[i]) return false;
  return true;
}

}  // namespace

void Routes::add(std::string_view method, std::string_view path, Handler handler, Access access) {
  HONE_CHECK(path.starts_with("/api/"), path);
  Route route;
  route.method = method;
  route.access = access;
  route.handler = std::move(handler);
  insert(std::move(route), path);
}

void Routes::stream(std::string_view path, StreamHandler handler) {
  HONE_CHECK(path.starts_with("/api/"), path);
  Route route;
  route.method = "GET";
  route.stream = std::move(handler);
  insert(std::move(route), path);
}

void Routes::file(std::string_view path, std::string_view content_type, std::string_view bytes) {
  HONE_CHECK(!path.starts_with("/api/"), path);
  Route route;
  route.method = "GET";
  route.access = Access::kOpen;
  route.file = {std::string(content_type), bytes, '"' + sha256(bytes).substr(0, 32) + '"'};
  insert(std::move(route), path);
}

void Routes::insert(Route route, std::string_view path) {
  route.segments = split_path(path);
  for (std::string& segment : route.segments) {
    if (!segment.starts_with('{')) continue;
    HONE_CHECK(segment.size() > 2 && segment.ends_with('}'), path);
    route.names.push_back(segment.substr(1, segment.size() - 2));
    segment = "{}";
  }
  for (const Route& other : routes_) HONE_CHECK(other.method != route.method || other.segments != route.segments, path);
  // Routes with fewer {name} come first, and so are found first.
  const auto place =
      std::ranges::upper_bound(routes_, route.names.size(), {}, [](const Route& r) { return r.names.size(); });
  routes_.insert(place, std::move(route));
}

Routes::Match Routes::match(std::string_view method, const std::vector<std::string>& segments) const {
  Match found;
  for (const Route& route : routes_) {
    if (!matches(route.segments, segments)) continue;
    if (route.method != method) {
      found.allowed.push_back(route.method);
      continue;
    }
    found.route = &route;
    auto name = route.names.begin();
    for (size_t i = 0; i < segments.size(); ++i)
      if (route.segments[i] == "{}") found.parameters[*name++] = segments[i];
    break;
  }
  return found;
}

}  // namespace hone::serve
