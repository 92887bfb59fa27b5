"""Finds what can be changed in a C file, and writes the file with all of these mutants.

clang's syntax tree says where each expression begins and ends. Each mutant becomes an alternative
that the program takes if its number is chosen (switch.h):

    if (a < b)      =>      if ((mutant(7) ? (a <= b) : (a < b)))

An alternative is the text of the source, so that only one mutant is alive and the text stays short.
"""
import collections
import json
import re
import shlex
import subprocess

COMPARISONS = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=", ">=": ">"}
LOGICAL = {"&&": "||", "||": "&&"}
# Trees whose values the compiler needs, or which have no text of their own.
SKIPPED = {"ConstantExpr", "StaticAssertDecl", "UnaryExprOrTypeTraitExpr", "OffsetOfExpr", "StmtExpr",
           "ImplicitValueInitExpr", "EnumDecl", "RecordDecl", "TypedefDecl"}
# Functions that do not return, although their type says so.
RAISING = r"(lua_error|luaL_(arg)?error|script_raise)\b"
CASTS = {"ImplicitCastExpr", "CStyleCastExpr", "ParenExpr"}

# A mutant: the bytes of the expression, what stands before the fall-through and behind it.
Mutant = collections.namedtuple("Mutant", "file line function kind change start end instead before after")
# The text from `start` to `end`; `atom`: it is a use of a macro, whose inside is not the file's.
Extent = collections.namedtuple("Extent", "start end atom")


class Unreadable(Exception):
    """clang cannot parse the file."""


def syntax_tree(command):
    """Returns clang's tree for a command of compile_commands.json; each place has its file."""
    words = shlex.split(command["command"])
    flags = [word for i, word in enumerate(words[1:], 1)
             if word.startswith(("-D", "-I", "-std", "-isystem")) or words[i - 1] == "-isystem"]
    clang = ["clang", *flags, "-w", "-fsyntax-only", "-Xclang", "-ast-dump=json", command["file"]]
    done = subprocess.run(clang, cwd=command["directory"], capture_output=True, check=False)
    if done.returncode != 0:
        raise Unreadable(done.stderr.decode(errors="replace"))
    last = [None]

    def place(value):
        # clang names a file only where it is another one than at the place before.
        if "offset" in value:
            last[0] = value.get("file", last[0])
            value["file"] = last[0]
        return value

    return json.loads(done.stdout, object_hook=place)


def squeeze(text, limit=90):
    text = " ".join(re.sub(r"/\*.*?\*/", " ", text, flags=re.S).split())
    return text if len(text) <= limit else text[:limit - 3] + "..."


class Source:
    """A file's text, a character a byte, and the mutants found in it."""

    def __init__(self, path, name, text):
        self.path, self.name, self.text = path, name, text
        self.function = self.result_type = ""
        self.mutants = []
        self.lines = [0] + [m.end() for m in re.finditer("\n", text)]

    # --- places ---

    def line_of(self, offset):
        low, high = 0, len(self.lines)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.lines[middle] <= offset else (low, middle)
        return low + 1

    def macro_end(self, start, length):
        """Returns the end of a use of a macro, with its arguments if it has any."""
        end = start + length
        paren = re.compile(r"\s*\(").match(self.text, end)
        if not paren:
            return end
        depth, i = 1, paren.end()
        while depth > 0:
            token = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|.', re.S).match(self.text, i)
            depth += {"(": 1, ")": -1}.get(token.group(), 0)
            i = token.end()
        return i

    def extent(self, node):
        """Returns where an expression stands, or None if that is not a part of this file alone."""
        begin, end = node.get("range", {}).get("begin", {}), node.get("range", {}).get("end", {})
        first, last = begin.get("expansionLoc", begin), end.get("expansionLoc", end)
        if any(each.get("file") != self.path for each in (first, last)):
            return None
        finish = last["offset"] + last["tokLen"]
        if "expansionLoc" in end:
            finish = self.macro_end(last["offset"], last["tokLen"])
        atom = "expansionLoc" in begin and first["offset"] == last["offset"]
        return Extent(first["offset"], finish, atom)

    def text_of(self, extent):
        return self.text[extent.start:extent.end]

    # --- mutants ---

    def add(self, kind, change, extent, instead, before="", after=""):
        self.mutants.append(Mutant(self.name, self.line_of(extent.start), self.function, kind, change,
                                   extent.start, extent.end, instead, before, after))

    def negate(self, node):
        """A condition, or the bool that is returned; the comparisons that are swapped have their own."""
        extent = self.extent(node)
        inner = plain(node)
        if extent is None or (inner["kind"] == "BinaryOperator" and inner["opcode"] in ("==", "!=")):
            return
        text = self.text_of(extent)
        if text in ("true", "false"):
            return
        self.add("negate", f"{squeeze(text)} -> not", extent, f"!({text})", "!!(", ")")

    def operator(self, node):
        new = (COMPARISONS | LOGICAL).get(node["opcode"])
        extent = self.extent(node)
        left, right = (self.extent(child) for child in node["inner"])
        if not new or None in (extent, left, right) or extent.atom:
            return
        between = self.text[left.end:right.start]
        if between.strip() != node["opcode"]:
            return
        instead = self.text_of(left) + between.replace(node["opcode"], new) + self.text_of(right)
        self.add("operator", f"{squeeze(self.text_of(extent))} -> {new}", extent, instead)

    def literal(self, node):
        extent = self.extent(node)
        if extent is None:
            return
        text = self.text_of(extent)
        # The line tells which of many zeros it is.
        place = squeeze(self.text[self.lines[self.line_of(extent.start) - 1]:].split("\n", 1)[0], 70)
        if text in ("true", "false"):
            new = "false" if text == "true" else "true"
            self.add("constant", f"{text} -> {new} in {place}", extent, new)
        elif not extent.atom and re.fullmatch(r"(0[xX])?[0-9a-fA-F]+[uUlL]*", text):
            new = f"{text} + 1" if re.fullmatch(r"0[uUlL]*", text) else f"{text} - 1"
            self.add("constant", f"{text} -> {new} in {place}", extent, new)

    def drop(self, node):
        """A statement that calls a function, assigns or counts."""
        inner = node
        if node["kind"] == "CStyleCastExpr" and node["castKind"] == "ToVoid":
            inner = plain(node)
            if inner["kind"] != "CallExpr":
                return
        kind, extent = inner["kind"], self.extent(node)
        if extent is None or not (kind in ("CallExpr", "CompoundAssignOperator")
                                  or (kind == "BinaryOperator" and inner["opcode"] == "=")
                                  or (kind == "UnaryOperator" and inner["opcode"] in ("++", "--"))):
            return
        self.add("drop", f"drop {squeeze(self.text_of(extent))}", extent, "(void)0", "(void)(", ")")

    def returned(self, node):
        """Returns whether the value needs no other mutants."""
        extent = self.extent(node)
        if extent is None:
            return False
        text = self.text_of(extent)
        if self.result_type == "bool":
            self.negate(node)
        elif re.match(RAISING, text):
            return False
        elif self.result_type == "int":
            new = "-1" if text == "0" else "0"
            instead = new if text == "0" else f"((void)({text}), {new})"
            self.add("status", f"return {squeeze(text)} -> {new}", extent, instead)
            return text in ("0", "-1")
        return False

    # --- walking ---

    def statement(self, node):
        self.drop(node)
        self.walk(node)

    def walk(self, node):
        kind = node.get("kind")
        children = [child for child in node.get("inner", []) if child.get("kind")]
        if kind in SKIPPED or (kind == "VarDecl" and node.get("storageClass") == "static"):
            return
        extent = self.extent(node)
        if kind == "IntegerLiteral":
            self.literal(node)
        if extent is not None and (extent.atom or (kind == "InitListExpr" and self.text_of(extent) == "{ 0 }")):
            return
        if kind == "BinaryOperator":
            self.operator(node)
        if kind in CASTS and node.get("castKind") == "NullToPointer":
            return
        if kind == "UnaryOperator" and node["opcode"] == "-" and children[0]["kind"] == "IntegerLiteral":
            return
        self.walk_children(kind, node, children)

    def walk_children(self, kind, node, children):
        if kind in ("IfStmt", "WhileStmt", "ConditionalOperator"):
            self.negate(children[0])
        elif kind == "DoStmt":
            self.negate(children[1])
        elif kind == "ForStmt" and node["inner"][2].get("kind"):
            self.negate(node["inner"][2])
        elif kind == "ReturnStmt" and children and self.returned(children[0]):
            return
        for child in children:
            if child is self.body_of(kind, node, child):
                self.statement(child)
            else:
                self.walk(child)

    @staticmethod
    def body_of(kind, node, child):
        """Returns the child if it is a statement and not a part of an expression."""
        inner = node["inner"]
        bodies = {"CompoundStmt": inner, "IfStmt": inner[1:], "WhileStmt": inner[1:], "ForStmt": inner[4:],
                  "DoStmt": inner[:1], "CaseStmt": inner[-1:], "DefaultStmt": inner, "LabelStmt": inner,
                  "SwitchStmt": inner[1:]}.get(kind, [])
        return child if any(child is body for body in bodies) else None


def plain(node):
    """Returns an expression without parentheses and casts."""
    while node["kind"] in CASTS:
        node = node["inner"][0]
    return node


def find(command, name):
    """Returns the mutants of the file of a compile command, which the report calls by this name."""
    with open(command["file"], encoding="latin-1", newline="") as file:
        source = Source(command["file"], name, file.read())
    for node in syntax_tree(command)["inner"]:
        if node["kind"] != "FunctionDecl" or node.get("loc", {}).get("file") != source.path:
            continue
        source.function = node["name"]
        source.result_type = node["type"]["qualType"].split("(")[0].strip()
        for child in node.get("inner", []):
            if child["kind"] == "CompoundStmt":
                source.walk(child)
    return number_equals(sorted(source.mutants, key=lambda m: (m.start, m.end, m.kind, m.instead)))


def number_equals(mutants):
    """Makes the changes of a function distinct, so that a list can name them without a line."""
    seen = collections.Counter()
    result = []
    for each in mutants:
        seen[each.function, each.change] += 1
        count = seen[each.function, each.change]
        result.append(each._replace(change=f"{each.change} ({count})") if count > 1 else each)
    return result


def with_all(text, numbered):
    """Returns the text of a file with these (number, mutant) as alternatives."""
    at = collections.defaultdict(list)
    for number, each in numbered:
        head = f"(mutant({number}) ? ({each.instead}) : {each.before or '('}"
        # At one place: ends before beginnings, inner ends first, outer beginnings first.
        size = each.end - each.start
        at[each.start].append((1, -size, number, head))
        at[each.end].append((0, size, -number, (each.after or ")") + ")"))
    parts, last = ['#include "../../tests/mutate/switch.h"\n#line 1\n'], 0
    for place in sorted(at):
        parts.append(text[last:place])
        parts.extend(insert[3] for insert in sorted(at[place]))
        last = place
    return "".join(parts) + text[last:]


def with_one(text, each):
    """Returns the text of a file with one mutant instead of the source."""
    return text[:each.start] + "(" + each.instead + ")" + text[each.end:]
