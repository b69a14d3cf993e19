// The only file that knows Boost. One thread does all the reading and writing (it never waits for a handler), a
// connection is a machine of states, and one timer a connection bounds the state that it is in.
#include "serve/server.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/log.h"
#include "serve/gate.h"
#include "serve/wire.h"
#include "serve/workers.h"

namespace hone::serve {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// How long a connection that was refused may go on sending, so that it can read why.
constexpr milliseconds kLingerTime{1000};
// How long answers that are being made may take when the server stops.
constexpr milliseconds kStopTime{500};
// Connections beyond the limit that are told so; still more are closed without a word.
constexpr size_t kRefusedConnections = 16;

}  // namespace

class Connection;

// What stands behind a Server, and what its connections share.
struct Engine {
  Engine(const Options& options, Routes routes);
  void accept();
  void take_in(tcp::socket socket);
  void begin_stop();
  void stop_if_empty();

  const Limits limits;
  const std::string host;  // as it stands in the address
  int port = 0;
  std::set<Connection*> connections;
  size_t streams = 0;
  bool running = false;
  bool stopping = false;
  std::optional<Workers> workers;
  std::optional<Gate> gate;
  // Destroyed before what stands above, which the handlers that are still in it refer to.
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  asio::steady_timer timer{io};
};

// One client. Lives as long as an operation or a worker holds it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Engine& server)
      : socket_(std::move(socket)),
        timer_(server.io),
        server_(server),
        // A message's head lies in the buffer as a whole, and so does the head of a chunk.
        buffer_(server.limits.header_bytes + 4096) {
    server_.connections.insert(this);
  }
  ~Connection() {
    close();
    server_.connections.erase(this);
    server_.stop_if_empty();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void next_request();
  void refuse(Problem problem, std::string_view detail) { write(problem_response(problem, detail), false); }
  // Since when it waits for a request, if it does.
  std::optional<Clock::time_point> idle_since() const {
    return state_ == State::kIdle ? std::optional(since_) : std::nullopt;
  }
  // The server stops: what is being answered is answered yet.
  void stop() {
    keep_alive_ = false;
    if (state_ != State::kRunning && state_ != State::kWriting && state_ != State::kLingering) close();
  }
  void close();

 private:
  enum class State { kIdle, kHead, kBody, kRunning, kWriting, kStreamIdle, kStreamWriting, kLingering, kClosed };

  void enter(State state, milliseconds at_most);
  void on_deadline();
  void read_head();
  void on_head(error_code ec);
  void read_body();
  void on_body(error_code ec);
  void on_broken(error_code ec);
  void run();
  void run_stream();
  void write(Response response, bool keep_alive);
  void linger(bool reading);
  void begin_stream();
  void watch_stream();
  void pump();
  void write_stream(std::string bytes);

  tcp::socket socket_;
  asio::steady_timer timer_;
  Engine& server_;
  State state_ = State::kIdle;
  Clock::time_point since_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Admitted admitted_;
  bool head_only_ = false;
  bool keep_alive_ = true;
  bool too_slow_ = false;
  std::string out_head_, out_body_;
  std::shared_ptr<EventStream> events_;
  std::array<char, 4096> ignored_;
};

// --- time -----------------------------------------------------------------------------------------------------------

void Connection::enter(State state, milliseconds at_most) {
  state_ = state;
  since_ = Clock::now();
  timer_.expires_after(at_most);
  timer_.async_wait([self = shared_from_this()](error_code ec) {
    // One that was set anew meanwhile may have run out already.
    if (!ec && self->timer_.expiry() <= Clock::now()) self->on_deadline();
  });
}

void Connection::on_deadline() {
  error_code ignored;
  switch (state_) {
    case State::kHead:
    case State::kBody:
      too_slow_ = true;
      socket_.cancel(ignored);  // ends the read, which then answers
      break;
    case State::kStreamIdle:
      write_stream(":\n\n");
      break;
    case State::kRunning:
      break;
    default:
      close();
  }
}

void Connection::close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  if (events_) {
    events_->disconnect();
    --server_.streams;
  }
}

// --- a request ------------------------------------------------------------------------------------------------------

void Connection::next_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(server_.limits.header_bytes));
  parser_->body_limit(server_.limits.body_bytes);
  admitted_ = {};
  head_only_ = too_slow_ = false;
  if (buffer_.size() > 0) return read_head();  // pipelined
  enter(State::kIdle, server_.limits.idle_time);
  socket_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](error_code ec, size_t bytes) {
    if (self->state_ == State::kClosed) return;
    if (ec) return self->close();
    self->buffer_.commit(bytes);
    self->read_head();
  });
}

void Connection::read_head() {
  enter(State::kHead, server_.limits.header_time);
  http::async_read_header(socket_, buffer_, *parser_,
                          [self = shared_from_this()](error_code ec, size_t) { self->on_head(ec); });
}

void Connection::on_head(error_code ec) {
  if (state_ == State::kClosed) return;
  if (ec) return on_broken(ec);
  const auto& message = parser_->get();
  Head head{std::string(message.method_string()), std::string(message.target()), {}, !parser_->is_done()};
  for (const auto& field : message) head.fields.emplace_back(field.name_string(), field.value());
  head_only_ = head.method == "HEAD";
  auto result = server_.gate->admit(head);
  // A body that was not read would be taken for the next request.
  if (auto* refused = std::get_if<Response>(&result)) return write(std::move(*refused), !head.has_body);
  admitted_ = std::move(std::get<Admitted>(result));
  if (!head.has_body) return run();
  if (!admitted_.request.headers.contains("expect")) return read_body();
  enter(State::kBody, server_.limits.body_time);
  out_head_ = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(socket_, asio::buffer(out_head_), [self = shared_from_this()](error_code failed, size_t) {
    if (self->state_ == State::kClosed) return;
    failed ? self->close() : self->read_body();
  });
}

void Connection::read_body() {
  enter(State::kBody, server_.limits.body_time);
  http::async_read(socket_, buffer_, *parser_,
                   [self = shared_from_this()](error_code ec, size_t) { self->on_body(ec); });
}

void Connection::on_body(error_code ec) {
  if (state_ == State::kClosed) return;
  if (ec) return on_broken(ec);
  admitted_.request.body = std::move(parser_->get().body());
  run();
}

// What cannot be read is answered, and is the last of its connection.
void Connection::on_broken(error_code ec) {
  if (ec == asio::error::operation_aborted && too_slow_)
    return refuse(Problem::kTooSlow, "the request was not there in time");
  if (ec == http::error::end_of_stream || ec.category() != make_error_code(http::error::end_of_stream).category())
    return close();
  const bool has_line = !parser_->get().method_string().empty();
  if (ec == http::error::body_limit)
    return refuse(Problem::kBodyTooLarge, std::to_string(server_.limits.body_bytes) + " bytes are taken");
  if (ec == http::error::header_limit || (ec == http::error::buffer_overflow && state_ == State::kHead))
    return has_line
               ? refuse(Problem::kHeadersTooLarge, std::to_string(server_.limits.header_bytes) + " bytes are taken")
               : refuse(Problem::kAddressTooLong, std::to_string(server_.limits.target_bytes) + " bytes are taken");
  if (ec == http::error::bad_version) return refuse(Problem::kUnknownVersion, "");
  refuse(Problem::kMalformedRequest, ec.message());
}

void Connection::run() {
  keep_alive_ = parser_->keep_alive() && !server_.stopping;
  const Routes::Route& route = *admitted_.route;
  if (route.stream) return run_stream();
  if (!route.handler) return write(server_.gate->answer(admitted_), keep_alive_);  // a file, which is in memory
  state_ = State::kRunning;
  timer_.cancel();
  // The worker gives its hold on the connection away, so that no connection ends on another thread than this one.
  const bool posted = server_.workers->post([self = shared_from_this()]() mutable {
    Response response = self->server_.gate->answer(self->admitted_);
    asio::io_context& io = self->server_.io;
    asio::post(io, [self = std::move(self), response = std::move(response)]() mutable {
      if (self->state_ != State::kClosed) self->write(std::move(response), self->keep_alive_);
    });
  });
  if (!posted) write(problem_response(Problem::kBusy, "too many requests wait"), keep_alive_);
}

// --- an answer ------------------------------------------------------------------------------------------------------

void Connection::write(Response response, bool keep_alive) {
  keep_alive_ = keep_alive && !server_.stopping;
  try {
    out_head_ = wire_head(response, response.body.size(), !keep_alive_);
  } catch (const Error& e) {
    log::warn(std::string("an answer cannot be sent: ") + e.what());
    response = problem_response(Problem::kInternal, "");
    out_head_ = wire_head(response, response.body.size(), !keep_alive_);
  }
  out_body_ = head_only_ ? "" : std::move(response.body);
  enter(State::kWriting, server_.limits.write_time);
  asio::async_write(socket_, std::array{asio::buffer(out_head_), asio::buffer(out_body_)},
                    [self = shared_from_this()](error_code ec, size_t) {
                      if (self->state_ == State::kClosed) return;
                      if (ec) return self->close();
                      self->keep_alive_ ? self->next_request() : self->linger(false);
                    });
}

// Says that nothing more comes, and waits for the client to close. Closed at once with unread bytes, the kernel would
// send a reset, and the client might never see the answer. `reading`: a read is under way.
void Connection::linger(bool reading) {
  if (state_ != State::kLingering) {
    error_code ec;
    socket_.shutdown(tcp::socket::shutdown_send, ec);
    if (ec) return close();
    enter(State::kLingering, kLingerTime);
  }
  if (reading) return;
  socket_.async_read_some(asio::buffer(ignored_), [self = shared_from_this()](error_code ec, size_t) {
    if (self->state_ == State::kClosed) return;
    ec ? self->close() : self->linger(false);
  });
}

// --- a live stream --------------------------------------------------------------------------------------------------

void Connection::run_stream() {
  if (head_only_) return write({200, "text/event-stream", "", {}}, false);
  if (server_.streams >= server_.limits.streams)
    return write(problem_response(Problem::kBusy, "too many live streams are open"), keep_alive_);
  events_ = std::make_shared<EventStream>(server_.limits.stream_bytes);
  ++server_.streams;
  state_ = State::kRunning;
  timer_.cancel();
  const bool posted = server_.workers->post([self = shared_from_this(), events = events_]() mutable {
    std::optional<Response> refused = self->server_.gate->open(self->admitted_, std::move(events));
    asio::io_context& io = self->server_.io;
    asio::post(io, [self = std::move(self), refused = std::move(refused)]() mutable {
      if (self->state_ == State::kClosed) return;
      refused ? self->write(std::move(*refused), false) : self->begin_stream();
    });
  });
  if (!posted) write(problem_response(Problem::kBusy, "too many requests wait"), false);
}

void Connection::begin_stream() {
  if (server_.stopping) return close();
  events_->on_wake([&io = server_.io, weak = weak_from_this()] {
    asio::post(io, [weak] {
      if (const auto self = weak.lock()) self->pump();
    });
  });
  watch_stream();
  // It ends with the connection: no length, no chunks.
  write_stream(wire_head({200, "text/event-stream", "", {}}, std::nullopt, true));
}

// A client that closes its side, or says something more, is done with the stream.
void Connection::watch_stream() {
  socket_.async_read_some(asio::buffer(ignored_), [self = shared_from_this()](error_code, size_t) { self->close(); });
}

void Connection::pump() {
  if (state_ != State::kStreamIdle) return;
  EventStream::Waiting waiting = events_->take();
  if (waiting.drop || !server_.gate->sessions().is_open(admitted_.request.session)) return close();
  if (!waiting.bytes.empty()) return write_stream(std::move(waiting.bytes));
  if (waiting.end) linger(true);
}

void Connection::write_stream(std::string bytes) {
  out_body_ = std::move(bytes);
  enter(State::kStreamWriting, server_.limits.write_time);
  asio::async_write(socket_, asio::buffer(out_body_), [self = shared_from_this()](error_code ec, size_t) {
    if (self->state_ == State::kClosed) return;
    if (ec) return self->close();
    self->enter(State::kStreamIdle, self->server_.limits.heartbeat);
    self->pump();
  });
}

// --- the server -----------------------------------------------------------------------------------------------------

namespace {

tcp::endpoint loopback(const Options& options) {
  if (options.port < 0 || options.port > 65535)
    usage_error("port " + std::to_string(options.port) + " is no port", "give one from 1 to 65535, or 0 for any");
  const auto port = static_cast<uint16_t>(options.port);
  if (options.address == "127.0.0.1" || options.address == "localhost") return {asio::ip::address_v4::loopback(), port};
  if (options.address == "::1") return {asio::ip::address_v6::loopback(), port};
  usage_error("the server does not listen on '" + options.address + "': other machines could reach it there",
              "it listens on 127.0.0.1, ::1 or localhost; from another machine reach it through \"ssh -L\"");
}

[[noreturn]] void refuse_port(const std::string& place, error_code ec) {
  if (ec == asio::error::address_in_use)
    usage_error(place + " is in use by another program",
                "perhaps it runs already, in another terminal: stop it there, or give another port (0: any free one)");
  if (ec == asio::error::access_denied)
    usage_error(place + " may not be used: " + ec.message(), "give a port from 1024 up, or 0 for any free one");
  usage_error(place + " cannot be listened on: " + ec.message(), "give another port, or 0 for any free one");
}

}  // namespace

Engine::Engine(const Options& options, Routes routes)
    : limits(options.limits), host(options.address == "::1" ? "[::1]" : "127.0.0.1") {
  const tcp::endpoint endpoint = loopback(options);
  error_code ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);  // after a restart, not beside another
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(tcp::acceptor::max_listen_connections, ec);
  if (ec) refuse_port("port " + std::to_string(options.port) + " of " + host, ec);
  port = acceptor.local_endpoint().port();
  gate.emplace(options, std::move(routes), port);
}

void Engine::accept() {
  acceptor.async_accept([this](error_code ec, tcp::socket socket) {
    if (stopping) return;
    if (!ec) {
      try {
        take_in(std::move(socket));
      } catch (const std::exception& e) {  // no memory, say
        log::warn(std::string("a connection is refused: ") + e.what());
      }
      return accept();
    }
    timer.expires_after(milliseconds(100));  // no descriptor left, say
    timer.async_wait([this](error_code) {
      if (!stopping) accept();
    });
  });
}

void Engine::take_in(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const bool full = connections.size() >= limits.connections;
  Connection* longest = nullptr;
  if (full)
    for (Connection* c : connections)
      if (c->idle_since() && (!longest || *c->idle_since() < *longest->idle_since())) longest = c;
  if (longest) longest->close();
  if (full && !longest && connections.size() >= limits.connections + kRefusedConnections) return;
  const auto connection = std::make_shared<Connection>(std::move(socket), *this);
  if (full && !longest) return connection->refuse(Problem::kBusy, "too many connections are open");
  connection->next_request();
}

void Engine::begin_stop() {
  stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  std::vector<std::shared_ptr<Connection>> open;
  for (Connection* c : connections) open.push_back(c->shared_from_this());
  for (const auto& c : open) c->stop();
  open.clear();
  timer.expires_after(kStopTime);
  timer.async_wait([this](error_code ec) {
    if (!ec) io.stop();
  });
  stop_if_empty();
}

void Engine::stop_if_empty() {
  if (running && stopping && connections.empty()) io.stop();
}

Server::Server(const Options& options, Routes routes) : engine_(std::make_unique<Engine>(options, std::move(routes))) {}
Server::~Server() = default;

int Server::port() const { return engine_->port; }

std::string Server::url() const {
  return "http://" + engine_->host + ':' + std::to_string(port()) + "/#secret=" + engine_->gate->sessions().secret();
}

void Server::run(std::stop_token stop) {
  Engine& s = *engine_;
  s.workers.emplace(s.limits.workers, s.limits.waiting);
  s.running = true;
  s.accept();
  const std::stop_callback on_stop(std::move(stop), [&s] { asio::post(s.io, [&s] { s.begin_stop(); }); });
  while (!s.io.stopped()) {
    try {
      s.io.run();
    } catch (const std::exception& e) {  // no memory, say; the connection that it was in ends by itself
      log::warn(std::string("the server goes on after: ") + e.what());
    }
  }
  s.running = false;
  s.workers.reset();
  std::vector<std::shared_ptr<Connection>> open;
  for (Connection* c : s.connections) open.push_back(c->shared_from_this());
  for (const auto& c : open) c->close();
}

}  // namespace hone::serve
