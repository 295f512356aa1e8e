# SPDX-License-Identifier: MIT
"""/status has an ETag that changes with the page; who has it already is answered 304."""

from lib import check, equal
from sidecarlib import Page, Sidecar


def main():
    with Sidecar() as sidecar:
        page = Page(sidecar.run_dir, [{"name": "db"}])
        first = sidecar.get("/status")
        tag = first.headers["ETag"]
        check(tag, "there is an ETag")
        answer = sidecar.get("/status", If_None_Match=tag)
        equal((answer.status, answer.body, answer.headers["ETag"]), (304, b"", tag), "unchanged")
        equal(sidecar.get("/status", If_None_Match=f'"x", {tag}').status, 304, "in a list")
        for have in (tag.removeprefix("W/"), "*", f'W/"x",{tag}'):
            equal((have, sidecar.get("/status", If_None_Match=have).status), (have, 304), "compared weakly")
        equal(sidecar.get("/status", If_None_Match='"x"').status, 200, "another")
        page.set("db", state="unhealthy")
        answer = sidecar.get("/status", If_None_Match=tag)
        equal((answer.status, answer.json()["services"][0]["state"]), (200, "unhealthy"), "changed")
        check(answer.headers["ETag"] != tag, "another tag")


main()
