# SPDX-License-Identifier: MIT
"""The dashboard in a real browser: nothing is loaded from elsewhere and nothing violates the policy; without
scripts the table says what /status says; a change arrives without a reload, by /events, and where that is
refused by asking; what looks like HTML stays text; it can be used with keys alone, on a phone, and with 300
services."""

import contextlib
import os
import socket

from lib import check, contains, equal, until
from sidecarlib import AUTO, DEP_CAUSE, ESSENTIAL, WANTED, Page, Sidecar, Target, answering
from sidecarlib.browser import Browser
from sidecarlib.events import ControlSocket
from sidecarlib.gpu import Gpus

STREAMS = 32  # STREAMS_MAX
EVIL = "<img src=x onerror=alert(1)>"
TABLE = ("[...document.querySelectorAll('#rows > tr.row')].filter(tr => !tr.hidden)"
         ".map(tr => [...tr.cells].map(cell => cell.textContent.replace('▸', '').trim()))")
WAITING = WANTED | ESSENTIAL | AUTO | DEP_CAUSE


def state(tab, name):
    return f"({TABLE}.find(row => row[0] === {name!r}) || [])[1]"


def url(sidecar, path=""):
    return f"http://127.0.0.1:{sidecar.port}/{path}"


def stack():
    """A database that has failed, and who waits for it."""
    return {"services": [{"name": "db", "state": "failed", "reason": "exit code 3", "last_exit": 3, "restarts": 4},
                         {"name": "cache", "pid": os.getpid()},
                         {"name": "api", "state": "waiting", "cause": 0, "flags": WAITING},
                         {"name": "web", "state": "waiting", "cause": 2, "flags": WAITING},
                         {"name": EVIL, "state": "unhealthy", "reason": EVIL, "flags": WANTED | AUTO}],
            "edges": [("api", "db", "healthy", 0), ("api", "cache", "started", 1), ("web", "api", "healthy", 0)]}


def no_foreign_requests(tab, sidecar):
    equal([each for each in tab.requests if not each.startswith((url(sidecar), "data:"))], [], "requests to others")
    equal(tab.complaints, [], "what the browser complains of")


def without_scripts(browser, sidecar):
    tab = browser.open(url(sidecar), script=False)
    said = sidecar.get("/status").json()["services"]
    told = [[s["name"] + ("" if s["essential"] else " optional"), s["state"], str(s["pid"] or ""), str(s["restarts"]),
             s["reason"] or ""] for s in said]
    shown = []

    def look():  # more than once: without scripts the page is loaded anew every five seconds
        shown[:] = tab.value(TABLE)
        return [[" ".join(row[0].replace("optional", " optional").split()), row[1], row[4], row[5], row[9]]
                for row in shown] == told

    until(look, lambda: f"the table: {shown}, not {told}")
    check(shown[1][7].endswith("M"), f"memory: {shown[1]}")
    equal(tab.until("(document.getElementById('wrong') || {}).textContent", "what is wrong"),
          "db failed: exit code 3 · 2 wait for it · 1 other cause", "what is wrong")
    equal(tab.until("(e => e && getComputedStyle(e).visibility)(document.getElementById('filter'))", "the filter"), "hidden",
          "what needs a script")
    check(tab.until("(document.getElementById('picture') || {}).naturalWidth", "the picture") > 100, "the picture is shown")
    no_foreign_requests(tab, sidecar)
    tab.close()


def with_scripts(browser, sidecar, init):
    tab = browser.open(url(sidecar))
    init.accept()
    tab.until("live.open && data", "the stream is open")
    equal(tab.value("document.getElementById('wrong').textContent"), "db failed: exit code 3 · 2 wait for it · 1 other cause",
          "what is wrong")
    equal(tab.value("document.images.length"), 1, "images: only the timeline")
    equal([row[0] for row in tab.value(TABLE)], ["db", "cache", "api", "web", EVIL + " optional"], "names")
    equal(tab.value("document.querySelectorAll('#drawing .node').length"), 5, "services in the graph")
    equal(tab.value("document.querySelectorAll('#drawing .edge').length"), 3, "dependencies in the graph")
    equal(tab.value("document.querySelectorAll('#drawing .edge.bad').length"), 1, "those that hold somebody up")
    equal(tab.value("[...document.querySelectorAll('#drawing .node')].map(n => n.getAttribute('aria-label'))")[4],
          f"{EVIL}: unhealthy, {EVIL}", "what a reader of screens is told")
    with_keys(tab)
    check(tab.value("document.querySelectorAll('#gpus .bar').length") >= 2, "bars of the GPUs")
    contains(tab.value("document.getElementById('peers').textContent"), "connection refused", "peers")
    no_foreign_requests(tab, sidecar)
    return tab


def with_keys(tab):
    tab.value("document.querySelector('#rows button').focus()")
    tab.press("Enter")
    contains(tab.until("(document.querySelector('#rows tr.more') || {}).innerText", "details"), "exit code 3", "details")
    tab.press("Enter")
    tab.until("!document.querySelector('#rows tr.more')", "no details")
    equal(tab.value("document.querySelectorAll('#drawing [tabindex=\"0\"]').length"), 1, "places for the Tab key")
    tab.value("graph.nodes.get('db').g.focus()")
    tab.press("ArrowRight")
    contains(tab.value("document.getElementById('said').textContent"), "api", "the next to the right")
    equal(tab.value("[...document.querySelectorAll('#drawing .node.on')].length"), 4, "what it needs, and what needs it")
    tab.press("ArrowRight")
    contains(tab.value("document.getElementById('said').textContent"), "web", "and the next")
    tab.value("at('unready').click()")
    equal([row[0] for row in tab.value(TABLE)], ["db", "api", "web", EVIL + " optional"], "not ready only")
    tab.value("at('text').value = 'AP'; at('text').dispatchEvent(new Event('input', {bubbles: true}))")
    equal([row[0] for row in tab.value(TABLE)], ["api", "web"], "with this text: api waits, web waits for api")
    tab.value("at('unready').click(); at('text').value = ''; sift()")


def change_arrives(page, init, tab):
    """Without a reload, and because it was told: what is asked for now and then is not."""
    tab.until("!live.wanted && !live.busy", "all is asked for")
    tab.value("mark = 1; asking = look; look = whole => whole ? undefined : asking(false)")
    page.set("db", state="ready", reason="")
    page.set("api", state="ready", flags=WANTED | ESSENTIAL | AUTO)
    init.event("db", "ready")
    init.event("api", "ready", index=2)
    tab.until(f"{state(tab, 'api')} === 'ready' && {state(tab, 'db')} === 'ready'", "the change is shown")
    equal(tab.value("mark"), 1, "the page is the same one")
    equal(tab.value("document.querySelectorAll('#drawing .edge.bad').length"), 0, "dependencies that hold somebody up")


def asks_where_refused(browser, sidecar, page):
    """All places for streams are taken: it goes on by asking, and says so."""
    streams = []
    with contextlib.ExitStack() as taken:
        def take():  # the stream of a tab that was closed may be there for a moment
            stream = socket.create_connection(("127.0.0.1", sidecar.port))
            stream.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if stream.recv(64).startswith(b"HTTP/1.1 200"):
                streams.append(taken.enter_context(stream))
            else:
                stream.close()
            return len(streams) == STREAMS

        until(take, "all places are taken")
        tab = browser.open(url(sidecar))
        tab.until("!live.stream && document.getElementById('live').textContent.startsWith('asked')", "asks instead")
        page.set("web", state="failed", reason="signal 9", flags=WANTED | ESSENTIAL | AUTO)
        tab.until(f"{state(tab, 'web')} === 'failed'", "the change is shown")
        check(any("503" in each for each in tab.complaints), f"/events was refused: {tab.complaints}")
    tab.value("live.again = 0")
    tab.until("live.open && document.getElementById('live').textContent === 'live'", "follows again")
    return tab


def big():
    names = [f"service-{i}" for i in range(300)]
    edges = [(names[i], names[i - step], "healthy", 0) for i in range(20, 300) for step in (20, 7 + i % 13)]
    return [{"name": name} for name in names], sorted(set(edges))


def on_a_phone(browser):
    services, edges = big()
    with Sidecar() as sidecar:
        page = Page(sidecar.run_dir, services, edges=edges, host="big")
        tab = browser.open(url(sidecar), width=360, height=740, dark=True)
        tab.until("live.open && data", "it is live")
        equal(len(tab.value(TABLE)), 300, "rows")
        equal(tab.value("document.querySelectorAll('#drawing .node').length"), 300, "services in the graph")
        equal(tab.value("document.querySelectorAll('#drawing .edge').length"), len(edges), "dependencies")
        apart = """(() => { const list = [...graph.nodes.values()]; return list.every((a, i) => list.every((b, j) =>
            j <= i || a.x + a.width <= b.x || b.x + b.width <= a.x || Math.abs(a.y - b.y) >= TALL)); })()"""
        check(tab.value(apart), "no service covers another")
        check(tab.value("graph.edges.every(e => e.from.x + e.from.width < e.to.x)"), "what is needed stands to the left")
        check(tab.value("document.documentElement.scrollWidth <= innerWidth"), "the page is not wider than the phone")
        tab.value("mark = 1")
        page.set("service-7", state="failed", reason="exit code 1")
        tab.until(f"{state(tab, 'service-7')} === 'failed' && mark", "the change is shown")
        no_foreign_requests(tab, sidecar)
        tab.close()


def main():
    with Browser() as browser, Target(answering(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")) as target:
        with Gpus("gpus 2", args=["--peer", "pc2=http://127.0.0.1:1"]) as sidecar:
            page = Page(sidecar.run_dir, phase="degraded", host="pc1", **stack())
            sidecar.watch(1, f"http://127.0.0.1:{target.port}/", service=4)
            sidecar.status("ok", lambda status: "refused" in (status["peers"][0]["error"] or ""))
            without_scripts(browser, sidecar)
            with ControlSocket(sidecar.run_dir) as init:
                tab = with_scripts(browser, sidecar, init)
                change_arrives(page, init, tab)
                tab.close()
            until(lambda: sidecar.get("/livez").status == 200, "it serves")
            tab = asks_where_refused(browser, sidecar, page)
            sidecar.process.kill()
            tab.until("!at('lost').hidden && at('lost').textContent.startsWith('No answer')", "no answer")
            tab.close()
        on_a_phone(browser)


main()
