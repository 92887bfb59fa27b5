#!/usr/bin/env python3
"""Makes the reference part of libvmrun(3) from the public headers, and checks the rest of the page.

    library.py SOURCE

The synopsis, functions, structures and enumerations stand between two comments each; UPDATE=1 rewrites
them. What the page says elsewhere may name only functions, constants and members that the headers have.
"""
import glob
import os
import re
import sys

SECTION = '.\\" Made from the headers (%s): UPDATE=1 ctest -R docs.library\n'
END = '.\\" End of what is made from the headers.\n'
COMMENT = r"/\*(?:[^*]|\*(?!/))*\*/"


# --- C ---


def words_of(comment):
    """The text of a comment, without its stars."""
    text = re.sub(r"^/\*|\*/$", "", comment or "")
    return " ".join(re.sub(r"^\s*\* ?", "", line).strip() for line in text.split("\n")).strip()


def functions_of(text):
    form = re.compile(rf"(?:({COMMENT})\s*)?^VMRUN_API\s+([^;{{]+);", re.M)
    for found in form.finditer(text):
        declared = " ".join(found.group(2).split())
        parts = re.fullmatch(r"(.*?)(\w+)\((.*)\)", declared)
        yield parts.group(2), parts.group(1).strip(), parts.group(3), words_of(found.group(1))


def bodies_of(text, kind):
    """Yields name, text and body of each struct or enum."""
    form = re.compile(rf"(?:({COMMENT})\s*)?^{kind} (\w+) \{{\n(.*?)^\}};", re.M | re.S)
    for found in form.finditer(text):
        yield found.group(2), words_of(found.group(1)), found.group(3)


def members_of(body, end):
    """Yields each member and its text: of the comment above it, or of those behind it."""
    above = ""
    form = re.compile(rf"\s*(?:({COMMENT})|([^/;,{{}}]+(?:\([^)]*\))?(?:,\s*\*?\w+)*?){end})((?:[ \t]*{COMMENT})?)")
    for found in form.finditer(body):
        if found.group(2) is None:
            above = words_of(found.group(1))
            continue
        name = " ".join(found.group(2).split())
        if not name:
            continue
        yield name, above or words_of(found.group(3).strip())
        above = ""


# --- mdoc ---


def escaped(text):
    text = text.replace("\\", "\\e")
    return re.sub(r"^([.'])", r"\\&\1", text)


def prose(text):
    if not text:
        return ""
    if text[-1] not in ".:?!":
        text += "."
    text = text[0].upper() + text[1:] if re.match(r"[a-z]+ ", text) else text
    return "".join(escaped(s) + "\n" for s in re.split(r"(?<=[^.][.?!]) +(?=[A-Z])", text))


def synopsis(headers):
    made = ""
    for name, text in headers:
        made += f".In vmrun/{name}\n"
        for function, result, arguments, _ in functions_of(text):
            listed = " ".join(f'"{a.strip()}"' for a in arguments.split(",")) if arguments != "void" else "void"
            made += f'.Ft "{result}"\n.Fn {function} {listed}\n'
    return made


def functions(headers):
    made = '.Bl -tag -width Ds\n'
    for _, text in headers:
        for function, _, _, words in functions_of(text):
            made += f".It Fn {function}\n" + prose(words or "See the function before.")
    return made + ".El\n"


def types(headers):
    made = ""
    for kind, end in (("struct", ";"), ("enum", r"(?:,|$|(?=\s*\}))")):
        for _, text in headers:
            for name, words, body in bodies_of(text, kind):
                made += f".Ss {kind} {name}\n" + prose(words) + ".Bl -tag -width Ds -compact\n"
                for member, about in members_of(body, end):
                    made += f".It {'Va' if kind == 'struct' else 'Dv'} {escaped(member)}\n" + prose(about)
                made += ".El\n"
    return made


def known_names(headers):
    names = set()
    for _, text in headers:
        names |= set(re.findall(r"\w+", re.sub(COMMENT, "", text)))
    return names


# --- the page ---


def update(page, name, made):
    begin = SECTION % name
    start = page.index(begin) + len(begin)
    end = page.index(END, start)
    return page[:start] + made + page[end:]


def strangers(page, names):
    """Names in the prose that the headers do not have."""
    for macro, word in re.findall(r"^\.(?:It )?(Fn|Va|Dv) (\S+)", page, re.M):
        first = re.sub(r"\W.*", "", word)
        foreign = macro == "Dv" and not first.startswith("VMRUN") or macro == "Fn" and not first.startswith("vmrun_")
        if first and first not in names and not foreign:
            yield f"{macro} {word}"


def main(source):
    path = f"{source}/man/libvmrun.3"
    files = sorted(glob.glob(f"{source}/include/vmrun/*.h"), key=lambda f: (not f.endswith("/vmrun.h"), not f.endswith("/event.h"), f))
    headers = [(os.path.basename(f), open(f, encoding="utf-8").read()) for f in files]
    page = open(path, encoding="utf-8").read()
    made = page
    for name, make in (("synopsis", synopsis), ("functions", functions), ("types", types)):
        made = update(made, name, make(headers))
    if os.environ.get("UPDATE"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(made)
        page = made
    faults = [f"the headers have no {stranger}" for stranger in strangers(page, known_names(headers))]
    for name, text in headers:  # nothing may escape the forms above
        seen = set(f[0] for f in functions_of(text))
        faults += [f"{name}: not in the page: {f}" for f in re.findall(r"^VMRUN_API[^;(]*?(\w+)\(", text, re.M) if f not in seen]
        values = re.findall(r"^\t(VMRUN_\w+)", re.sub(COMMENT, "", text), re.M)
        faults += [f"{name}: not in the page: {v}" for v in values if f".It Dv {v}" not in page]
    if page != made:
        faults.append("another text than in the headers: run UPDATE=1 ctest -R docs.library")
    print(*[f"man/libvmrun.3: {fault}" for fault in faults], sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
