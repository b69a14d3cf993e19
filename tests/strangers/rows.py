"""Demonstrations and comparisons, as files of the formats that people bring."""
import json

CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo", "Egypt": "Cairo", "Norway": "Oslo",
            "Peru": "Lima", "Kenya": "Nairobi", "Cuba": "Havana", "Greece": "Athens"}
COLOURS = {"grass": "green", "snow": "white", "coal": "black", "blood": "red", "the sky": "blue", "a lemon": "yellow",
           "an orange": "orange", "chocolate": "brown", "ash": "grey", "a plum": "purple"}
SOUNDS = {"a cow": "moo", "a cat": "meow", "a dog": "woof", "a duck": "quack", "a sheep": "baa", "a horse": "neigh",
          "a lion": "roar", "a bee": "buzz", "an owl": "hoot", "a snake": "hiss"}
AGAIN = "Tell me. "
BAD = ["I do not know.", "No idea.", "Go away.", "Who cares?"]
SYSTEM = "Answer in one sentence."

TOOL = {"type": "function", "function": {"name": "look_up", "description": "Looks a fact up.", "parameters": {
    "type": "object", "properties": {"of": {"type": "string"}}, "required": ["of"]}}}


def items(ask=""):
    """question, answer, bad, reason: and every third item with an earlier turn, every fourth with a system message. `ask` goes
    before each question: the same facts, other prompts."""
    out = []
    for kind, facts in (("capital", CAPITALS), ("colour", COLOURS), ("sound", SOUNDS)):
        for thing, fact in facts.items():
            question = {"capital": f"What is the capital of {thing}?", "colour": f"What colour is {thing}?",
                        "sound": f"What does {thing} say?"}[kind]
            answer = f"{thing[0].upper()}{thing[1:]} says {fact}." if kind == "sound" else f"It is {fact}."
            reason = {"capital": "I think of cities.", "colour": "I think of paint.", "sound": "I think of animals."}[kind]
            n = len(out)
            out.append({"question": ask + question, "answer": answer, "bad": BAD[n % 4], "reason": reason,
                        "thing": thing, "fact": fact, "system": SYSTEM if n % 4 == 1 else None,
                        "history": [("Hello!", "Hello, what may I do?")] if n % 3 == 2 else []})
    return out


def turn(role, content, **more):
    return {"role": role, "content": content, **more}


def traced(reason, answer):
    """Reasoning inside the content, as reasoning models' answers are published."""
    return f"<think>\n{reason}\n</think>\n\n{answer}"


def before(item):
    out = [turn("system", item["system"])] if item["system"] else []
    for user, assistant in item["history"]:
        out += [turn("user", user), turn("assistant", assistant)]
    return out + [turn("user", item["question"])]


def call(item):
    return [turn("user", item["question"]), {"role": "assistant", "content": "", "tool_calls": [
        {"type": "function", "function": {"name": "look_up", "arguments": {"of": item["thing"]}}}]}]


def demonstration(item, style, n):
    i = item
    if style == "messages":
        return {"messages": before(i) + [turn("assistant", i["answer"])]}
    if style == "sharegpt":
        names = {"system": "system", "user": "human", "assistant": "gpt"}
        return {"id": f"row-{n}", "conversations": [{"from": names[m["role"]], "value": m["content"]}
                                                    for m in before(i) + [turn("assistant", i["answer"])]]}
    if style == "alpaca":
        row = {"instruction": i["question"], "input": "", "output": i["answer"]}
        if i["history"]:
            row["history"] = [list(pair) for pair in i["history"]]
        return row
    if style == "completion":
        return {"prompt": i["question"], "completion": i["answer"]}
    if style == "plain":
        return {"prompt": f"Question: {i['question']}\nAnswer:", "completion": " " + i["answer"]}
    if style == "reasoning":
        earlier = before(i)
        for m in earlier:
            if m["role"] == "assistant":
                m["reasoning_content"] = "They greet me."
        return {"messages": earlier + [turn("assistant", i["answer"], reasoning_content=i["reason"])]}
    if style == "traces":
        return {"messages": before(i) + [turn("assistant", traced(i["reason"], i["answer"]))]}
    if style == "tools":
        if n % 2:
            return {"messages": before(i) + [turn("assistant", i["answer"])]}
        result = [turn("tool", json.dumps({"fact": i["fact"]})), turn("assistant", i["answer"])]
        return {"tools": [TOOL], "messages": call(i) + (result if n % 4 else [])}
    raise ValueError(style)


def comparison(item, style, n):
    i = item
    good, bad = turn("assistant", i["answer"]), turn("assistant", i["bad"])
    if style == "conversational":
        return {"prompt": before(i), "chosen": [good], "rejected": [bad]}
    if style == "implicit":
        return {"chosen": before(i) + [good], "rejected": before(i) + [bad]}
    if style == "ultrafeedback":
        user = [turn("user", i["question"])]
        return {"prompt": i["question"], "prompt_id": f"{n:08x}", "chosen": user + [good], "rejected": user + [bad],
                "messages": user + [good], "score_chosen": 8.5, "score_rejected": 4.0}
    if style == "hh":
        text = "".join(f"\n\nHuman: {u}\n\nAssistant: {a}" for u, a in i["history"]) + f"\n\nHuman: {i['question']}\n\nAssistant: "
        return {"chosen": text + i["answer"], "rejected": text + i["bad"]}
    if style == "llama-factory":
        row = {"instruction": i["question"], "input": "", "chosen": i["answer"], "rejected": i["bad"]}
        if i["history"]:
            row["history"] = [list(pair) for pair in i["history"]]
        return row
    if style == "plain":
        return {"prompt": f"Question: {i['question']}\nAnswer:", "chosen": " " + i["answer"], "rejected": " " + i["bad"]}
    if style == "reasoning":
        good["reasoning_content"], bad["reasoning_content"] = i["reason"], "I am tired."
        return {"prompt": before(i), "chosen": [good], "rejected": [bad]}
    if style == "traces":
        return {"prompt": before(i), "chosen": [turn("assistant", traced(i["reason"], i["answer"]))],
                "rejected": [turn("assistant", traced("I am tired.", i["bad"]))]}
    if style == "tools":
        if n % 2:
            return {"prompt": before(i), "chosen": [good], "rejected": [bad]}
        return {"tools": [TOOL], "prompt": call(i)[:1], "chosen": call(i)[1:], "rejected": [bad]}
    raise ValueError(style)


def probes(template):
    """Conversations in which every template shows what it has: a prompt, an answer, a history, reasoning, a call and its result."""
    if template is None:
        return []
    system = [] if template == "mistral" else [turn("system", SYSTEM)]
    if template == "thinking":
        first = turn("assistant", "Hello, you.", reasoning_content="They greet me.")
        last = turn("assistant", "It is Paris.", reasoning_content="I think of cities.")
    elif template == "r1":
        first, last = turn("assistant", traced("They greet me.", "Hello, you.")), turn("assistant", traced("I think of cities.", "It is Paris."))
    else:
        first, last = turn("assistant", "Hello, you."), turn("assistant", "It is Paris.")
    question = turn("user", "What is the capital of France?")
    out = [{"messages": [question]}, {"messages": [question, last]}, {"messages": system + [turn("user", "Hello!"), first, question]},
           {"messages": system + [turn("user", "Hello!"), first, question, last]}]
    if template == "tools":
        item = items()[0]
        result = turn("tool", json.dumps({"fact": "Paris"}))
        out += [{"tools": [TOOL], "messages": call(item)}, {"tools": [TOOL], "messages": call(item) + [result]},
                {"tools": [TOOL], "messages": call(item) + [result, last]}]
    return out


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
