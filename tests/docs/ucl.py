#!/usr/bin/env python3
"""Prints the JSON of the part of UCL that the pages use: `key: value`, `key value`, objects and lists.

    ucl.py FILE
"""
import json
import re
import sys

TOKEN = re.compile(r'\s*(?:#[^\n]*\n\s*)*("(?:[^"\\]|\\.)*"|[{}\[\],;]|[^\s{}\[\],;:="]+[:=]?|[:=])')


def value(tokens):
    token = tokens.pop(0)
    if token == "{":
        return members(tokens, "}")
    if token == "[":
        items = []
        while tokens[0] != "]":
            items.append(value(tokens))
            if tokens[0] in ",;":
                tokens.pop(0)
        tokens.pop(0)
        return items
    try:
        return json.loads(token)
    except ValueError:
        return token


def members(tokens, end):
    found = {}
    while tokens and tokens[0] != end:
        keys = [tokens.pop(0)]
        while not keys[-1].endswith((":", "=")) and len(tokens) > 1 and tokens[1] == "{":
            keys.append(tokens.pop(0))
        inner = found
        for key in keys[:-1]:
            inner = inner.setdefault(key.strip('":='), {})
        inner[keys[-1].strip('":=')] = value(tokens)
        while tokens and tokens[0] in ",;":
            tokens.pop(0)
    if end is not None:
        tokens.pop(0)
    return found


with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps(members(TOKEN.findall(file.read()), None)))
