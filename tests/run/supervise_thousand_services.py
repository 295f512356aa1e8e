# SPDX-License-Identifier: MIT
"""A thousand services start, can be asked about one by one, and stop, within the descriptors that there are."""
from lib import Init, check, equal, tool

COUNT = 1000
M = tool("misbehave")
CONFIG = "[muster]\nstop_timeout = 1m\n" + "".join(f"""
[service:s{i}]
command = {M} forever
depends_on = {f's{i // 2}' if i else ''}
""" for i in range(COUNT))

with Init(config=CONFIG) as init:
    init.wait_line("all ready after", seconds=60)
    services = init.services()
    equal(len(services), COUNT, "services")
    equal({service["state"] for service in services.values()}, {"running"}, "states")
    equal(len({service["pid"] for service in services.values()}), COUNT, "processes")
    equal(init.ctl("stop", "s999").returncode, 0, "exit code of musterctl stop")
    rss = int(open(f"/proc/{init.pid}/statm").read().split()[1]) * 4
    check(rss < 20000, f"{rss} kB of memory")
    init.signal(15)
    equal(init.wait(60), 0, "exit code")
    init.wait_line("ended: signal TERM; exit code 0; .* none had to be killed")
