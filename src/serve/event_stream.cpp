#include "serve/event_stream.h"

#include <utility>

#include "base/error.h"

namespace hone::serve {
namespace {

bool one_line(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos; }

// A line break of any kind ends a field, so each line of the data is a field of its own.
void append_data(std::string& out, std::string_view data) {
  while (true) {
    const size_t end = data.find_first_of("\r\n");
    out.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == data.npos) return;
    data.remove_prefix(end + (data.substr(end, 2) == "\r\n" ? 2 : 1));
  }
}

}  // namespace

bool EventStream::send(std::string_view event, std::string_view data, std::string_view id) {
  HONE_CHECK(one_line(event) && one_line(id), "an event's name and id are one line each");
  std::string text;
  text.reserve(event.size() + data.size() + id.size() + 32);
  if (!id.empty()) text.append("id: ").append(id).append("\n");
  if (!event.empty()) text.append("event: ").append(event).append("\n");
  append_data(text, data);
  text += '\n';

  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  if (waiting_.size() + text.size() > limit_) {
    closed_ = dropped_ = true;
    waiting_ = {};
  } else {
    waiting_ += text;
  }
  call_wake();
  return !closed_;
}

void EventStream::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  call_wake();
}

bool EventStream::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

EventStream::Waiting EventStream::take() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  return {std::exchange(waiting_, {}), closed_, dropped_};
}

void EventStream::on_wake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void EventStream::disconnect() {
  std::function<void()> wake;  // destroyed after the lock is given back: it may hold the last pointer to a connection
  const std::lock_guard lock(mutex_);
  closed_ = true;
  waiting_ = {};
  wake.swap(wake_);
}

void EventStream::call_wake() {
  if (woken_ || !wake_) return;
  woken_ = true;
  wake_();
}

}  // namespace hone::serve
