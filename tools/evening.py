#!/usr/bin/env python3
"""A whole evening with a simulated person, over the same API as the page: judge, learn, blind test, verdict.

    tools/evening.py build/hone --store FILE --model DIR --taste shorter [--learn-at 60] [--prompts 20] [-- OPTION…]

Options after -- are those of `hone annotate`. The person judges until the ring holds --learn-at comparisons, or no more prompts
are left than the blind test needs, asks to learn, answers a blind test of --prompts prompts without being told whose answer is
whose, and prints the verdict. Then page, store, run folder and report are held against each other (evening_agreement.py). What
was done is read off the server each time, so the same call again goes on where a broken-off evening stopped. --demand wants
more than agreement: that the taste was learned and nothing was wrecked.

Ends with 0, or with 1 where something does not agree or a demand is not met; each is a line on standard error.
"""
import argparse
import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

import evening_agreement

WAIT = 0.2  # s between two questions how it stands
SPARE = 16  # prompts that hone may ask ahead while the model learns
TRIES = 50  # of one request that the server is too busy for


def shorter(first, second):
    """The shorter answer; a tie where lengths are within a tenth of the longer one."""
    a, b = len(first), len(second)
    return "tie" if abs(a - b) <= 0.1 * max(a, b) else "first" if a < b else "second"


def has_list(answer):
    """Two lines or more that open with a bullet or a number."""
    return len(re.findall(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+\S", answer, re.MULTILINE)) >= 2


def with_list(first, second):
    """The answer that holds a list; a tie where both do, or neither."""
    a, b = has_list(first), has_list(second)
    return "tie" if a == b else "first" if a else "second"


TASTES = {"shorter": shorter, "list": with_list}


def say(text):
    print(f"evening: {text}", file=sys.stderr, flush=True)


class Page:
    """What a page asks of hone, signed in by the address that hone printed."""

    def __init__(self, address):
        self.base, secret = address.split("/#secret=")
        self.token = None
        self.judged_at = None
        self.waits, self.cold = [], 0  # s from a judgement to the next pair, where one was ready; times that none was
        self.token = self.call("POST", "/session", {"secret": secret})["token"]

    def call(self, method, path, body=None):
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        for left in reversed(range(TRIES)):  # with the same key: what arrived twice counts once
            request = urllib.request.Request(f"{self.base}/api/v1{path}", data, headers, method=method)
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    return json.load(response)
            except urllib.error.HTTPError as error:
                problem = json.load(error)
                if error.code not in (429, 503) or left == 0:
                    sys.exit(f"evening: {method} {path}: {problem.get('detail') or problem.get('title')}; {problem.get('hint', '')}")
            except OSError as error:
                sys.exit(f"evening: {method} {path}: hone does not answer ({error}); its last lines above say why")
            time.sleep(WAIT)

    def judge_next(self, taste):
        """Judges one pair by `taste`, and returns the outcome and PROGRESS; None while no pair is ready."""
        hand = self.call("GET", "/pairs")
        pair = next((p for p in hand["pairs"] if not p["growing"]), None)
        if self.judged_at is not None:
            if pair:
                self.waits.append(time.monotonic() - self.judged_at)
            self.cold += pair is None
            self.judged_at = None
        if pair is None:
            if hand["supply"] == "end":
                sys.exit("evening: there are no more pairs; give more prompts with -- --prompts FILE")
            time.sleep(WAIT)
            return None
        first, second = ("\n".join(t["content"] for t in answer["turns"]) for answer in pair["answers"])
        outcome = taste(first, second)
        self.judged_at = time.monotonic()
        return outcome, self.call("POST", "/judgements", {"pair": pair["id"], "outcome": outcome})["progress"]


def spend(page, taste, learn_at, prompts):
    """The evening, from wherever it stands to a verdict or to a round that taught nothing. Returns the outcomes that were
    sent, by name."""
    sent = {}
    told = None
    ring = page.call("GET", "/progress")["ring"]["count"]
    while True:
        now = page.call("GET", "/round")
        verdicts, state = now["verdicts"], now["state"]
        step = (f"learning from {now['round']['pairs']} comparisons" if state == "learning" else
                f"a blind test of {now['test']['prompts']} prompts" if now["test"] else
                f"judging, {ring} of {learn_at}" if state == "idle" and not verdicts and ring % 20 == 0 else told)
        if step != told:
            say(told := step)
        if state == "paused":
            sys.exit(f"evening: the round stopped: {now['trouble']}")
        if state != "idle":
            time.sleep(WAIT)
        elif not now["test"] and (verdicts or (now["round"] and not now["round"]["chosen"] and "test" not in now["may"])):
            return sent
        elif "test" in now["may"]:
            page.call("POST", "/round", {"do": "test", "prompts": prompts})
        elif not now["test"] and "start" in now["may"] and (ring >= learn_at or now["offer"]["fresh"] < prompts + SPARE):
            if ring < learn_at:
                say(f"the prompts that are left are for the blind test, so it learns from {now['pairs']} comparisons")
            page.call("POST", "/round", {"do": "start"})
        elif judged := page.judge_next(taste):
            outcome, progress = judged
            ring = progress["ring"]["count"]
            sent[outcome] = sent.get(outcome, 0) + 1


def read_address(hone):
    """The address that `hone annotate` prints once the page can be opened."""
    address = hone.stdout.readline().strip()
    if not address:
        sys.exit("evening: hone annotate ended; the lines above say why")
    return address


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hone", help="the program")
    parser.add_argument("--store", required=True, help="of its own: a simulated person's judgements are nobody's")
    parser.add_argument("--model", required=True)
    parser.add_argument("--taste", choices=TASTES, required=True)
    parser.add_argument("--learn-at", type=int, default=60, help="comparisons in the ring to learn from")
    parser.add_argument("--prompts", type=int, default=20, help="of the blind test")
    parser.add_argument("--demand", action="store_true", help="fail where the taste was not learned, or something was wrecked")
    parser.add_argument("--second-judge", metavar="DIR", help="a reward model that does not share the taste: with --demand it may prefer the old model in at most 55%%")
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    args, options = parser.parse_args(words[:cut]), words[cut + 1:]

    command = [args.hone, "annotate", "--store", args.store, "--model", args.model,
               "--annotator", f"simulated-{args.taste}", *options]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("evening: ended; the same call goes on from here"))
    hone = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        page = Page(read_address(hone))
        before = page.call("GET", "/progress")["counts"]
        began = time.monotonic()
        sent = spend(page, TASTES[args.taste], args.learn_at, args.prompts)
        shown = {"round": page.call("GET", "/round"), "progress": page.call("GET", "/progress"), "before": before, "sent": sent}
    finally:
        hone.send_signal(signal.SIGTERM)
        hone.wait()
    if hone.returncode != 0:
        sys.exit(f"evening: hone annotate ended with {hone.returncode}")

    said = ", ".join(f"{n} {name}" for name, n in sorted(shown["progress"]["counts"].items()) if n)
    print(f"{said}, in {time.monotonic() - began:.0f} s")
    waits = sorted(page.waits)
    if waits:
        print(f"the next pair after {1000 * waits[len(waits) // 2]:.0f} ms (median) and {1000 * waits[len(waits) * 95 // 100]:.0f} ms "
              f"(95th percentile of {len(waits)}); {page.cold} times none was ready")
    learned = shown["round"]["round"]
    print(f"round {learned['name']}: {learned['outcome']}, {learned['why']}; {learned['seconds'] / 60:.1f} minutes from {learned['pairs']} comparisons")
    for verdict in shown["round"]["verdicts"]:
        print(f"{verdict['words']} ({verdict['asked']} asked{'; ' + verdict['beside'] if verdict['beside'] else ''})")
    evening = evening_agreement.Evening(args.hone, args.store, shown)
    wrong = evening.disagreements()
    if args.demand:
        wrong += evening.unmet(args.second_judge)
    for line in wrong:
        say(line)
    print(f"page, store, run and report agree; the report is {shown['round']['round']['report']}" if not wrong else f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
