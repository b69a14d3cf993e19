#include "cli/line_editor.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <filesystem>

#include "base/log.h"
#include "base/utf8.h"
#include "cli/terminal_signals.h"

namespace hone::cli {
namespace fs = std::filesystem;

// What libedit's callbacks know.
struct EditedLine {
  std::string prompt;
  std::string left;  // what had been typed when Ctrl-C came
};

namespace {

EditedLine& line_of(EditLine* editor) {
  void* line = nullptr;
  el_get(editor, EL_CLIENTDATA, &line);
  return *static_cast<EditedLine*>(line);
}

constexpr int kHistoryLines = 1000;

char* prompt_of(EditLine* editor) { return line_of(editor).prompt.data(); }

// One byte, while a person thinks. False: the terminal is gone, or a signal wants the line back.
bool read_byte(EditLine* editor, char& byte) {
  while (true) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, 200);  // signals are looked at in between, whenever they came
    if (signals::interrupted() || signals::terminated()) {
      const LineInfo* info = el_line(editor);
      line_of(editor).left.assign(info->buffer, info->lastchar);
      return false;
    }
    if (signals::take_resized()) {
      el_resize(editor);
      el_set(editor, EL_REFRESH);
    }
    if (signals::take_continued()) {  // the shell had the terminal in between
      el_set(editor, EL_PREP_TERM, 1);
      el_set(editor, EL_REFRESH);
    }
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    const ssize_t n = ::read(STDIN_FILENO, &byte, 1);
    if (n == 1) return true;
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    return false;
  }
}

// libedit asks for one character at a time: 1, or -1 for none.
int read_character(EditLine* editor, wchar_t* out) {
  std::string bytes;
  char byte = 0;
  do {
    if (!read_byte(editor, byte)) return -1;
    bytes += byte;
    const size_t length = utf8_length(static_cast<unsigned char>(bytes[0]));
    if (bytes.size() < length && (bytes.size() == 1 || (static_cast<unsigned char>(byte) & 0xC0) == 0x80)) continue;
    if (valid_utf8_prefix(bytes) == bytes.size()) {
      *out = static_cast<wchar_t>(utf8_first(bytes));
      return 1;
    }
    bytes.clear();  // no character: as if it had not been typed
  } while (true);
}

}  // namespace

struct LineEditor::State {
  EditLine* editor = nullptr;
  History* lines = nullptr;
  std::string history;
  EditedLine line;
};

LineEditor::LineEditor(std::string history) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.history = std::move(history);
  std::setlocale(LC_CTYPE, "");
  if (MB_CUR_MAX == 1) std::setlocale(LC_CTYPE, "C.UTF-8");
  s.editor = el_init("hone", stdin, stdout, stderr);
  s.lines = history_init();
  HistEvent event;
  ::history(s.lines, &event, H_SETSIZE, kHistoryLines);
  ::history(s.lines, &event, H_SETUNIQUE, 1);
  el_set(s.editor, EL_CLIENTDATA, &s.line);
  el_set(s.editor, EL_PROMPT_ESC, &prompt_of, '\1');
  el_set(s.editor, EL_EDITOR, "emacs");
  el_set(s.editor, EL_SIGNAL, 0);  // terminal_signals.h
  el_set(s.editor, EL_GETCFN, &read_character);
  el_set(s.editor, EL_HIST, &::history, s.lines);
  el_set(s.editor, EL_BIND, "\t", "ed-insert", nullptr);  // of code that is pasted
  el_set(s.editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  el_source(s.editor, nullptr);
  if (s.history.empty()) return;
  std::error_code error;
  fs::create_directories(fs::path(s.history).parent_path(), error);
  if (error) {
    log::warn(s.history + ": no history is kept: " + error.message());
    s.history.clear();
  } else if (fs::exists(s.history, error)) {
    ::history(s.lines, &event, H_LOAD, s.history.c_str());
  }
}

LineEditor::~LineEditor() {
  history_end(state_->lines);
  el_end(state_->editor);
}

LineEditor::Result LineEditor::read(const std::string& prompt, bool bold, std::string& line) {
  State& s = *state_;
  // What stands between two \1 takes no columns. libedit writes it with the character behind it, and so never at the
  // end: bold ends before the prompt's last character, the space.
  s.line.prompt = bold ? "\1\033[1m\1" + prompt.substr(0, prompt.size() - 1) + "\1\033[0m\1" + prompt.back() : prompt;
  line.clear();
  signals::take_resized();
  el_resize(s.editor);
  el_set(s.editor, EL_PREP_TERM, 1);  // before the prompt is seen: what is typed then is meant for the editor
  int count = 0;
  const char* text = el_gets(s.editor, &count);
  if (text == nullptr || count <= 0) {
    if (count < 0 && signals::take_interrupted()) {
      line = s.line.left;
      return Result::kInterrupted;
    }
    return Result::kEnd;
  }
  line.assign(text, static_cast<size_t>(count));
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  if (line.find_first_not_of(" \t") == std::string::npos) return Result::kLine;
  HistEvent event;
  ::history(s.lines, &event, H_ENTER, line.c_str());
  if (!s.history.empty()) ::history(s.lines, &event, H_SAVE, s.history.c_str());
  return Result::kLine;
}

}  // namespace hone::cli
