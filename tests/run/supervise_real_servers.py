# SPDX-License-Identifier: MIT
"""Real servers start in order, are ready when they say so or answer, and stop: redis, PostgreSQL, nginx."""
import os
import pwd
import shutil
import socket
import subprocess
import sys

from lib import IS_ROOT, Init, contains, equal, fail, free_port, skip, until

PATIENCE = 60


def find(name):
    """A server's program: Debian keeps some out of PATH."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/lib/postgresql/15/bin",
                              "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/17/bin"])
    return shutil.which(name, path=places)


REDIS, POSTGRES, NGINX = find("redis-server"), find("postgres"), find("nginx")
missing = [name for name, path in (("redis-server", REDIS), ("postgres", POSTGRES), ("nginx", NGINX))
           if not path]
if len(missing) == 3:
    skip("none of redis-server, postgres and nginx is installed")

# who has to write everything to a busy disk may take long to stop
CONFIG = "[muster]\nstop_timeout = 50s\n"
if REDIS:
    REDIS_PORT = free_port()
    CONFIG += f"""
[service:redis]
command = {REDIS} --port {REDIS_PORT} --supervised systemd --save "" --dir {{dir}}/data
readiness_probe = notify
    tcp://127.0.0.1:{REDIS_PORT}
stop_grace_period = 50s
"""
if POSTGRES:
    CONFIG += f"""
[service:postgres]
command = {POSTGRES} -D {{dir}}/data/pg -c listen_addresses= -c unix_socket_directories={{dir}}/data
readiness_probe = notify
{"user = postgres" if IS_ROOT else ""}
stop_signal = SIGINT
stop_grace_period = 50s
"""
if NGINX:
    NGINX_PORT = free_port()
    CONFIG += f"""
[service:nginx]
command = {NGINX} -c {{dir}}/nginx.conf -g "daemon off;"
readiness_probe = tcp://127.0.0.1:{NGINX_PORT}
depends_on = {", ".join(name for name, path in (("redis", REDIS), ("postgres", POSTGRES)) if path)}
stop_signal = SIGQUIT
stop_grace_period = 50s
"""


def answer(port, text):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as link:
        link.sendall(text)
        return link.recv(4096).decode("utf-8", "replace")


def prepare_postgres(directory):
    """A fresh database cluster: PostgreSQL does not run as root."""
    folder = directory / "data" / "pg"
    user = {}
    if IS_ROOT:
        try:
            account = pwd.getpwnam("postgres")
        except KeyError:
            skip("there is no user postgres")
        os.chown(directory / "data", account.pw_uid, account.pw_gid)
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    program = os.path.join(os.path.dirname(os.path.realpath(POSTGRES)), "initdb")
    done = subprocess.run([program, "-D", folder, "-A", "trust", "-N", "-E", "UTF8", "--locale=C"],
                          capture_output=True, check=False, cwd="/", timeout=300, **user)
    if done.returncode:
        fail(f"initdb: {done.stderr.decode()}")


init = Init(config=CONFIG)
(init.dir / "data").mkdir()
if POSTGRES:
    prepare_postgres(init.dir)
if NGINX:
    init.write("nginx.conf", f"""
worker_processes 1;
pid {init.dir}/nginx.pid;
error_log stderr;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {init.dir}/body; proxy_temp_path {init.dir}/proxy;
    fastcgi_temp_path {init.dir}/fastcgi; uwsgi_temp_path {init.dir}/uwsgi; scgi_temp_path {init.dir}/scgi;
    server {{ listen 127.0.0.1:{NGINX_PORT}; return 200 "served\n"; }}
}}
""")
with init:
    names = [name for name, path in (("redis", REDIS), ("postgres", POSTGRES), ("nginx", NGINX)) if path]
    for name in names:
        until(lambda n=name: init.services().get(n, {}).get("state") == "ready", f"{name} is ready", PATIENCE)
    services = init.services()
    equal([services[name]["starts"] for name in names], [1] * len(names), "starts")
    if REDIS:
        equal(answer(REDIS_PORT, b"PING\r\n"), "+PONG\r\n", "what redis answers")
        contains(services["redis"]["reason"] or "", "Ready to accept connections", "STATUS of redis")
    if POSTGRES:
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(f"{init.dir}/data/.s.PGSQL.5432")
            link.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")  # whether it would encrypt
            equal(link.recv(1) in (b"S", b"N"), True, "PostgreSQL answers")
    if NGINX:
        contains(answer(NGINX_PORT, b"GET / HTTP/1.0\r\n\r\n"), "served", "what nginx answers")
    equal(init.ctl("shutdown", seconds=PATIENCE).returncode, 0, "exit code of musterctl shutdown")
    equal(init.wait(PATIENCE), 0, "exit code")
    contains(init.stderr, "none had to be killed", "the last line")
if missing:
    print(f"without {', '.join(missing)}", file=sys.stderr)
