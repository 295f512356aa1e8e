# SPDX-License-Identifier: MIT
"""A probe of a path on a file system that does not answer holds up nobody: others get ready, questions are answered."""
import os

from lib import Init, contains, equal, need_root, skip, tool, until

need_root()
try:
    FUSE = os.open("/dev/fuse", os.O_RDWR)  # whoever opens it would have to answer
except OSError as error:
    skip(f"/dev/fuse: {error.strerror}")
M = tool("misbehave")
CONFIG = f"""
[service:hung]
command = {M} forever
readiness_probe = file:{{dir}}/mount/ready
readiness_probe_timeout = 300ms
[service:hung_socket]
command = {M} forever
readiness_probe = unix:{{dir}}/mount/socket
[service:file]
command = {M} await {{dir}}/go pid {{dir}}/up forever
readiness_probe = file:{{dir}}/up
[service:socket]
command = {M} unix {{dir}}/socket forever
readiness_probe = unix:{{dir}}/socket
"""
MOUNT = ["sh", "-c", f'mkdir "$0/mount"; mount -i -t fuse -o fd={FUSE},rootmode=40000,user_id=0,group_id=0 none "$0/mount" '
         '&& exec "$@"', "{dir}"]


def reason_of(init, name):
    return init.services().get(name, {}).get("reason") or ""


with Init(config=CONFIG, prefix=MOUNT, fds=(FUSE,)) as init:
    # a probe that has hung is ended, and says so
    until(lambda: "timed out" in reason_of(init, "hung"), "the probe times out")
    init.wait_state("socket", "ready")
    equal(init.services()["file"]["state"], "starting", "what waits for a file")
    init.write("go", "")
    init.wait_state("file", "ready")
    equal({init.services()[name]["state"] for name in ("hung", "hung_socket")}, {"starting"}, "what hangs")
    equal(init.ctl("restart", "file").returncode, 0, "exit code of musterctl restart")
    contains(reason_of(init, "hung"), "not ready yet", "reason")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
