# SPDX-License-Identifier: MIT
"""The readers that docs/ shows in Python work against a real init, as written there."""
import re
import subprocess
import sys

from lib import ROOT, Init, contains, equal, tool, until

M = tool("misbehave")
CONFIG = f"""
[service:web]
command = {M} pid {{dir}}/web forever
[service:job]
type = oneshot
command = {M} exit 0
"""


def example(page, run_dir):
    """The output of a page's example, of which only the runtime directory was changed."""
    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.S)
    equal(len(code), 1, f"examples in {page}")
    result = subprocess.run([sys.executable, "-c", code[0].replace("/run/muster", str(run_dir))], text=True,
                            capture_output=True, timeout=20, check=False)
    equal((result.returncode, result.stderr), (0, ""), f"the example in {page}")
    return result.stdout


with Init(config=CONFIG) as init:
    equal(init.ctl("wait", "--timeout", "20s").returncode, 0, "exit code of wait")
    init.wait_file("web")
    contains(example("status-page.md", init.run_dir), "web running \njob completed \n", "what the page says")
    contains(example("control-protocol.md", init.run_dir), "done ", "the answer to a restart")
    until(lambda: len(init.read("web").split()) == 2, "web has been started twice")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
