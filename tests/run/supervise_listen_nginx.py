#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""nginx serves on a socket that init holds, and a restart of it makes nobody wait for more than an answer."""
import threading
import urllib.request

from lib import Init, check, equal, free_port, need, until

NGINX = need("nginx")
PORT = free_port()
CONFIG = f"""
[service:nginx]
command = {NGINX} -c {{dir}}/nginx.conf -g 'daemon off;'
listen = tcp:127.0.0.1:{PORT}
environment = NGINX=3;
stop_signal = SIGQUIT
"""
SITE = f"""
pid {{dir}}/nginx.pid;
error_log stderr;
worker_processes 1;
events {{{{ worker_connections 64; }}}}
http {{{{
    access_log off;
    client_body_temp_path {{dir}}; proxy_temp_path {{dir}}; fastcgi_temp_path {{dir}};
    uwsgi_temp_path {{dir}}; scgi_temp_path {{dir}};
    server {{{{ listen 127.0.0.1:{PORT}; location / {{{{ return 200 "here"; }}}} }}}}
}}}}
"""
answers, errors, done = [], [], threading.Event()


def ask():
    while not done.is_set():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=20) as answer:
                answers.append(answer.read())
        except OSError as error:
            errors.append(error)


init = Init(config=CONFIG)
init.write("nginx.conf", SITE.replace("{{", "{").replace("}}", "}").replace("{dir}", str(init.dir)))
with init:
    init.wait_state("nginx", "running")
    asking = threading.Thread(target=ask)
    asking.start()
    try:
        until(lambda: answers or errors, "nginx answers")
        for _ in range(5):
            before = len(answers)
            equal(init.ctl("restart", "nginx").returncode, 0, "exit code of musterctl restart")
            init.wait_state("nginx", "running")
            while len(answers) < before + 5 and not errors:
                asking.join(0.01)
    finally:
        done.set()
        asking.join()
    equal(errors, [], "requests that failed")
    equal(set(answers), {b"here"}, "answers")
    check(init.services()["nginx"]["starts"] >= 6, "it was restarted")
