#!/usr/bin/env python3
"""Does the schema say what vmrun does?

    schema.py SCHEMA JUDGE GOOD...

Every property of the schema, in the spec, in a target, in each device and in what changes a device,
is given values of every sort.  What vmrun takes, the schema must take.  What vmrun refuses for its
form (a wrong type, an unknown or missing key, a number out of range), the schema must refuse; what
several keys say together it cannot know.  The files GOOD are specs: those that vmrun takes, too.
"""
import json
import re
import subprocess
import sys

import jsonschema

PROBES = [None, True, False, 0, 1, 2.0, 1.5, -1, 10**12, "", "x", "1", "0:1", "512M", "0M", "/x", "tap0",
          "256:0:0", "0:255:31:7", "255:31:7", "32:0", "31:8", "3:007", "0x0", "0x00000000000000001",
          "0xffffffffffffffff", "x" * 300, [], [1], ["x"], [""], [None], [[]], [{}], {}, {"x": 1}, {"x": "y"}]
# Enough where the schema refers to a property that has seen all of them.
FEW = [None, True, -1, "", "/x", [1], {"x": 1}]
# Words that some key or other takes, for samples.
SAMPLES = ["/x", "tap0", "ppt0", "0:0", "512M", "x", "1234", 1, 0, 512, 4096, True]
# How vmrun says that the form of one value is wrong.
FORM = re.compile(r": (expected .*, got |unknown (key|device)|key .* beside |must not be empty|.* is none of "
                  r"|missing program|the size must be above 0|invalid cause or status|.* is out of range: expected|.* are taken|\d+ (entries|ports), expected)")
MISSING = re.compile(r": \"\w+\" is missing")


class Judge:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.count = 0

    def ask(self, document):
        self.count += 1
        self.process.stdin.write(json.dumps(document) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")


class Comparison:
    def __init__(self, schema, judge):
        self.schema, self.judge = schema, judge
        self.validator = jsonschema.Draft202012Validator(schema)
        self.wrong = []

    def faults(self, document):
        return [e.message[:200] for e in self.validator.iter_errors(document)]

    def compare(self, what, document, part=False):
        """Returns whether both refuse it for its form.  Of a part nothing is missing."""
        said, faults = self.judge.ask(document), self.faults(document)
        if said == "good" and faults:
            self.wrong.append(f"{what}: vmrun takes it, the schema says {faults}")
        said = " " + said
        formal = bool(FORM.search(said) or not part and MISSING.search(said))
        if formal and not faults:
            self.wrong.append(f"{what}: the schema takes it, vmrun says {said}")
        return formal and bool(faults)

    def probe(self, what, put, schema=None, part=False):
        """put(value) makes a document of a value at this place."""
        refused = [self.compare(f"{what} = {json.dumps(v)}"[:120], put(v), part)
                   for v in (FEW if part else PROBES)]
        for value in edges(schema or {}):
            self.compare(f"{what} = {value}", put(value), part)
        if not any(refused):
            self.wrong.append(f"{what}: no value is refused by both")

    def resolve(self, schema):
        while "$ref" in schema:
            node = self.schema
            for part in schema["$ref"].split("/")[1:]:
                node = node[part]
            schema = node
        return schema

    def samples(self, schema):
        """Some values that the schema takes."""
        schema = self.resolve(schema)
        found = list(schema.get("enum", [])) + ([schema["const"]] if "const" in schema else [])
        for form in schema.get("anyOf", []) + schema.get("oneOf", []):
            found += self.samples(form)
        if "properties" in schema:
            found.append({k: self.samples(schema["properties"][k])[0]
                          for k in schema.get("required", [])})
        if "array" in schema.get("type", "") and "items" in schema:
            found.append(self.samples(schema["items"])[:1])
        found += SAMPLES
        check = jsonschema.Draft202012Validator({**schema, "$defs": self.schema["$defs"]})
        return [v for v in found if v is not None and check.is_valid(v)]


def edges(schema):
    """Values at the limits of a property and beyond them."""
    for form in schema.get("anyOf", []) + schema.get("oneOf", []):
        yield from edges(form)
    for key in ("minimum", "maximum"):
        if key in schema:
            yield from (schema[key] - 1, schema[key], schema[key] + 1)
    if "maxLength" in schema:
        yield from ("a" * schema["maxLength"], "a" * (schema["maxLength"] + 1))
    if "maxItems" in schema:
        yield [{}] * (schema["maxItems"] + 1)


def base():
    return {"name": "vm", "cpu": 1, "mem": "64M", "bootrom": "/rom"}


def with_device(device):
    return {**base(), "emulations": [device]}


def without(document, key):
    return {k: v for k, v in document.items() if k != key}


def whole_device(c, kind, schema):
    """The device with as few keys as vmrun takes."""
    device = {"device": kind, "id": "d"}
    for key in schema["required"]:
        if key != "device":
            device[key] = c.samples(schema["properties"][key])[0]
    if c.judge.ask(with_device(device)) == "good":
        return device
    for key in schema["properties"]:
        for value in c.samples(schema["properties"][key]):
            if c.judge.ask(with_device({**device, key: value})) == "good":
                return {**device, key: value}
    sys.exit(f"found no sample of {kind}: what vmrun needs is not among SAMPLES")


def objects(schema):
    """The forms of a property that are objects with keys of their own, and how to wrap them."""
    for form in [schema] + schema.get("anyOf", []):
        if "properties" in form:
            yield form, lambda value: value
        if "properties" in form.get("items", {}):
            yield form["items"], lambda value: [value]


def walk(c, what, properties, put):
    """All properties of an object; put(key, value) makes the document."""
    for key, schema in properties.items():
        c.probe(f"{what}{key}", lambda v, k=key: put(k, v), schema)
        for form, wrap in objects(schema):
            whole = {k: c.samples(form["properties"][k])[0] for k in form.get("required", [])}

            def inner(k, v, key=key, wrap=wrap, whole=whole):
                return put(key, wrap({**whole, k: v}))

            c.compare(f"{what}{key}: unknown key", inner("no_such_key", 1))
            for missing in whole:
                c.compare(f"{what}{key} without {missing}", put(key, wrap(without(whole, missing))))
            walk(c, f"{what}{key}.", form["properties"], inner)


def same_everywhere(c, key):
    forms = [schema["properties"][key] for name, schema in c.schema["$defs"].items()
             if name.startswith("device.") and key in schema["properties"]]
    return all({**form, "description": ""} == {**forms[0], "description": ""} for form in forms)


def walk_devices(c):
    for name, schema in c.schema["$defs"].items():
        if not name.startswith("device."):
            continue
        kind = name.split(".", 1)[1]
        device = whole_device(c, kind, schema)
        own = without(schema["properties"], "device")
        must_refuse(c, f"{kind}: unknown key", with_device({**device, "no_such_key": 1}))
        for key in schema["required"]:
            must_refuse(c, f"{kind} without {key}", with_device(without(device, key)))
        walk(c, f"{kind}: ", own, lambda k, v, d=device: with_device({**d, k: v}))

        def changed(entry, d=device):
            return {**with_device(d), "targets": {"t": {"emulations": [entry]}}}

        for entry in ({"id": "d", "remove": True}, {"id": "d", "remove": False}, {"id": "d"},
                      {"id": "d", "remove": True, "device": kind},
                      {"id": "d", "remove": False, "fix": True},
                      {"device": kind, "id": "d"}, {**device, "id": "e"}, without(device, "id")):
            c.compare(f"target's {entry}", changed(entry))
        must_refuse(c, f"target: no id, no device ({kind})", changed({}))
        must_refuse(c, f"target: fix of a removed {kind}",
                    changed({"id": "d", "remove": True, "fix": True}))
        for key, value in own.items():
            if key == "id":  # it says which device
                continue
            # Unless the kind is named, the schema takes what any kind with this key takes.
            if same_everywhere(c, key):
                c.probe(f"change of {kind}: {key}", lambda v, k=key: changed({"id": "d", k: v}),
                        value, True)
            c.probe(f"change of {kind}, named: {key}",
                    lambda v, k=key: changed({"device": kind, "id": "d", k: v}), value,
                    True)


def must_refuse(c, what, document):
    if not c.compare(what, document):
        c.wrong.append(f"{what}: not refused by both")


def walk_spec(c):
    top = c.schema["properties"]
    walk(c, "", top, lambda k, v: {**base(), k: v})
    for key in c.schema["else"]["required"]:
        must_refuse(c, f"without {key}", without(base(), key))
    must_refuse(c, "unknown key", {**base(), "no_such_key": 1})
    must_refuse(c, "unknown device", with_device({"device": "no-such-device"}))
    must_refuse(c, "no device", with_device({"id": "x"}))
    for key in ("name", "targets", "no_such_key"):
        document = {**base(), "targets": {"t": {key: "x"}}}
        if c.judge.ask(document) == "good" or not c.faults(document):
            c.wrong.append(f"a target with {key}: not refused by both")
    whole = without(base(), "mem")
    c.compare("mem of targets.default", {**whole, "targets": {"default": {"mem": "64M"}}})
    target = c.schema["$defs"]["target"]["properties"]
    for key in target:
        c.probe(f"target: {key}", lambda v, k=key: {**base(), "targets": {"t": {k: v}}},
                c.resolve(target[key]), True)
        for form, wrap in objects(target[key]):
            for inner in form["properties"]:
                # Over a base that has the whole of it a part of it is enough.
                full = {k: c.samples(v)[0] for k, v in form["properties"].items()
                        if k in whole_of(top[key])}
                both = {**base(), key: full} if full else base()
                c.probe(f"target: {key}.{inner}", lambda v, b=both, k=key, i=inner:
                        {**b, "targets": {"t": {k: {i: v}}}}, part=True)


def whole_of(schema):
    for form, _ in objects(schema):
        return form.get("required", [])
    return []


def main():
    schema = json.load(open(sys.argv[1], encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    c = Comparison(schema, Judge(sys.argv[2]))
    for name in sys.argv[3:]:
        with open(name, encoding="utf-8") as file:
            try:
                document = json.load(file)
            except ValueError:
                continue  # there are specs of bad JSON too
        c.compare(name, document)
    walk_spec(c)
    walk_devices(c)
    for line in c.wrong[:100]:
        print(line)
    print(f"{c.judge.count} specs, {len(c.wrong)} wrong")
    sys.exit(1 if c.wrong else 0)


main()
