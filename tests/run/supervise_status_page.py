# SPDX-License-Identifier: MIT
"""The status page can be read at any time, without a lock and by anyone; no record is ever seen half written."""
import mmap
import os
import struct
import time

from lib import SECONDS, STATES, Init, check, equal, fail, tool

M = tool("misbehave")
# restarted without a pause: some thousand writes a second
CONFIG = "[muster]\nname = storm\n" + "".join(f"""
[service:service-{i}]
command = {M} exit {10 + i}
restart_backoff = 1ms..1ms
restart_limit = unlimited
""" for i in range(6)) + f"[service:quiet]\ncommand = {M} forever\n"

# common/status.h; docs/status-page.md
HEADER = struct.Struct("=8s9IiBB2xi6Q64s16s")
RECORD = struct.Struct("=I4Bi2Ii2HI5Q64s72s")


def text(field):
    return field.split(b"\0")[0].decode()


def read_stable(page, offset, layout, generation_offset):
    """Fields of a header or record, by the rule of the page: the same even generation before and after."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        before, = struct.unpack_from("=I", page, offset + generation_offset)
        fields = layout.unpack_from(page, offset)
        after, = struct.unpack_from("=I", page, offset + generation_offset)
        if before == after and before % 2 == 0:
            return fields
    return fail("the writer is always inside")


with Init(config=CONFIG) as init:
    init.wait_line("muster-init: warning: service-5")
    init.wait_state("quiet", "running")
    with open(init.run_dir / "status", "rb") as file:
        equal(os.fstat(file.fileno()).st_mode & 0o777, 0o644, "mode of the page")
        page = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    header = read_stable(page, 0, HEADER, 12)
    magic, version, _, header_size, record_size, count, edge_offset, edge_count = header[:8]
    equal((magic, version, header_size, record_size, count), (b"MUSTERST", 1, HEADER.size, RECORD.size, 7), "header")
    equal((edge_offset, edge_count), (header_size + count * record_size, 0), "edges")
    equal(text(header[-2]), "storm", "host")
    changes = seen = 0
    starts = [0] * count
    until = time.monotonic() + 1.0
    while time.monotonic() < until or seen <= 20 and time.monotonic() < until + SECONDS:
        header = read_stable(page, 0, HEADER, 12)
        check(header[9] >= changes, "the count of changes goes back")
        changes = header[9]
        for i in range(count):
            record = read_stable(page, header_size + i * record_size, RECORD, 0)
            state, pid, begun, restarts, last_exit = record[1], *record[5:9]
            name = text(record[-2])
            check(state < len(STATES), f"state {state}")
            check(begun >= starts[i], f"{name}: starts {begun} after {starts[i]}")
            seen += begun - starts[i]
            starts[i] = begun
            if name == "quiet":
                equal((STATES[state], begun, restarts), ("running", 1, 0), name)
                continue
            number = int(name.rpartition("-")[2])
            # what belongs together is written together
            check(last_exit in (10 + number, -1), f"{name}: exit code {last_exit}")
            check(pid == 0 or STATES[state] not in ("inactive", "backoff", "completed", "failed"),
                  f"{name}: {STATES[state]} {pid}")
            check(restarts in (begun, begun - 1), f"{name}: {begun} starts, {restarts} restarts")
    check(seen > 20, f"only {seen} restarts were seen")
    # musterctl reads it by the same rule
    for _ in range(20):
        equal(init.ctl("status").returncode, 0, "exit code of musterctl status")
