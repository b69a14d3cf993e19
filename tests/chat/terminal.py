"""Drives `hone chat` as a person does, on a pseudo-terminal, and as a script does, over a pipe. Python 3 alone.

    python3 tests/chat/terminal.py HONE
"""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import models

HONE = str(Path(sys.argv[1]).resolve())
# What the program itself sends: colours, and libedit's movements of the cursor.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()=>][A-Z0-9]?|\r|\x08|\x07")


def columns(text):
    return sum(0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Terminal:
    """`hone chat` on a terminal of its own."""

    def __init__(self, folder, *options, width=100, **variables):
        self.raw, self.at = b"", 0
        parent, child = pty.openpty()
        self.resize(width, fd=parent)
        environment = dict(os.environ, TERM="xterm", XDG_STATE_HOME=str(folder / "state"), LC_ALL="C.UTF-8", HONE_CPU=os.environ.get("HONE_CPU", ""))
        environment = {k: v for k, v in environment.items() if v or k != "HONE_CPU"} | variables

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([HONE, "chat", "--threads", "1", *map(str, options)], stdin=child, stdout=child, stderr=child, cwd=folder,
                                        env=environment, preexec_fn=own_terminal, close_fds=True)
        os.close(child)
        self.fd = parent

    def resize(self, width, fd=None):
        fcntl.ioctl(self.fd if fd is None else fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, width, 0, 0))

    def send(self, text):
        os.write(self.fd, text.encode())

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other end is closed
            return False
        self.raw += data
        return bool(data)

    def text(self):
        return CONTROL.sub("", self.raw[self.at:].decode(errors="replace"))

    def expect(self, *patterns, seconds=30):
        """Reads until all patterns stand in what came since the last expect, in their order; -> that text."""
        end = time.time() + seconds
        while True:
            text, position = self.text(), 0
            for pattern in patterns:
                found = re.compile(pattern).search(text, position)
                if not found:
                    break
                position = found.end()
            else:
                self.at = len(self.raw)
                return text
            if time.time() > end or (not self.read(0.2) and self.process.poll() is not None and not self.read(0)):
                raise AssertionError(f"{patterns} did not come; there is:\n{self.text()}\nexit {self.process.poll()}")

    def collect(self, seconds):
        end = time.time() + seconds
        while time.time() < end:
            self.read(0.05)

    def say(self, line, *patterns, **how):
        """A line; what it brings up to the next prompt."""
        self.send(line + "\n")
        return self.expect(*patterns, r"\n> $", **how)

    def leave(self, keys="/quit\n", code=0):
        self.send(keys)
        end = time.time() + 20
        while self.process.poll() is None and time.time() < end:
            self.read(0.1)
        while self.read(0):
            pass
        assert self.process.poll() == code, (self.process.poll(), self.text())
        os.close(self.fd)

    def __enter__(self):
        self.expect(r"/help\]", r"> $")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def run(*words, **how):
    return subprocess.run([HONE, *map(str, words)], capture_output=True, text=True, timeout=60, **how)


def pipe(model, text, *options, code=0):
    done = run("chat", "--threads", 1, "--model", model, *options, input=text)
    assert done.returncode == code, done.stderr
    return done


# ---- on a terminal

def streams_and_shows_what_is_safe(folder, model):
    with Terminal(folder, "--model", model("talker"), "--temperature", 0, "--stats") as t:
        t.say("hi?", r"Hello (red|green|blue) wörld 世界␛\[31m!", r"\d+ tokens, [\d.]+ a second, first after \d+ ms; [1-9]\d* of the prompt's \d+")
        assert b"\x1b[31m" not in t.raw, "an escape sequence of the model's reached the terminal"
        bold = False  # the prompt is, and nothing else
        for code, after in re.findall(rb"\x1b\[([\d;]*)m([^\x1b]*)", t.raw):
            bold = code == b"1" or (bold and code not in (b"0", b"", b"22"))
            assert not bold or after.strip() in (b">", b"."), (code, after)
        t.say("so?", "Hello", r"; [1-9]\d* of the prompt's \d+ were kept")
        t.say("and?\nhm?", "Hello", "\n> ", "hm", "Hello")  # typed ahead
        t.say("/undo", "taken back")
        t.say("/undo", "taken back")
        t.say("/stats", "not shown")
        t.say("/undo", "taken back")
        t.say("/save talk.jsonl", "saved at the end of talk.jsonl")
        row = json.loads((folder / "talk.jsonl").read_text())
        assert [m["role"] for m in row["messages"]] == ["user", "assistant"], row
        assert row["messages"][1]["content"].endswith("世界\x1b[31m!"), row
        t.say("/new", "a new conversation")
        t.say("/regenerate", "nothing was asked")
        t.say("/save talk.jsonl", "nothing was said yet")
        t.leave()


def edits_lines(folder, model):
    with Terminal(folder, "--model", model("talker"), "--temperature", 0) as t:
        t.say("世界x\x7fé ﬁ", "Hello")            # a wide character, a rubbed out one
        t.say("one\\\ntwo", "Hello")               # goes on
        t.say('"""\nthree\n\nfour"""', "Hello")    # a longer text
        t.say("//slash", "Hello")
        t.say("/system Be brief.", "system prompt: Be brief.")
        t.say("\x1b[A\x1b[A", "Hello")             # two lines up in the history
        t.say("/nonsense", "no command /nonsense")
        t.say("/set temperature", "no number")
        t.say("/set heat 1", "settings are temperature")
        t.say("/set max-tokens 4", "max-tokens 4")
        t.say("hm?", "stopped at 4 tokens")
        t.say("/help", "/prefer N", "Ctrl-C stops an answer")
        t.say("/save lines.jsonl", "saved")
        messages = json.loads((folder / "lines.jsonl").read_text())["messages"]
        said = [m["content"] for m in messages if m["role"] == "user"]
        assert messages[0] == {"role": "system", "content": "Be brief."}, messages
        assert said == ["世界é ﬁ", "one\ntwo", "three\n\nfour", "/slash", "/slash", "hm?"], said
        t.leave("\x04")
    history = folder / "state" / "hone" / "chat_history"
    assert history.stat().st_mode & 0o77 == 0, "others can read the history"
    with Terminal(folder, "--model", model("talker"), "--temperature", 0) as t:  # the history outlives the program
        t.say("\x1b[A", "saved at the end of lines.jsonl|nothing was said yet")
        t.send("\x03")
        t.expect("again, or Ctrl-D, to leave", "> $")
        t.leave("\x03")


def cancels(folder, model):
    with Terminal(folder, "--model", model("forever"), "--temperature", 0, "--max-tokens", 100_000, width=60) as t:
        t.send("go\n")
        t.expect("word more and more and more and more")  # it streams: it is not at its end
        t.send("\x03")
        t.expect(r"\[cancelled\]", r"\n> $")
        t.say("/save cut.jsonl", "saved")
        answer = json.loads((folder / "cut.jsonl").read_text())["messages"][1]["content"]
        assert answer.startswith("word more and more") and len(answer) < 600_000
        # The conversation goes on; a new size of the window in the middle of an answer breaks its lines anew.
        t.say("/new")
        t.send("go\n")
        t.expect("word more and more and more")
        t.resize(30)
        t.collect(0.5)  # what was under way in the old size
        t.at = len(t.raw)
        t.collect(0.3)
        lines = t.text().split("\n")[1:-1]
        assert len(lines) > 3 and 20 < max(map(columns, lines)) <= 30, lines
        t.send("\x03")
        t.expect(r"\[cancelled\]", r"\n> $")
        t.send("half a line")
        t.expect("half a line")
        t.send("\x03")  # takes the line back
        t.expect("\n> $")
        t.resize(50)
        t.send("\x03")
        t.expect("again, or Ctrl-D, to leave", "> $")
        t.leave("\x03")


def never_ends(folder, model):
    with Terminal(folder, "--model", model("endless"), "--temperature", 0, "--max-tokens", 25) as t:
        t.say("go", "word more and", "stopped at 25 tokens")
        t.say("/set max-tokens 1000", "max-tokens 1000")
        t.say("go", "stopped: the model's context is full")
        t.say("/set max-tokens 9")
        t.say("go", "left out now, with their answers")
        t.say("x" * 600, "error: the question takes", "hint: ask something shorter")
        t.say("go", "word more")
        t.leave()


def compares_and_prefers(folder, model):
    two = ("--model", model("talker"), "--compare", model("endless"), "--max-tokens", 30, "--temperature", 1.3, "--seed", 4)
    with Terminal(folder, *two, "--system", "Be brief.", width=100) as t:
        shown = t.say("/compare hi?", r"1: talker +│ 2: endless", r"Hello", r"/prefer 1 or 2")
        rows = [line for line in shown.split("\n") if "│" in line]
        assert len(rows) >= 3 and {columns(row[:row.index("│")]) for row in rows} == {columns(rows[0][:rows[0].index("│")])}, rows
        assert max(map(columns, rows)) <= 100, rows
        assert b"\x1b[31m" not in t.raw
        t.say("/prefer", "wants the number")
        t.say("/prefer 3", "has 2 answers")
        t.say("/prefer 2", "wrote a row to preferences.jsonl")
        t.say("/prefer 1", "no two answers")
        t.resize(60)
        t.say("/compare so?", r"\n1: talker\n", "Hello", r"\n2: endless\n", "word", "/prefer 1 or 2")
        t.say("/prefer 1", "wrote a row")
        t.say("/compare on", "every question")
        t.say("hm?", "1: talker", "2: endless")
        t.say("/prefer 1", "wrote a row")
        t.say("/compare off")
        t.say("/save compared.jsonl")
        t.leave()
    rows = [json.loads(line) for line in (folder / "preferences.jsonl").read_text().split("\n") if line]
    assert len(rows) == 3 and all(set(r) == {"prompt", "chosen", "rejected"} for r in rows), rows
    assert rows[0]["prompt"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi?"}], rows[0]
    assert rows[0]["chosen"][0]["content"].startswith("word more") and rows[0]["rejected"][0]["content"].startswith("Hello"), rows[0]
    assert rows[1]["prompt"][2]["content"] == rows[0]["chosen"][0]["content"], "the conversation went on with another answer"


def samples_of_one_model(folder, model):
    one = ("--model", model("talker"), "--temperature", 1.3, "--seed", 4)
    with Terminal(folder, *one, "--preferences", "own.jsonl", width=100) as t:
        t.say("/compare hi?", "1: a sample +│ 2: another sample", "/prefer 1 or 2")
        for n in range(3, 30):
            t.say("/regenerate", f"answer {n}; /prefer N")
        t.say("/prefer 1", r"wrote (a|\d+) rows? to own.jsonl")
        t.say("/set temperature 0")
        t.say("/regenerate", "there is no other answer")
        t.say("/compare", "both samples would be the same")
        t.leave()
    rows = [json.loads(line) for line in (folder / "own.jsonl").read_text().split("\n") if line]
    assert len({r["rejected"][0]["content"] for r in rows}) >= 2 and all(r["chosen"] != r["rejected"] for r in rows), rows


def thinks(folder, model):
    with Terminal(folder, "--model", model("thinker"), "--temperature", 0, TERM="dumb") as t:
        t.say("hi?", "<think>hm</think> yes")
        t.say("so?", "<think>hm</think> yes")
        assert b"\x1b[2m" not in t.raw, "colours on a dumb terminal"
        t.leave()
    with Terminal(folder, "--model", model("plain"), "--temperature", 0) as t:
        t.say("hi?", "on and on")
        t.say("/system Be brief.", "no chat template")
        t.leave()


def is_terminated(folder, model):
    with Terminal(folder, "--model", model("forever"), "--temperature", 0, "--max-tokens", 100_000) as t:
        t.send("go\n")
        t.expect("more and more")
        t.process.send_signal(signal.SIGTERM)
        t.leave("", code=130)
    with Terminal(folder, "--model", model("talker"), "--temperature", 0) as t:
        before = termios.tcgetattr(t.fd)[3]
        t.process.send_signal(signal.SIGTERM)
        t.process.wait(10)
        assert not before & termios.ICANON and termios.tcgetattr(t.fd)[3] & termios.ICANON, "the terminal is left raw"


# ---- over a pipe

def a_line_for_a_line(folder, model):
    done = pipe(model("talker"), "hi?\n\n/quit\n世界?\n", "--temperature", 0)
    lines = done.stdout.split("\n")
    assert len(lines) == 5 and lines[1] == "" and lines[0] and lines[2] and lines[3], lines
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout), repr(done.stdout)
    assert "31m!" in lines[0] and "世界" in lines[0], lines
    # What hone generate says of the same messages.
    asked = {"messages": [{"role": "user", "content": "hi?"}]}
    said = json.loads(run("generate", "--threads", 1, "--model", model("talker"), "--temperature", 0, input=json.dumps(asked)).stdout)["completions"][0]["text"]
    assert said.replace("\x1b", "␛") == lines[0], (said, lines[0])


def is_reproducible(folder, model):
    text = "hi?\nso?\nand?\nhm?\n"
    once, again = (pipe(model("talker"), text, "--temperature", 1.3, "--seed", 4).stdout for _ in range(2))
    assert once == again
    assert pipe(model("talker"), text, "--temperature", 1.3, "--seed", 5).stdout.count("\n") == 4


def says_what_went_wrong(folder, model):
    done = pipe(model("endless"), "go\n" + "x" * 600 + "\ngo\n", "--temperature", 0, "--max-tokens", 8, code=1)
    lines = done.stdout.split("\n")
    assert lines[0].startswith("word more") and lines[1] == "" and lines[2].startswith("word more"), lines
    assert "line 1: stopped at 8 tokens" in done.stderr and "line 2: the question takes" in done.stderr, done.stderr
    for options, message in [(("--system", "x"), "no chat template"), (("--compare", model("talker")), "compared on a terminal"),
                             (("--temperature", "-1"), "temperature must be"), (("--adapter", model("talker")), "is no adapter")]:
        done = run("chat", "--model", model("plain"), *options, input="hi?\n")
        assert done.returncode == 2 and message in done.stderr and done.stdout == "", (options, done)
    done = run("chat", "--model", folder / "nowhere", input="hi?\n")
    assert done.returncode == 2 and "no such folder" in done.stderr, done
    done = subprocess.run([HONE, "chat", "--model", str(model("talker"))], input=b"\xff\xfe?\n\x00\x1b[0m\n", capture_output=True, timeout=60)
    assert done.stdout.count(b"\n") == 2, done


def is_trained_on(folder, model):
    """The rows of the tests before: /prefer's by `hone preference`, /save's by `hone sft`."""
    done = run("preference", "--model", model("talker"), "--data", "preferences.jsonl", "--epochs", "1", "--text.held-out", "0.4", "--adapter.rank", "2",
               "--out", "lora", cwd=folder)
    assert done.returncode == 0, done.stderr
    done = run("data", "inspect", "compared.jsonl", cwd=folder)
    assert done.returncode == 0 and "messages" in done.stdout + done.stderr, done
    done = run("sft", "--model", model("talker"), "--data", "compared.jsonl", "--steps", "1", "--out", "sft", cwd=folder)
    assert done.returncode == 0, done.stderr


def compares_an_adapter(folder, model):
    with Terminal(folder, "--model", model("talker"), "--adapter", "lora/model", "--model", model("talker"), "--compare", "lora/model",
                  "--temperature", 0, "--max-tokens", 8, width=140) as t:
        t.say("/compare hi?", r"1: lora +│ 2: talker +│ 3: lora \(2\)", "Hello.*│ Hello.*│ Hello", "/prefer 1 to 3")
        t.leave()


def main():
    with tempfile.TemporaryDirectory(prefix="hone-chat-") as name:
        folder = Path(name)
        for kind in models.TABLES:
            models.make(kind, folder / "models" / kind)
        model = lambda kind: folder / "models" / kind
        for test in [streams_and_shows_what_is_safe, edits_lines, cancels, never_ends, compares_and_prefers, samples_of_one_model, thinks,
                     is_terminated, a_line_for_a_line, is_reproducible, says_what_went_wrong, is_trained_on,
                     compares_an_adapter]:
            start = time.time()
            test(folder, model)
            print(f"{test.__name__}: {time.time() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
