#!/usr/bin/env python3
"""make lint: what the compiler does not see. Each check is a function that yields
(path, line number or 0, text); the table CHECKS at the end lists them. Exit 1 with one line
for each finding, else a summary."""
import glob, os, re, sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.chdir(TOP)

RANK = {"base": 0, "net": 1, "crypt": 1, "sql": 1, "mail": 2, "conf": 2, "queue": 3, "user": 3,
        "smtp": 4, "send": 4, "local": 4, "super": 4, "prog": 5}
HEADINGS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "ENVIRONMENT", "FILES", "EXIT STATUS",
            "DIAGNOSTICS", "EXAMPLES", "SEE ALSO"]
MACROS = {"TH", "SH", "SS", "TP", "PP", "IP", "RS", "RE", "B", "I", "BR", "RB", "BI", "IB", "RI", "IR", "br", "nf", "fi",
          "so", "UR", "UE", "TQ"}
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "gets", "system", "popen", "mktemp", "tmpnam"]


# --- reading ---------------------------------------------------------------------------------

_texts = {}


def text(path):
    if path not in _texts:
        with open(path, encoding="utf-8", errors="replace", newline="") as f:
            _texts[path] = f.read()
    return _texts[path]


def files(*patterns):
    return sorted(p for pattern in patterns for p in glob.glob(pattern, recursive=True) if os.path.isfile(p))


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(s):
    return re.sub(r"[^\n]", " ", s)


def code(path):
    """The C text without comments, strings and character constants; same lines and columns."""
    return TOKEN.sub(lambda m: blank(m.group()), text(path))


def without_comments(path):
    return TOKEN.sub(lambda m: blank(m.group()) if m.group()[0] == "/" else m.group(), text(path))


def line_of(s, pos):
    return s.count("\n", 0, pos) + 1


def c_files():
    return files("src/**/*.c", "src/**/*.h", "src/**/*.def")


def programs():
    """Rows of src/PROGRAMS: line number and columns by name."""
    for number, line in enumerate(text("src/PROGRAMS").split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        f = line.split(None, 8)
        yield number, dict(zip(("name", "source", "dir", "mode", "owner", "link", "libs", "man", "purpose"), f)), len(f)


def page_name(p):
    return p["name"].split(".so")[0] if p.get("link") == "module" else p["name"]


def split_arguments(s):
    """Arguments of a macro call, s beginning behind its parenthesis: the list and where it ends."""
    out, depth, start, i = [], 0, 0, 0
    while i < len(s):
        c = s[i]
        if c in "\"'":
            end = i + 1
            while s[end] != c:
                end += 2 if s[end] == "\\" else 1
            i = end
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                return out + [s[start:i].strip()], i
            depth -= 1
        elif c == "," and depth == 0:
            out.append(s[start:i].strip())
            start = i + 1
        i += 1
    return out, i


def rows(path):
    """(macro, arguments, line) of every row of a .def table."""
    s = without_comments(path)
    s = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: blank(m.group()), s, flags=re.M)
    pos = 0
    while True:
        m = re.compile(r"^([A-Z][A-Z_]*)\(", re.M).search(s, pos)
        if not m:
            return
        arguments, end = split_arguments(s[m.end():])
        yield m.group(1), arguments, line_of(s, m.start())
        pos = m.end() + end


def literal(s):
    """The value of adjacent C strings; what is no string between them is left out."""
    return "".join(re.findall(r'"((?:\\.|[^"\\])*)"', s))


# --- checks ----------------------------------------------------------------------------------

def check_ranks():
    for path in files("src/**/*.[ch]", "src/**/*.def"):
        own = path.split("/")[1]
        if own not in RANK:
            continue
        for m in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', without_comments(path), re.M):
            name, line = m.group(1), line_of(text(path), m.start())
            folder = name.split("/")[0] if "/" in name else ""
            if not folder:
                if not name.endswith(".inc"):  # those are generated
                    yield path, line, f'include "{name}" without its folder'
            elif folder not in RANK:
                yield path, line, f'include "{name}": there is no such rank'
            elif folder != own and RANK[folder] >= RANK[own]:
                yield path, line, f'{own} (rank {RANK[own]}) may not include "{name}" (rank {RANK[folder]})'
            elif not os.path.exists("src/" + name):
                yield path, line, f'there is no src/{name}'


def check_programs():
    names, sources = {}, set()
    for number, p, columns in programs():
        where = ("src/PROGRAMS", number)
        if columns < 9:
            yield *where, "nine columns wanted"
            continue
        if p["name"] in names:
            yield *where, f"{p['name']} stands in line {names[p['name']]} too"
        names[p["name"]] = number
        sources.add("src/" + p["source"])
        if not os.path.exists("src/" + p["source"]):
            yield *where, f"there is no src/{p['source']}"
        if p["link"] not in ("static", "dynamic", "script", "module"):
            yield *where, f"link is static, dynamic, script or module, not {p['link']}"
        if not re.fullmatch(r"[0-7]{4}", p["mode"]) or not re.fullmatch(r"\w+:\w+", p["owner"]):
            yield *where, "mode or owner is malformed"
        libs = [l for l in p["libs"].split(",") if l[0] not in "@-"]
        for l in libs:
            if l not in RANK:
                yield *where, f"there is no library {l}"
        ranks = [RANK.get(l, 0) for l in libs]
        if ranks != sorted(ranks, reverse=True):
            yield *where, "libraries must stand in falling rank"
        title = page_name(p)
        page = f"man/man{p['man']}/{title}.{p['man']}"
        if not os.path.exists(page):
            yield *where, f"{p['name']} has no page {page}"
        elif f".SH NAME\n{title} \\- {p['purpose']}\n" not in text(page):
            yield page, 0, f"the NAME line is not: {title} \\- {p['purpose']}"
    for path in files("src/prog/**/*.c"):
        if path not in sources and re.search(r"^int main\(", text(path), re.M):
            yield path, 0, "a main without a row in src/PROGRAMS"


def check_pages():
    own_tables = set(re.findall(r'\{"(\w+)", put_\w+\}', text("src/gen/mantables.c")))
    for path in files("man/man?/*"):
        s = text(path)
        m = re.fullmatch(r"man/man([1578])/([\w.-]+)\.([1578])", path)
        if not m or m.group(1) != m.group(3):
            yield path, 0, "not the name of a page of this section"
            continue
        if re.fullmatch(r"\.so man\d/[\w.-]+\n", s):
            if not os.path.exists("man/" + s[4:-1]):
                yield path, 1, f"refers to {s[4:-1]}, which is not there"
            continue
        name, section = m.group(2), m.group(1)
        head = re.search(r"^\.TH (\S+) (\d)", s, re.M)
        if not head or head.group(2) != section or head.group(1).lower() != name.lower():
            yield path, 0, f".TH {name} {section} wanted"
        headings = [(h.group(1), line_of(s, h.start())) for h in re.finditer(r'^\.SH "?([^"\n]*)"?$', s, re.M)]
        known = [h for h, _ in headings if h in HEADINGS]
        for h, line in headings:
            if h not in HEADINGS:
                yield path, line, f"{h} is not one of the fixed headings"
        if known != sorted(set(known), key=HEADINGS.index):
            yield path, 0, "headings out of order or twice: " + ", ".join(known)
        wanted = ["NAME", "DESCRIPTION", "SEE ALSO"] + (["SYNOPSIS", "EXIT STATUS"] if section in "18" else [])
        for h in wanted:
            if h not in known and not (h == "EXIT STATUS" and not is_program(name, section)):
                yield path, 0, f"the heading {h} is missing"
        if not re.search(rf"^\.SH NAME\n{re.escape(name)}(?:, [\w.-]+)* \\- \S", s, re.M):
            yield path, 0, f"the NAME line must begin: {name} \\- "
        for t in re.finditer(r"^[.']([^\s\\\"]*)", s, re.M):
            if t.group(1) and t.group(1) not in MACROS:
                yield path, line_of(s, t.start()), f"{t.group()} is no macro: a line of text must not begin with a dot"
        for t in re.finditer(r'^\.\\" @TABLE (\S+)@', s, re.M):
            if t.group(1) not in own_tables:
                yield path, line_of(s, t.start()), f"src/gen/mantables.c has no table {t.group(1)}"


def is_program(name, section):
    return any(p["name"] == name and p.get("man") == section and p.get("link") != "module" for _, p, _ in programs())


def check_banned_calls():
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")[ \t]*\(")
    for path in c_files():
        for m in pattern.finditer(code(path)):
            yield path, line_of(text(path), m.start()), f"{m.group(1)} is not used here"


def check_getenv():
    for path in c_files():
        if path.startswith(("src/base/", "src/conf/")):
            continue
        for m in re.finditer(r"\b(?:secure_)?getenv[ \t]*\(", code(path)):
            yield path, line_of(text(path), m.start()), "getenv is called in base and conf only"


def check_conditionals():
    """#if inside functions nowhere; outside only include guards and what a .def does with its macros."""
    for path in c_files():
        depth, guard_seen = 0, False
        for number, line in enumerate(code(path).split("\n"), 1):
            m = re.match(r"[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)\b[ \t]*(\w*)", line)
            if m and depth > 0:
                yield path, number, "a preprocessor conditional inside a function"
            elif m and path.endswith(".h") and m.group(1) == "ifndef" and not guard_seen:
                guard_seen = True
            elif m and not (path.endswith(".def") and m.group(1) in ("ifdef", "ifndef")):
                yield path, number, "a preprocessor conditional that is no include guard"
            elif not line.lstrip().startswith("#"):
                depth += line.count("{") - line.count("}")


SQL = re.compile(r"^\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|REPLACE\s+INTO\s|"
                 r"(CREATE|DROP|ALTER)\s+(TABLE|VIEW|INDEX|TRIGGER)\s)", re.I)


def check_sql():
    for path in c_files():
        if path in ("src/sql/queries.def", "src/sql/old.def"):
            continue
        for m in TOKEN.finditer(text(path)):
            if m.group()[0] == '"' and SQL.match(m.group()[1:]):
                yield path, line_of(text(path), m.start()), "SQL text belongs in src/sql/queries.def"


def duplicates(path, macro, what, values):
    seen = {}
    for value, line in values:
        if value in seen:
            yield path, line, f"{macro}: {what} {value} stands in line {seen[value]} too"
        seen.setdefault(value, line)


def check_tables():
    """Every .def: rows of a macro have the columns its #defines have, and names are unique."""
    keys = {"PARAMETER": 2}
    for path in files("src/**/*.def", "boot/*.def"):
        by_macro = {}
        for macro, arguments, line in rows(path):
            by_macro.setdefault(macro, []).append((arguments, line))
        if not by_macro:
            yield path, 0, "a table without rows"
        if not text(path).startswith(f"/* {os.path.basename(path)}: "):
            yield path, 1, "must begin with a comment that names the file and says what it is"
        for macro, all_rows in by_macro.items():
            columns = len(all_rows[0][0])
            described = re.search(rf"\b{macro}\(([^()]*)\)", text(path)[:text(path).find("*/")])
            if described:
                columns = described.group(1).count(",") + 1
            for arguments, line in all_rows:
                if len(arguments) != columns:
                    yield path, line, f"{macro} has {columns} columns, here are {len(arguments)}"
            yield from duplicates(path, macro, "name", [(", ".join(a[:keys.get(macro, 1)]), l) for a, l in all_rows])


def check_settings():
    path = "src/conf/schema.def"
    all_rows = [(a, l) for macro, a, l in rows(path) if macro == "SETTING" and len(a) == 9]
    ids = {a[0]: a for a, _ in all_rows}
    yield from duplicates(path, "SETTING", "file", [(literal(a[1]), l) for a, l in all_rows if literal(a[1])])
    yield from duplicates(path, "SETTING", "variable",
                          [(v, l) for a, l in all_rows for v in literal(a[4]).split(",") if v])
    for a, line in all_rows:
        default = literal(a[3])
        if default.startswith("@") and default[1:] not in ids:
            yield path, line, f"{a[0]}: the default names a setting that is not there: {default[1:]}"
        if a[2] in ("NUMBER", "SECONDS") and not re.fullmatch(r"\d*|@\w+", default):
            yield path, line, f"{a[0]}: the default is no number"
        if bool(literal(a[4])) != (a[5] != "NONE"):
            yield path, line, f"{a[0]}: a variable and its override go together"
        if not literal(a[1]) and not literal(a[4]):
            yield path, line, f"{a[0]}: neither file nor variable"


def check_events():
    path = "src/base/events.def"
    for macro, a, line in rows(path):
        template = literal(a[1])
        fields = re.findall(r"\{([^{}]*)\}", template)
        if template.count("{") != len(fields) or template.count("}") != len(fields):
            yield path, line, f"{a[0]}: braces do not match"
        for f in fields:
            if not re.fullmatch(r"[uispxt]:\w+", f):
                yield path, line, f"{a[0]}: malformed field {{{f}}}"
        if "{t:" in template and not re.search(r"\{t:\w+\}$", template):
            yield path, line, f"{a[0]}: a field that keeps blanks must stand at the end"


def check_exitcodes():
    path = "src/queue/exitcodes.def"
    all_rows = [(a, l) for macro, a, l in rows(path) if macro == "EXITCODE" and len(a) == 4]
    yield from duplicates(path, "EXITCODE", "name", [(a[1], l) for a, l in all_rows])
    for a, line in all_rows:
        n = int(a[0])
        wanted = "K" if n == 0 else "D" if 11 <= n <= 40 or n == 115 else "Z"
        if not literal(a[2]).startswith(wanted):
            yield path, line, f"{n} is of class {wanted}"


def check_queries():
    path = "src/sql/queries.def"
    for macro, a, line in rows(path):
        if macro == "QUERY" and len(a) == 5:
            for sql in (a[1], a[2]):
                marks = re.sub(r"'[^']*'", "", literal(sql)).count("?")
                if sql != "0" and marks != len(literal(a[3])):
                    yield path, line, f"{a[0]}: {marks} question marks, {len(literal(a[3]))} parameters"
            if re.search(r"[^ti]", literal(a[3]) + literal(a[4])):
                yield path, line, f"{a[0]}: types are t and i"
    numbers = [int(a[0]) for macro, a, _ in rows(path) if macro == "MIGRATION"]
    if numbers != list(range(1, len(numbers) + 1)):
        yield path, 0, "migrations must be numbered 1, 2, 3 ..."


def check_exported_names():
    """One name, one function: two libraries that export the same one cannot be linked together."""
    seen = {}
    for path in files("src/*/*.h"):
        s = code(path)
        depth = 0
        for number, line in enumerate(s.split("\n"), 1):
            m = re.match(r"(?:const |unsigned |struct |enum )*\w+[ \*]+(\w+)\(", line) if depth == 0 else None
            if m and not line.startswith(("static", "typedef", "#", " ")):
                if m.group(1) in seen and seen[m.group(1)] != path:
                    yield path, number, f"{m.group(1)} is declared in {seen[m.group(1)]} too"
                seen.setdefault(m.group(1), path)
            depth += line.count("{") - line.count("}")


def check_heads():
    for path in files("src/**/*.[ch]", "tests/**/*.[ch]"):
        s = text(path)
        if not s.startswith("/*"):
            yield path, 1, "a comment on top says what the file is"
            continue
        if path.endswith(".h"):
            want = path.split("/", 1)[1].upper().replace("/", "_").replace(".", "_")
            m = re.match(r"/\*.*?\*/\s*#ifndef (\w+)\n#define (\w+)\n", s, re.S)
            if not m or m.group(1) != m.group(2):
                yield path, 0, "an include guard is wanted right after the comment on top"
            elif path.startswith("src/") and m.group(1) != want:
                yield path, 0, f"the include guard's name is {want}"


def check_white_space():
    kinds = files("src/**/*", "tests/**/*", "man/**/*", "boot/**/*", "Makefile", "README.md", "INSTALL", "conf-*")
    for path in kinds:
        if "/corpus/" in path or "__pycache__" in path:
            continue
        with open(path, "rb") as f:
            raw = f.read()
        if b"\0" in raw:
            continue
        if raw and not raw.endswith(b"\n"):
            yield path, 0, "no newline at the end of the file"
        for number, line in enumerate(raw.split(b"\n"), 1):
            if line != line.rstrip():
                yield path, number, "white space at the end of the line"
            if b"\t" in line and path.endswith((".c", ".h", ".def", ".py")):
                yield path, number, "a tab"


CHECKS = [check_ranks, check_programs, check_pages, check_banned_calls, check_getenv, check_conditionals, check_sql,
          check_tables, check_settings, check_events, check_exitcodes, check_queries, check_exported_names, check_heads,
          check_white_space]


def main():
    wanted = sys.argv[1:]
    findings = []
    for check in CHECKS:
        if not wanted or any(w in check.__name__ for w in wanted):
            findings += check()
    for path, line, what in findings:
        print(f"{path}:{line}: {what}" if line else f"{path}: {what}")
    if findings:
        sys.exit(1)
    print(f"lint: {len(CHECKS)} checks, {len(c_files())} sources, {len(list(programs()))} programs, "
          f"{len(files('man/man?/*'))} pages: nothing found")


if __name__ == "__main__":
    main()
