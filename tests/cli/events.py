#!/usr/bin/env python3
"""Is every line of a file an event as the schema says, no member more, numbered upwards?

    events.py SCHEMA FILE [messages]

With `messages` those of --log-format json may stand between them.
"""
import json
import sys

from jsonschema import Draft202012Validator

schema = json.load(open(sys.argv[1], encoding="utf-8"))
messages = {"$ref": "#/$defs/message", "$defs": schema["$defs"]}
Draft202012Validator.check_schema(schema)
for row in schema["oneOf"]:
    assert set(row["properties"]) - {"event"} == set(row["required"]), row["title"]
# Readers must bear members of later versions; this version has none of those.
schema["unevaluatedProperties"] = False
judge, judge_message = Draft202012Validator(schema), Draft202012Validator(messages)

seq = lines = 0
with open(sys.argv[2], "rb") as file:
    for raw in file:
        assert raw.endswith(b"\n"), raw
        line = json.loads(raw.decode("utf-8", "strict"))
        lines += 1
        if "event" not in line and "messages" in sys.argv:
            judge_message.validate(line)
            continue
        judge.validate(line)
        assert line["seq"] > seq, line
        seq = line["seq"]
assert lines > 0, "nothing to judge"
