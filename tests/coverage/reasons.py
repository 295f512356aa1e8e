# SPDX-License-Identifier: MIT
"""tests/coverage/reasons: why something is not covered.

    @word  a reason that is often given
    FILE FUNCTION NUMBER REASON

NUMBER: of lines that this excuses at most, so that new code in the function has to be tested or thought about. With a
~ behind it, as in 2~, they are sometimes covered, by chance. REASON: words; @word stands for those of that word.
"""


class Reasons:
    def __init__(self, path):
        self.path = path
        self.words = {}
        self.given = {}  # (file, function): (line here, number, by chance, text)
        self.wrong = []
        for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("@"):
                word, _, text = line.partition(" ")
                self.words[word] = text.strip()
            elif line.strip() and not line.startswith("#"):
                self.take(at, line)

    def take(self, at, line):
        fields = line.split(None, 3)
        if len(fields) < 4 or not fields[2].rstrip("~").isdigit():
            self.wrong.append(f"{self.path.name}:{at}: not FILE FUNCTION NUMBER REASON: {line}")
            return
        file, function, number, text = fields
        unknown = [word for word in text.split() if word.startswith("@") and word not in self.words]
        if unknown or (file, function) in self.given:
            self.wrong.append(f"{self.path.name}:{at}: {unknown[0] + ' is not explained' if unknown else 'again'}: {line}")
        self.given[file, function] = at, int(number.rstrip("~")), number.endswith("~"), text

    def why(self, file, function):
        """The reason in words, "" where none is given."""
        text = self.given.get((file, function), (0, 0, False, ""))[3]
        return " ".join(self.words.get(word, word) for word in text.split())

    def judge(self, files, gaps):
        """What is wrong: gaps without a reason, and reasons without a gap."""
        yield from self.wrong
        for (file, function), lines in sorted(gaps.items()):
            _, number, _, _ = self.given.get((file, function), (0, 0, False, ""))
            if len(lines) > number:
                yield f"{file} {function}: {len(lines)} lines are not covered, reasons are given for {number}"
        for (file, function), (at, _, chance, _) in self.given.items():
            if file not in files or function not in files[file].functions:
                yield f"{self.path.name}:{at}: there is no {function} in {file}"
            elif (file, function) not in gaps and not chance:
                yield f"{self.path.name}:{at}: {function} of {file} is covered"
