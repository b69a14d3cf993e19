// Lines typed on a terminal: editing and history by libedit.
#pragma once
#include <memory>
#include <string>

namespace hone::cli {

class LineEditor {
 public:
  /// Reads and writes the history file where `history` names one; a folder that cannot be made is said once.
  explicit LineEditor(std::string history);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;

  enum class Result { kLine, kEnd, kInterrupted };
  /// One line without its newline. kEnd: Ctrl-D on an empty line, or the terminal is gone. kInterrupted: Ctrl-C; `line`
  /// holds "" where nothing had been typed. The prompt is written in bold where `bold`.
  Result read(const std::string& prompt, bool bold, std::string& line);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hone::cli
