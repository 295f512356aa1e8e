# SPDX-License-Identifier: MIT
"""The dashboard is one page: a table made by the server that needs no script, texts that cannot become
markup, nothing from elsewhere, a policy that lets no other script or style run, and a bounded size."""

import html.parser
import re

from lib import check, contains, equal
from sidecarlib import AUTO, ESSENTIAL, INTERNAL, WANTED, Page, Sidecar

MOST = 60000  # bytes of the page, but for the rows
EVIL = "<script>alert('1')</script>\"&"


class Reader(html.parser.HTMLParser):
    """What a browser without scripts would show and load."""

    def __init__(self):
        super().__init__()
        self.rows, self.links, self.scripts, self.nonces, self.ids = [], [], 0, set(), set()
        self.cell = False

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        self.scripts += tag == "script"
        for name in ("src", "href", "action"):
            if name in attrs:
                self.links.append(attrs[name])
        if tag in ("script", "style"):
            self.nonces.add(attrs.get("nonce"))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.cell = tag in ("td", "th", "span", "small")

    def handle_data(self, data):
        if self.cell and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def read(sidecar):
    answer = sidecar.get("/")
    equal((answer.status, answer.headers["Content-Type"]), (200, "text/html; charset=utf-8"), "answer")
    reader = Reader()
    reader.feed(answer.text)
    return answer, reader


def main():
    with Sidecar() as sidecar:
        page = Page(sidecar.run_dir, [{"name": "db", "pid": 4711, "restarts": 7},
                                      {"name": "api", "state": "failed", "reason": EVIL, "flags": WANTED | AUTO},
                                      {"name": "muster-sidecar", "flags": ESSENTIAL | WANTED | INTERNAL}],
                    host="pc<b>1", mode="&amp;")
        page.set("db", start_begin=page.boot + 10**8, ready_at=page.boot + 6 * 10**8)
        page.set_phase("degraded")
        answer, reader = read(sidecar)
        equal([row[:2] for row in reader.rows[1:]], [["db", "ready"], ["apioptional", "failed"]], "rows")
        equal(reader.rows[1][3:6], ["500ms", "4711", "7"], "start, pid, restarts")
        equal(reader.rows[2][9], EVIL, "why")
        contains(answer.text, "api failed: &lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;</p>", "what is wrong")
        check(len(answer.body) < MOST, f"{len(answer.body)} bytes")
        contains(answer.text, "pc&lt;b&gt;1", "host")
        equal(reader.scripts, 1, "scripts")
        equal([link for link in reader.links if ":" in link or link.startswith("//")], ["data:,"], "links outside")
        policy = answer.headers["Content-Security-Policy"]
        equal(len(reader.nonces), 1, "nonces")
        nonce = reader.nonces.pop()
        contains(policy, f"script-src 'nonce-{nonce}'", "policy")
        contains(policy, "default-src 'none'", "policy")
        check("unsafe" not in policy and re.fullmatch("[0-9a-f]{32}", nonce), f"{policy} {nonce}")
        check({"rows", "phase", "facts", "wrong", "lost", "picture"} <= reader.ids, "what the script looks for")
        check("{{" not in answer.text, "all fields are filled")
        for link in reader.links:
            if link.startswith("#"):
                check(link[1:] in reader.ids, f"link {link}")
            elif not link.startswith("data:"):
                check(sidecar.get("/" + link).status in (200, 503), f"link {link}")
        other = read(sidecar)[1].nonces.pop()
        check(other != nonce, "each answer has its own nonce")


main()
