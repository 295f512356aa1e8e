# SPDX-License-Identifier: MIT
"""What gcov counted, as one table: files with their functions, lines and branches.

A function that is in several objects (inline, in a header) counts once: it is covered where any of its copies is.
So does a line with several functions or statements. A branch is one way that a jump of the unoptimized program can
go; each operand of && and || has two. What is left out: nothing."""

import json
import pathlib
import subprocess


class File:
    def __init__(self, name):
        self.name = name
        self.functions = {}  # name: [first line, times called]
        self.lines = {}  # number: times reached
        self.owners = {}  # number: the function that the line is in
        self.branches = {}  # number: times that each branch was taken

    def add(self, found):
        """One object's view of this file."""
        for function in found["functions"]:
            entry = self.functions.setdefault(function["name"], [function["start_line"], 0])
            entry[1] += function["execution_count"]
        for line in merged_lines(found["lines"]):
            number, branches = line["line_number"], line["branches"]
            self.lines[number] = self.lines.get(number, 0) + line["count"]
            self.owners.setdefault(number, line.get("function_name", ""))
            known = self.branches.setdefault(number, [0] * len(branches))
            if len(known) == len(branches):  # another compilation of the same line may have fewer
                self.branches[number] = [sum(pair) for pair in zip(known, branches)]

    def totals(self):
        """(of which covered, number) of functions, lines and branches."""
        branches = [count for counts in self.branches.values() for count in counts]
        return tuple((sum(count > 0 for count in counts), len(counts)) for counts in
                     ([count for _, count in self.functions.values()], list(self.lines.values()), branches))

    def missing_lines(self, function):
        return [number for number, count in sorted(self.lines.items()) if not count and self.owners[number] == function]

    def missing_branches(self, function):
        """Lines that were reached, but not left in all directions."""
        return [number for number, counts in sorted(self.branches.items())
                if self.lines[number] and not all(counts) and self.owners[number] == function]


def merged_lines(lines):
    """gcov lists a line once for each function on it, as one that a macro made."""
    merged = {}
    for line in lines:
        entry = merged.setdefault(line["line_number"], {"line_number": line["line_number"], "count": 0, "branches": [],
                                                        "function_name": line.get("function_name", "")})
        entry["count"] += line["count"]
        entry["branches"] += [branch["count"] for branch in line["branches"]]
    return merged.values()


def read(root, objects, folders):
    """{name: File} of what the objects below `objects` (.gcno, .gcda) say about the source in `folders`."""
    files = {}
    notes = [note for folder in folders for note in sorted((objects / folder).rglob("*.gcno"))
             if (root / note.relative_to(objects)).with_suffix(".c").exists()]  # a source that went leaves its object
    for note in notes:
        # one at a time: with several, gcov 12 leaves out what it has seen before
        output = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", str(note)], cwd=root,
                                capture_output=True, text=True, check=True).stdout
        for line in output.splitlines():
            for found in json.loads(line)["files"]:
                name = str(pathlib.PurePosixPath(found["file"]))
                if name.split("/")[0] in folders:
                    files.setdefault(name, File(name)).add(found)
    return files
