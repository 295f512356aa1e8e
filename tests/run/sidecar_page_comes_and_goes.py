# SPDX-License-Identifier: MIT
"""The status page may come late, be replaced by a reload or by another init, be damaged, or be caught
in the middle of a write: each answer is of one piece, and the sidecar goes on."""

from lib import check, equal
from sidecarlib import Page, Sidecar


def names(sidecar):
    answer = sidecar.get("/status")
    return [service["name"] for service in answer.json()["services"]] if answer.status == 200 else None


def main():
    with Sidecar() as sidecar:
        equal(names(sidecar), None, "no page yet")
        page = Page(sidecar.run_dir, [{"name": "a"}])
        equal(names(sidecar), ["a"], "it came")
        page.head["replaced"] = 1
        page.write()
        other = Page(sidecar.run_dir, [{"name": "b"}, {"name": "c"}])
        equal(names(sidecar), ["b", "c"], "a reload")
        Page(sidecar.run_dir, [{"name": "d"}])
        equal(names(sidecar), ["d"], "another init, without a word from the first")
        other.path.unlink()
        equal(names(sidecar), ["d"], "the name is gone, what is mapped is not")
        page = Page(sidecar.run_dir, [{"name": "e", "state": "ready"}])
        equal(names(sidecar), ["e"], "a new one")
        page.records[0].update(state="failed")
        page.generation += 1  # odd: the writer is inside, for ever
        page.write()
        sidecar.alive()
        sidecar.get("/status")
        page.generation += 1
        page.write()
        equal(sidecar.get("/status").json()["services"][0]["state"], "failed", "after the write")
        for bad in (b"", b"x" * 100, b"MUSTERST" + b"\xff" * 400, page.bytes()[:200]):
            new = sidecar.run_dir / "bad"
            new.write_bytes(bad)
            new.rename(page.path)
            equal(names(sidecar), None, f"not a page: {bad[:20]}")
            sidecar.alive()
        # the form of a page, with numbers and texts in it that none has
        strange = bytearray(Page(sidecar.run_dir, [{"name": "x"}, {"name": "y"}], edges=[("y", "x", "healthy", 0)]).bytes())
        first = 184
        strange[first + 4:first + 8] = b"\x63\x63\x16\x63"  # state, type, flags with a cause, probe
        strange[first + 24:first + 26] = b"\xff\xff"  # the cause
        strange[first + 72:first + 208] = b"A" * 136  # name and reason, without an end
        strange[-8:-4] = b"\xff\xff\x00\x00"  # an edge from nobody
        new = sidecar.run_dir / "bad"
        new.write_bytes(strange)
        new.rename(sidecar.run_dir / "status")
        equal([(s["name"], s["state"]) for s in sidecar.get("/status").json()["services"]], [("A" * 63, "inactive"), ("y", "ready")],
              "a page with strange numbers")
        for path in ("/metrics", "/health", "/"):
            check(sidecar.get(path).status in (200, 503), f"{path} with a page with strange numbers")
        sidecar.alive()
        check(Page(sidecar.run_dir, [{"name": "f"}]) and names(sidecar) == ["f"], "at last a good one")


main()
