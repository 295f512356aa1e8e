# SPDX-License-Identifier: MIT
"""The stack of `make demo`: what lies in demo/, on one host."""

import shutil

from demolib import ROOT, Host, Stack, free_ports, nginx_is_old, nobody, say

FAILS = "telemetry"  # the optional service that is meant to fail
COMPLETES = {"prepare", "smoke"}


class Small(Stack):
    def __init__(self, directory, _build):
        home = directory / "demo"
        shutil.copytree(ROOT / "demo", home, ignore=shutil.ignore_patterns("reference"))
        self.web, dashboard, model, api = free_ports(4)
        configs = [home / "muster.ini"] + ([home / "users.ini"] if nobody() else [])
        self.host = Host("the demo", directory / "host", configs, dashboard)
        self.hosts = [self.host]
        self.host.env |= {
            "DEMO_DIR": str(self.host.dir),
            "DEMO_HOME": str(home),
            "DEMO_WEB_PORT": str(self.web),
            "DEMO_DASHBOARD_PORT": str(dashboard),
            "DEMO_MODEL_PORT": str(model),
            "DEMO_API_PORT": str(api),
        }
        if nginx_is_old():
            self.host.env["MUSTER_SERVICE_WEB_COMMAND"] = f"nginx -c {self.host.dir}/data/nginx.conf"

    def wait_ready(self):
        self.host.wait_up()
        self.host.wait_ready(*(f"{name}:{'completed' if name in COMPLETES else 'healthy'}"
                               for name in self.host.services() if name != FAILS))

    def check(self):
        self.host.check_states({FAILS: "failed"} | dict.fromkeys(COMPLETES, "completed"))
        self.host.check_dashboard()

    def present(self):
        self.host.show("timeline")
        self.host.show("status")
        say()
        say(f"Dashboard: {self.host.url}")
        say(f"The stack: http://127.0.0.1:{self.web}/some-word")
