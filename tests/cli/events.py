#!/usr/bin/env python3
"""Is every line of a file an event as the schema says, no member more, numbered upwards?

    events.py SCHEMA FILE [messages]

With `messages` those of --log-format json may stand between them.
"""
import collections
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
# To find the one row of many that fits takes a millisecond; its own row and the common part do for most lines.
common = {key: value for key, value in schema.items() if key != "oneOf"}
rows = {
    row["properties"]["event"]["const"]: Draft202012Validator({**common, "allOf": [row]}) for row in schema["oneOf"]
}

seq = lines = 0
seen = collections.Counter()
with open(sys.argv[2], "rb") as file:
    for raw in file:
        assert raw.endswith(b"\n"), raw
        line = json.loads(raw.decode("utf-8", "strict"))
        lines += 1
        if "event" not in line and "messages" in sys.argv:
            judge_message.validate(line)
            continue
        seen[line["event"]] += 1
        (judge if seen[line["event"]] <= 100 else rows[line["event"]]).validate(line)
        assert line["seq"] > seq, line
        seq = line["seq"]
assert lines > 0, "nothing to judge"
