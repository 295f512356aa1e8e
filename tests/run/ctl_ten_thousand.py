# SPDX-License-Identifier: MIT
"""Ten thousand services in one page are no trouble for any verb that reads it."""

import json
import time
import xml.etree.ElementTree

from ctllib import FakeInit, now, service
from lib import check, equal

COUNT = 10000
boot = now() - 10**10


def record(i):
    begin = boot + i * 10**6
    return service(f"service-{i}", pid=0, times=(boot, begin, begin + 10**6))


# each depends on the one before
edges = [(i, i - 1, 1, 0) for i in range(1, COUNT)]
with FakeInit([record(i) for i in range(COUNT)], edges=edges, boot=boot, startup_done=boot + 10**10) as init:
    begin = time.monotonic()
    equal(len(init.ctl("status").stdout.splitlines()), COUNT + 2, "lines of status")
    equal(len(json.loads(init.ctl("status", "--json").stdout)["services"]), COUNT, "services in JSON")
    equal(init.ctl("graph").stdout.splitlines()[-1], "service-9999  service-9998", "the last of the graph")
    timeline = json.loads(init.ctl("timeline", "--format", "json").stdout)
    equal(len(timeline["critical_path"]), COUNT, "length of the critical path")
    check(abs(timeline["critical_path_seconds"] - 10) < 0.001, "critical path")
    picture = xml.etree.ElementTree.fromstring(init.ctl("timeline", "--format", "svg").stdout)
    equal(len(picture.findall("{http://www.w3.org/2000/svg}g")), COUNT, "rows of the picture")
    equal(init.ctl("wait").returncode, 0, "exit code of wait")
    equal(init.ctl("health").returncode, 0, "exit code of health")
    equal(init.ctl("wait", "service-9999", "service-0:started").returncode, 0, "exit code of wait with names")
    check(time.monotonic() - begin < 60, "all of that within a minute")
