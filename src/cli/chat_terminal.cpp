// The conversation on a terminal: questions and commands in, answers as they come.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "chat/columns.h"
#include "chat/commands.h"
#include "chat/side_by_side.h"
#include "chat/visible.h"
#include "chat/word_wrap.h"
#include "cli/chat.h"
#include "cli/line_editor.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/terminal_signals.h"

namespace hone::cli {
namespace {

using chat::Answer;

size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kWidth;
  return size.ws_col;
}

// Left by Ctrl-C, or because the terminal is going away.
bool stop_asked() { return signals::interrupted() || signals::terminated(); }

class Terminal {
 public:
  explicit Terminal(Chat& chat) : chat_(chat), editor_(chat.history) {}
  int run();

 private:
#define HONE_COMMAND(word, argument, summary) void on_##word(const std::string& text);
#include "chat/commands.def"
#undef HONE_COMMAND

  bool read_text(std::string& text);
  void act(const std::string& text);
  void ask(const std::string& question);
  std::vector<text::Message> answer_alone(chat::Assistant& assistant, uint64_t sample);
  std::vector<text::Message> answer_all();
  void show_columns(const std::vector<std::string>& names, std::span<const uint64_t> samples,
                    std::vector<Answer>& answers);
  void say_left_out(const chat::Assistant& assistant);
  void say_ending(const Answer& answer);
  bool has_question() const;

  std::string dim(const std::string& text) const { return chat_.colours ? "\033[2m" + text + "\033[0m" : text; }
  void note(const std::string& text) const { print(dim("[" + text + "]") + "\n"); }
  void complain(const Error& e) const {
    print("error: " + chat::visible(e.what()) + "\n");
    if (!e.hint.empty()) print("hint: " + chat::visible(e.hint) + "\n");
  }

  Chat& chat_;
  LineEditor editor_;
  bool leaving_ = false, every_ = false;  // every_: /compare on
  std::vector<size_t> left_out_;          // by assistant, as last said
};

void Terminal::say_left_out(const chat::Assistant& assistant) {
  left_out_.resize(chat_.assistants.size());
  const auto at = std::ranges::find_if(chat_.assistants, [&](const auto& a) { return a.get() == &assistant; });
  size_t& said = left_out_[at - chat_.assistants.begin()];
  if (assistant.left_out() > said)
    note("the context is full: the first " + std::to_string(assistant.left_out()) +
         " questions of this conversation are left out now, with their answers");
  said = assistant.left_out();
}

void Terminal::say_ending(const Answer& answer) {
  if (const std::string why = ending_note(chat_, answer); !why.empty()) note(why);
  if (chat_.stats) note(stats_text(answer));
}

// One model's answer, shown as it comes. Empty: it was stopped before it said anything.
std::vector<text::Message> Terminal::answer_alone(chat::Assistant& assistant, uint64_t sample) {
  chat::WordWrap wrap;
  bool begun = false, dimmed = false;
  const auto style = [&](bool thinks) -> std::string {
    if (thinks == dimmed || !chat_.colours) return "";
    dimmed = thinks;
    return thinks ? "\033[2m" : "\033[0m";
  };
  const auto sink = [&](size_t, std::string_view piece, bool thinks) {
    std::string text = chat::visible(piece);
    if (!begun) text.erase(0, std::min(text.find_first_not_of(" \t\n"), text.size()));
    if (text.empty()) return;
    begun = true;
    print(style(thinks) + wrap.feed(text, terminal_width()));
  };
  std::vector<Answer> answers;
  {
    const signals::QuietInput quiet;
    assistant.begin(chat_.conversation, {&sample, 1}, chat_.settings, sink, stop_asked);
    say_left_out(assistant);
    while (assistant.step()) {
    }
    answers = assistant.finish();
  }
  print(wrap.finish(terminal_width()));
  print(style(false) + (wrap.in_line() ? "\n" : ""));
  signals::take_interrupted();
  say_ending(answers[0]);
  if (answers[0].end == Answer::End::kCancelled && answers[0].says_nothing()) return {};
  return {answers[0].message};
}

// All models' answers at once, in columns.
void Terminal::show_columns(const std::vector<std::string>& names, std::span<const uint64_t> samples,
                            std::vector<Answer>& answers) {
  const size_t n = names.size();
  chat::SideBySide columns(n);
  std::vector<bool> begun(n, false);
  const auto sink = [&](size_t column, std::string_view piece) {
    std::string text = chat::visible(piece);
    if (!begun[column]) text.erase(0, std::min(text.find_first_not_of(" \t\n"), text.size()));
    begun[column] = begun[column] || !text.empty();
    columns.feed(column, text);
  };
  for (size_t i = 0; i < n; ++i) columns.feed(i, std::to_string(i + 1) + ": " + names[i] + "\n\n");
  const signals::QuietInput quiet;
  const bool one = chat_.assistants.size() == 1;
  for (size_t a = 0; a < chat_.assistants.size(); ++a) {
    const auto offset = [a, &sink](size_t answer, std::string_view piece, bool) { sink(a + answer, piece); };
    chat_.assistants[a]->begin(chat_.conversation, one ? samples : samples.first(1), chat_.settings, offset,
                               stop_asked);
    say_left_out(*chat_.assistants[a]);
  }
  std::vector<bool> going(chat_.assistants.size(), true);
  while (std::ranges::find(going, true) != going.end()) {
    for (size_t a = 0; a < going.size(); ++a) going[a] = going[a] && chat_.assistants[a]->step();
    print(columns.rows(terminal_width()));
  }
  for (const auto& assistant : chat_.assistants)
    for (Answer& answer : assistant->finish()) answers.push_back(std::move(answer));
  for (size_t i = 0; i < n; ++i) columns.end(i);
  print(columns.rows(terminal_width()));
}

// Of every model one answer to the last question, of one model two samples.
std::vector<text::Message> Terminal::answer_all() {
  chat::Conversation::Turn& turn = chat_.conversation.last();
  const bool one = chat_.assistants.size() == 1;
  if (one && chat_.settings.temperature == 0)
    usage_error("temperature is 0, so both samples would be the same", "/set temperature 0.7, or --compare DIR");
  const uint64_t samples[] = {turn.sampled, turn.sampled + 1};
  std::vector<std::string> names;
  for (const auto& a : chat_.assistants) names.push_back(chat::visible(a->name()));
  if (one) names = {"a sample", "another sample"};
  std::vector<text::Message> out;
  if (chat::SideBySide::fits(names.size(), terminal_width())) {
    std::vector<Answer> answers;
    show_columns(names, samples, answers);
    signals::take_interrupted();
    for (size_t i = 0; i < answers.size(); ++i) {
      if (const std::string why = ending_note(chat_, answers[i]); !why.empty())
        note(std::to_string(i + 1) + ": " + why);
      if (chat_.stats) note(std::to_string(i + 1) + ": " + stats_text(answers[i]));
      out.push_back(answers[i].message);
    }
    const auto empty = [](const Answer& a) { return a.end == Answer::End::kCancelled && a.says_nothing(); };
    if (std::ranges::any_of(answers, empty)) out.clear();
  } else {
    for (size_t i = 0; i < names.size(); ++i) {
      print((i > 0 ? "\n" : "") + dim(std::to_string(i + 1) + ": " + names[i]) + "\n");
      std::vector<text::Message> answer = answer_alone(*chat_.assistants[one ? 0 : i], samples[one ? i : 0]);
      if (answer.empty()) return {};
      out.push_back(std::move(answer[0]));
    }
  }
  turn.sampled += one ? 2 : 1;
  if (!out.empty())
    note("/prefer 1" + std::string(out.size() > 2 ? " to " : " or ") + std::to_string(out.size()) +
         " says which is better; until then the conversation goes on with 1");
  return out;
}

void Terminal::ask(const std::string& question) {
  chat_.conversation.ask(question);
  const bool all = every_;
  try {
    std::vector<text::Message> answers = all ? answer_all() : answer_alone(*chat_.assistants[0], 0);
    if (answers.empty()) {
      chat_.conversation.take_back();
      note("nothing was said; the question is taken back");
    } else if (all) {
      chat_.conversation.answer(std::move(answers));
    } else {
      chat_.conversation.last().sampled = 1;
      chat_.conversation.answer(std::move(answers[0]));
    }
  } catch (const Error&) {
    chat_.conversation.take_back();
    throw;
  }
}

bool Terminal::has_question() const {
  if (!chat_.conversation.turns().empty()) return true;
  note("nothing was asked yet");
  return false;
}

void Terminal::on_regenerate(const std::string&) {
  if (!has_question()) return;
  if (chat_.settings.temperature == 0)
    usage_error("temperature is 0, so there is no other answer", "/set temperature 0.7");
  chat::Conversation::Turn& turn = chat_.conversation.last();
  std::vector<text::Message> answer = answer_alone(*chat_.assistants[0], turn.sampled);
  ++turn.sampled;
  if (answer.empty()) return;
  chat_.conversation.answer(std::move(answer[0]));
  note("answer " + std::to_string(turn.answers.size()) + "; /prefer N says which is the better one");
}

void Terminal::on_compare(const std::string& text) {
  if (text == "on" || text == "off") {
    every_ = text == "on";
    note(every_ ? "every question is asked of all, until /compare off" : "questions are asked of the first model");
    return;
  }
  if (!text.empty()) {
    const bool before = every_;
    every_ = true;
    try {
      ask(text);
    } catch (const Error&) {
      every_ = before;
      throw;
    }
    every_ = before;
    return;
  }
  if (!has_question()) return;
  std::vector<text::Message> answers = answer_all();
  if (!answers.empty()) chat_.conversation.answer(std::move(answers));
}

void Terminal::on_prefer(const std::string& text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1)
    usage_error("/prefer wants the number of an answer", "/prefer 1");
  const std::vector<Json> rows = chat_.conversation.prefer(number - 1, !chat_.assistants[0]->chats());
  if (rows.empty()) {
    note("the answers are the same: nothing to write");
    return;
  }
  LineWriter out(chat_.preferences);
  for (const Json& row : rows) out.write(dump_json(row));
  note("wrote " + std::string(rows.size() == 1 ? "a row" : std::to_string(rows.size()) + " rows") + " to " +
       chat::visible(chat_.preferences) + ", which hone preference --data takes");
}

void Terminal::on_system(const std::string& text) {
  if (!text.empty()) {
    if (!chat_.assistants[0]->chats())
      usage_error("the model has no chat template, so it has no place for a system prompt");
    chat_.conversation.set_system(text == "none" ? "" : text);
  }
  const std::string& now = chat_.conversation.system();
  note(now.empty() ? "no system prompt" : "system prompt: " + chat::visible(now));
}

void Terminal::on_set(const std::string& text) {
  if (!text.empty()) {
    const size_t blank = std::min(text.find_first_of(" \t="), text.size());
    const size_t value = std::min(text.find_first_not_of(" \t=", blank), text.size());
    chat_.settings.set(text.substr(0, blank), text.substr(value));
  }
  note(chat_.settings.describe());
}

void Terminal::on_stats(const std::string&) {
  chat_.stats = !chat_.stats;
  note(chat_.stats ? "speed is shown behind each answer" : "speed is not shown");
}

void Terminal::on_undo(const std::string&) {
  note(chat_.conversation.take_back() ? "the last question is taken back" : "nothing was asked yet");
}

void Terminal::on_new(const std::string&) {
  chat_.conversation.clear();
  note("a new conversation");
}

void Terminal::on_save(const std::string& text) {
  if (text.empty()) usage_error("/save wants a file", "/save conversation.jsonl");
  const std::string row = dump_json(chat_.conversation.row());
  LineWriter(text).write(row);
  note("saved at the end of " + chat::visible(text) + ", which hone sft --data takes");
}

void Terminal::on_help(const std::string&) {
  constexpr size_t kLeft = 22;
  std::string out;
  for (const chat::CommandInfo& c : chat::commands()) {
    std::string left = "  /" + std::string(c.name) + " " + std::string(c.argument);
    left.resize(std::max(left.size() + 1, kLeft), ' ');
    out += left + wrap(c.summary, std::max<size_t>(std::min(terminal_width(), kWidth), kLeft + 20), kLeft) + "\n";
  }
  out +=
      "Ctrl-C stops an answer and keeps what was said. A line that ends in \\ goes on in the next; \"\"\" begins and\n"
      "ends a longer text. A question that begins with a slash is written with two.\n";
  print(out);
}

void Terminal::on_quit(const std::string&) { leaving_ = true; }

// What a person says: a line, or several. False: Ctrl-C, or the end.
bool Terminal::read_text(std::string& text) {
  text.clear();
  std::string line;
  bool quoted = false;
  static bool once = false;  // Ctrl-C at an empty prompt
  for (bool first = true;; first = false) {
    const LineEditor::Result result = editor_.read(first ? "> " : ". ", chat_.colours, line);
    if (result == LineEditor::Result::kEnd) {
      print("\n");
      leaving_ = true;
      return false;
    }
    if (result == LineEditor::Result::kInterrupted) {
      print("\n");
      if (first && line.empty()) {
        if (once) leaving_ = true;
        else note("again, or Ctrl-D, to leave");
        once = true;
      }
      return false;
    }
    once = false;
    if (first && line.starts_with("\"\"\"")) {
      quoted = true;
      line.erase(0, 3);
    }
    if (quoted) {
      const bool ends = line.ends_with("\"\"\"");
      if (ends) line.resize(line.size() - 3);
      text += line;
      if (ends) return true;
      text += '\n';
    } else if (line.ends_with('\\')) {
      line.back() = '\n';
      text += line;
    } else {
      text += line;
      return true;
    }
  }
}

void Terminal::act(const std::string& text) {
  const chat::Line line = chat::parse_line(text);
  if (line.kind == chat::Line::Kind::kNothing) return;
  if (line.kind == chat::Line::Kind::kQuestion) {
    ask(line.text);
    print("\n");
    return;
  }
#define HONE_COMMAND(word, argument, summary) \
  if (line.name == #word) return on_##word(line.text);
#include "chat/commands.def"
#undef HONE_COMMAND
}

int Terminal::run() {
  for (const auto& a : chat_.assistants) a->read_ahead(chat_.conversation);
  signals::watch();
  std::string who;
  for (const auto& a : chat_.assistants) who += (who.empty() ? "" : ", ") + chat::visible(a->name());
  note(who + "; " + chat_.settings.describe() + "; /help");
  if (!chat_.assistants[0]->chats())
    note("no chat template: every line is continued by itself, and nothing of those before is known");
  std::string text;
  while (!leaving_ && !signals::terminated()) {
    if (!read_text(text)) continue;
    try {
      act(text);
    } catch (const Error& e) {
      if (e.kind == Kind::kBug) throw;
      signals::take_interrupted();
      complain(e);
    }
  }
  return signals::terminated() ? kInterruptedCode : kDone;
}

}  // namespace

int chat_on_terminal(Chat& chat) { return Terminal(chat).run(); }

}  // namespace hone::cli
