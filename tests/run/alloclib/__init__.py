# SPDX-License-Identifier: MIT
"""Counts the allocations of one program, and makes chosen ones fail: the other side of tests/preload/allocations.c."""

import mmap
import os
import struct
import subprocess
import tempfile

from lib import BUILD, skip

FRAMES = 12
PART = struct.Struct(f"=4Q{FRAMES}Q")
OWN, OTHERS = 0, 1  # the process that was first; what it forks, and later ones of the same name


class Allocations:
    """In a `with`, or until it is closed. `env` is for the program's environment."""

    def __init__(self, program):
        library = BUILD / "preload" / "allocations.so"
        if not library.exists():
            skip(f"{library} is not built (make tools)")
        self.file = tempfile.NamedTemporaryFile(prefix="muster-allocations-")
        os.fchmod(self.file.fileno(), 0o666)  # the program may be another user's
        self.file.truncate(8 + 2 * PART.size)
        self.map = mmap.mmap(self.file.fileno(), 0)
        self.env = {"LD_PRELOAD": str(library), "MUSTER_FAIL_FILE": self.file.name, "MUSTER_FAIL_PROGRAM": program}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.map.close()
        self.file.close()

    def _word(self, part, index, value=None):
        at = 8 + part * PART.size + 8 * index
        if value is not None:
            self.map[at:at + 8] = struct.pack("=Q", value)
        return struct.unpack_from("=Q", self.map, at)[0]

    def reset(self):
        """As if nothing had run yet; the next process is the one that is watched."""
        self.map[:] = bytes(len(self.map))

    def calls(self, part=OWN):
        return self._word(part, 0)

    def failed(self, part=OWN):
        return self._word(part, 3)

    def fail(self, number, sticky=False, part=OWN):
        """The allocation with this number from now on, 1 for the next, fails, and with `sticky` all behind it. What
        failed before is forgotten. 0: none fails any more."""
        self._word(part, 1, 0)
        self._word(part, 2, int(sticky))
        self._word(part, 3, 0)
        self.map[8 + part * PART.size + 32:8 + (part + 1) * PART.size] = bytes(8 * FRAMES)
        if number:
            self._word(part, 1, self.calls(part) + number)

    def disarm(self):
        """None fails any more; what failed is kept."""
        self._word(OWN, 1, 0)
        self._word(OTHERS, 1, 0)

    def callers(self, program, part=OWN):
        """Where in the program the first was that failed, for people; [] when a library did that before main()."""
        offsets = [hex(self._word(part, 4 + i)) for i in range(FRAMES) if self._word(part, 4 + i)]
        if not offsets:
            return []
        found = subprocess.run(["addr2line", "-f", "-s", "-e", str(program), *offsets], capture_output=True, text=True,
                               check=False).stdout.split("\n")
        return [name for name in found[::2] if name]
