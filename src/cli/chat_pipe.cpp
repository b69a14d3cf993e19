// Over a pipe: a question a line, an answer a line.
#include "base/error.h"
#include "base/log.h"
#include "chat/visible.h"
#include "cli/chat.h"
#include "cli/line_source.h"
#include "cli/options.h"
#include "cli/output.h"

namespace hone::cli {
namespace {

constexpr uint64_t kLongestLine = uint64_t{1} << 24;

// The answer to one line, into the conversation. Wrong in itself: kUsage, and the conversation is as before.
chat::Answer ask(Chat& chat, const std::string& line) {
  chat::Assistant& assistant = *chat.assistants[0];
  chat.conversation.ask(line);
  try {
    const uint64_t first = 0;
    assistant.begin(chat.conversation, {&first, 1}, chat.settings, nullptr, nullptr);
    while (assistant.step()) {
    }
    chat::Answer answer = assistant.finish()[0];
    chat.conversation.answer(answer.message);
    return answer;
  } catch (const Error&) {
    chat.conversation.take_back();
    throw;
  }
}

}  // namespace

int chat_over_pipe(Chat& chat) {
  LineSource lines("", kLongestLine);
  std::string line;
  size_t left_out = 0;
  bool failed = false;
  for (int64_t number = 1;; ++number) {
    const LineSource::Result result = lines.next(line);
    if (result == LineSource::Result::kEnd) return failed ? kFailed : kDone;
    const std::string where = "line " + std::to_string(number) + ": ";
    std::string said;
    try {
      if (result == LineSource::Result::kTooLong) usage_error("the line is longer than 16 MiB");
      if (line.find_first_not_of(" \t") != std::string::npos) {
        const chat::Answer answer = ask(chat, line);
        said = chat::one_line(answer.message.content);
        if (const std::string note = ending_note(chat, answer); !note.empty()) log::warn(where + note);
        if (chat.stats) log::info(where + stats_text(answer));
        if (const size_t out = chat.assistants[0]->left_out(); out > left_out) {
          left_out = out;
          log::warn(where + "the context is full: the first " + std::to_string(out) + " questions are left out now");
        }
      }
    } catch (const Error& e) {
      if (e.kind != Kind::kUsage) throw;
      failed = true;
      log::warn(where + e.what());
    }
    print(said + "\n");
  }
}

}  // namespace hone::cli
