# SPDX-License-Identifier: MIT
"""`musterctl timeline` keeps the start-up of the container over restarts and reloads, says what would
shorten it, and `--compare` which services took longer than in earlier runs."""

import json
import xml.etree.ElementTree

from lib import Init, check, contains, equal, matches, tool

M = tool("misbehave")
CONFIG = f"""
[service:db]
command = {M} sleep 3000 notify READY=1 forever
readiness_probe = notify
[service:api]
command = {M} sleep 100 notify READY=1 forever
readiness_probe = notify
depends_on = db
[service:side]
command = {M} forever
readiness_probe = exec:true
readiness_probe_initial_delay = 20ms
"""


def timeline(init, *args):
    result = init.ctl("timeline", "--format", "json", *args)
    equal(result.returncode, 0, result.stderr)
    return json.loads(result.stdout)


def main():
    with Init(config=CONFIG) as init:
        init.wait_line("all ready after")
        first = timeline(init)
        equal(first["critical_path"], ["db", "api"], "critical path")
        equal([(one["name"], one["initial_delay_seconds"]) for one in first["advice"]],
              [("db", 0), ("api", 0)], "advice")
        for one in first["advice"]:
            # either half counts, as the path goes on to lead through both
            check(abs(one["half_saves_seconds"] - one["start_seconds"] / 2) < 1e-5, one)
        contains(init.ctl("timeline").stdout, "from started to ready; with half of that all would be ready",
                 "the advice")

        # kept over a restart and a reload
        equal(init.ctl("restart", "db", "api").returncode, 0, "restart")
        init.write("muster.ini", CONFIG + f"[service:late]\ncommand = {M} forever\n")
        equal(init.ctl("reload").returncode, 0, "reload")
        init.wait_state("late", "running")
        again = timeline(init)
        equal([(one["name"], one["start_begin"], one["ready_at"]) for one in again["services"]],
              [(one["name"], one["start_begin"], one["ready_at"]) for one in first["services"]], "the start-up")

        equal({one["verdict"] for one in timeline(init, "--compare")["compare"]}, {"new"}, "the first run")
        head = init.wait_file("run/durations").splitlines()[0]
        init.write("run/durations", head + "\napi 100 30 - 40 20\ndb 300 99000\nside - -\n")
        compared = {one["name"]: one for one in timeline(init, "--compare")["compare"]}
        equal({name: (one["earlier_seconds"], one["verdict"]) for name, one in compared.items()},
              {"api": (0.03, "slower"), "db": (99, "faster"), "side": (None, "new")}, "compared")
        matches(init.ctl("timeline", "--compare").stdout, r"^api +30ms +\S+ +\+\d+%  slower$", "as text")
        # a file of another run has nothing of this one
        init.write("run/durations", "muster-durations 1 1\napi 1 30 40\n")
        compared = {one["name"]: one for one in timeline(init, "--compare")["compare"]}
        equal(compared["api"]["earlier_seconds"], 0.03, "the median of all three")
        init.write("run/durations", "rubbish")
        equal(init.ctl("timeline", "--compare").returncode, 1, "code for rubbish")
        contains(init.ctl("timeline", "--compare").stderr, "not a file of durations", "what is said")
        equal(init.ctl("timeline", "--compare", "--format", "svg").returncode, 2, "a picture of it")
        picture = init.ctl("timeline", "--format", "svg").stdout
        contains(picture, "prefers-color-scheme:dark", "the picture")
        contains(xml.etree.ElementTree.fromstring(picture).tag, "svg", "the picture")


main()
