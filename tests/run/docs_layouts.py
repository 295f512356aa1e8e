# SPDX-License-Identifier: MIT
"""docs/status-page.md and docs/control-protocol.md have the structs, offsets, numbers and words of common/status.h,
common/wire.h and common/states.c."""
import re

from lib import ROOT, check, equal

HEADERS = "\n".join((ROOT / "common" / name).read_text() for name in ("status.h", "wire.h", "states.h"))
STATES = (ROOT / "common/states.c").read_text()
SIZES = {"char": 1, "u8": 1, "u16": 2, "u32": 4, "i32": 4, "u64": 8}
DEFINES = {name: int(value, 0) for name, value in re.findall(r"^#define (\w+) +(0x\w+|\d+)\b", HEADERS, re.M)}


def layout(name):
    """[(offset, type, field)] of a struct, fields aligned to their size, and its size."""
    body = re.search(rf"^struct {name} \{{\n(.*?)^\}};", HEADERS, re.M | re.S)[1]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    found, offset, widest = [], 0, 1
    for kind, field, number in re.findall(r"(\w+) (\w+)(?:\[(\w+)\])?;", body):
        kind = re.sub(r"^u?int(\d+)_t$", lambda all: f"{'u' if all[0][0] == 'u' else 'i'}{all[1]}", kind)
        size = SIZES[kind]
        widest = max(widest, size)
        offset = -(-offset // size) * size
        count = int(DEFINES.get(number, number)) if number else 1
        found.append((offset, f"{kind}[{count}]" if number else kind, field))
        offset += size * count
    return found, -(-offset // widest) * widest


def rows(text, title):
    """The cells of the first table behind a heading or an italic word."""
    table = re.search(rf"^(?:#+ {title}|\*{title}\*)\n\n(?:[^|\n].*\n+)*((?:\|.*\n)+)", text, re.M)
    check(table, f"there is no table of {title}")
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table[1].splitlines()[2:]]


def check_table(text, title, struct):
    """Rows with a type are the fields of the struct, in order, up to what only fills it."""
    fields, size = layout(struct)
    told = [row for row in rows(text, title) if re.fullmatch(r"(?:char|u\d+|i\d+)(?:\[\d+\])?", row[1])]
    equal([(int(row[0]), row[1]) for row in told],
          [(offset, kind) for offset, kind, _ in fields][:len(told)], f"table of {struct}")
    check(all(field in ("pad",) for _, _, field in fields[len(told):]), f"{struct}: fields that are not in its table")
    for row, (_, _, field) in zip(told, fields):
        word = re.match(r"`(\w+)`", row[2])
        check(not word or word[1] == field, f"{struct}: {row[2]}, not {field}")
    return size


def words(array):
    """The words of an array of states.c in order."""
    body = re.search(rf" {array}\[.*?\] = \{{(.*?)\}};", STATES, re.S)[1]
    return re.findall(r'"(\w+)"', body)


def check_numbers(row, array):
    told = re.findall(r"(\d+) (\w+)", row)
    equal(told, [(str(number), word) for number, word in enumerate(words(array))], f"numbers of {array}")


def check_page():
    text = (ROOT / "docs/status-page.md").read_text()
    for title, struct in (("Header", "status_header"), ("Record", "status_record"), ("Edge", "status_edge")):
        check(str(check_table(text, title, struct)) in text, f"the size of {struct}")
    for array, title, field in (("phases", "Header", "phase"), ("states", "Record", "state"), ("types", "Record", "type"),
                                ("kinds", "Record", "probe"), ("conditions", "Edge", "condition")):
        row = next(row for row in rows(text, title) if row[2] == f"`{field}`")
        check_numbers(row[3].rpartition(": ")[2], array)
    flags = dict(re.findall(r"^#define STATUS_[A-Z_]+ +(0x\w\w)\b(.*)", HEADERS, re.M))
    equal(sorted(re.findall(r"^\| (0x\w\w) \|", text, re.M)), sorted(flags), "flags of a record")
    equal(re.search(r'STATES = "(.*?)"', text)[1].split(), words("states"), "states of the reader in Python")


def check_protocol():
    text = (ROOT / "docs/control-protocol.md").read_text()
    types = {(number, name) for name, number in re.findall(r"^\tWIRE_(\w+) = (\d+)", HEADERS, re.M)}
    check(len(types) > 10, f"types of messages: {types}")
    equal(sorted({(row[0], row[1]) for title in ("Requests", "Answers") for row in rows(text, title)}), sorted(types),
          "types of messages")
    for title, struct in (("Header", "wire_header"), ("service", "wire_service"), ("logs", "wire_logs"),
                          ("event", "wire_event"), ("line", "wire_line")):
        check_table(text, title, struct)
    check(f"at most {DEFINES['WIRE_BODY_MAX']} bytes" in text, "the size of a body")


check_page()
check_protocol()
