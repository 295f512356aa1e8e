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
        equal(answer.headers["Content-Type"], None, "it says nothing of a body")
        connection = sidecar.connection()
        for _ in range(3):  # and the connection goes on behind it
            connection.request("GET", "/status", headers={"If-None-Match": tag})
            answer = connection.getresponse()
            equal((answer.status, answer.read(), answer.will_close), (304, b"", False), "one after the other")
        connection.close()
        equal(sidecar.get("/status", If_None_Match=f'"x", {tag}').status, 304, "in a list")
        for have in (tag.removeprefix("W/"), "*", f'W/"x",{tag}'):
            equal((have, sidecar.get("/status", If_None_Match=have).status), (have, 304), "compared weakly")
        equal(sidecar.get("/status", If_None_Match='"x"').status, 200, "another")
        page.set("db", state="unhealthy")
        answer = sidecar.get("/status", If_None_Match=tag)
        equal((answer.status, answer.json()["services"][0]["state"]), (200, "unhealthy"), "changed")
        check(answer.headers["ETag"] != tag, "another tag")


main()
