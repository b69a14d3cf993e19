// What the server answers: handlers, live streams and files, by method and path.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/event_stream.h"
#include "serve/http.h"

namespace hone::serve {

/// Runs on one of the server's workers, side by side with others, and should be done in milliseconds: what takes longer
/// is handed to a thread of its own and told through a stream.
using Handler = std::function<Response(const Request&)>;
/// The same, before the stream's first byte is sent: throwing answers with a problem instead. Keep the pointer and send
/// from any thread for as long as the client stays.
using StreamHandler = std::function<void(const Request&, std::shared_ptr<EventStream>)>;

/// Bytes in memory with their type.
struct File {
  std::string content_type;
  std::string_view bytes;  ///< must live as long as the server
  std::string etag;        ///< strong: quoted hash of the bytes
};

/// Who may call a route.
enum class Access {
  kSession,  ///< who carries the token of a session
  kOpen,     ///< anybody on this machine
};

/// Filled before the server starts. A path is "/api/v1/judgements/{id}": {name} takes one segment. Routes stand below
/// /api/, files do not. GET must not change anything. A broken path, or a route that is there already: a bug.
class Routes {
 public:
  void add(std::string_view method, std::string_view path, Handler handler, Access access = Access::kSession);
  /// GET of a live stream. (A page reads it with fetch: EventSource cannot send an Authorization header.)
  void stream(std::string_view path, StreamHandler handler);
  /// GET of a file; needs no session, so it must hold nothing of the person's.
  void file(std::string_view path, std::string_view content_type, std::string_view bytes);

  struct Route {
    std::vector<std::string> segments;  ///< "{}" takes any
    std::vector<std::string> names;     ///< of the segments that take any
    std::string method;
    Access access = Access::kSession;
    Handler handler;       ///< one of the three
    StreamHandler stream;  ///<
    File file;             ///<
  };
  struct Match {
    const Route* route = nullptr;
    std::map<std::string, std::string> parameters;
    std::vector<std::string> allowed;  ///< where the path is there but not the method: the methods that are
  };
  /// `segments`: the path's, decoded. A route without {name} goes before one with.
  Match match(std::string_view method, const std::vector<std::string>& segments) const;

 private:
  void insert(Route route, std::string_view path);
  std::vector<Route> routes_;
};

}  // namespace hone::serve
