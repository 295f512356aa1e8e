# SPDX-License-Identifier: MIT
"""musterctl convert: a supervisord, Procfile or Compose configuration becomes one that muster takes."""

import os
import pathlib
import re
import subprocess
import tempfile

from lib import CTL, check, contains, equal, matches

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="muster-convert-"))

SUPERVISORD = """
[supervisord]
nodaemon=true
environment=SHARED="s"
[unix_http_server]
file=/var/run/supervisor.sock   ; the path to the socket
[program:web]
command=/bin/echo -w %(ENV_WORKERS)s --name "%(program_name)s ; x" 100%% ; a comment
directory=/tmp
autorestart=true
environment=A="1, 2",B='x y'
redirect_stderr=true
priority=10
[program:worker]
command=sh -c "exec echo $FOO ${BAR}"
autostart=false
autorestart=false
stdout_logfile=/var/log/worker.log
stdout_logfile_maxbytes=50MB
stopsignal=QUIT
stopwaitsecs=30
exitcodes=0,2
frobnicate=7
[program:quiet]
command=sh -c 'echo "$FOO ${BAR} $$%%" %(ENV_WORKERS)s'
environment=A='%(ENV_BAR)s; x',B="$${BAR}"
stdout_logfile=/dev/null
stderr_logfile=/dev/null
stopsignal=SIGUSR1
numprocs=2
numprocs_start=1
startsecs=30
"""
PROCFILE = """# comment
release: echo "it's" migrated
web: FOO=1 sh -c 'echo $FOO on $PORT'
list: cd / && pwd
plain: ./bin/x --y
simple: exec ./bin/x --y
port: exec echo "$PORT"
file: exec echo "$PORT" >/dev/null
"""
COMPOSE = """
x-common: &common
  restart: unless-stopped
  environment: {LOG: info}
include: [other.yml]
services:
  redis:
    image: redis:7
    mem_limit: 64mb
    command: redis-server --save ''
    healthcheck: {test: [CMD, redis-cli, ping], interval: 1m30s, timeout: 500ms, retries: 3}
  api:
    <<: *common
    entrypoint: [sh, -c]
    command: ["echo \\"hi ${WHO:-x}\\" '$$HOME' $PORT"]
    depends_on:
      redis: {condition: service_healthy}
      late: {condition: service_started, required: false, restart: true}
    user: "1000:1001"
    cap_drop: [ALL]
    ulimits: {nofile: {soft: 512, hard: 1024}}
    frobnicate: 7
  words:
    command: sh -c 'echo $$HOME $PORT $$(( 1 + 1 ))'
    environment: {<<: [{A: a, B: b}, {B: c, C: c, <<: {D: d}}], A: own}
    healthcheck: {test: "true", start_period: 10s, interval: 5s, retries: 4, start_interval: 1s}
    mem_limit: 1.5g
    env_file: [{path: ./none.env, required: false}]
    deploy:
      resources: {limits: {cpus: '0.5'}, reservations: {memory: 32m}}
      restart_policy: {condition: any}
  late:
    command: sleep 1000
    environment: ["A=b c", "Q=x;y", "E=$$5 ${V-d}"]
    stop_grace_period: 1m
    restart: on-failure:5
"""


def write(name, text):
    (FOLDER / name).write_text(text)
    return FOLDER / name


def convert(path, *options):
    return subprocess.run([CTL, "convert", *options, path], capture_output=True, text=True, check=False)


def notes_of(ini):
    return "\n".join(line for line in ini.splitlines() if line.startswith("; NOTE"))


def graph_of(name, text, **env):
    """What a converted file says, once musterctl has checked it."""
    result = convert(write(name, text))
    equal(result.returncode, 0, f"exit code for {name}: {result.stderr}")
    out = write(name + ".ini", result.stdout)
    checked = subprocess.run([CTL, "check", out], env=os.environ | env, capture_output=True, text=True, check=False)
    equal((checked.returncode, checked.stdout), (0, "ok\n"), f"check of {result.stdout}\n{checked.stderr}")
    return result.stdout, result.stderr


def outputs(ini, service, command=None, **env):
    """What the command of a converted service, or another in its place, prints under muster-init."""
    block = ini.split(f"[service:{service}]\n")[1].split("\n[")[0]
    keys = re.findall(r"^(?:command|environment) .*(?:\n    .*)*", block, re.M)
    if command:
        keys = [f"command = {command}"] + [key for key in keys if key.startswith("environment")]
    text = f"[muster]\nlog = inherit\n[service:{service}]\ntype = oneshot\n" + "\n".join(keys) + "\n"
    (FOLDER / "run").mkdir(exist_ok=True)
    env = {"PATH": os.environ["PATH"], "MUSTER_RUN_DIR": str(FOLDER / "run")} | env
    result = subprocess.run([pathlib.Path(CTL).with_name("muster-init"), "-c", write("run.ini", text)], env=env,
                            capture_output=True, text=True, timeout=60, check=False)
    equal(result.returncode, 0, f"exit code of {text}: {result.stderr}")
    return result.stdout


# ---- supervisord ----
ini, said = graph_of("supervisord.conf", SUPERVISORD, WORKERS="4", BAR="b")
for part in ["working_dir       = /tmp", "restart           = always", "log               = file:/var/log/worker.log",
             "log_max_size      = 50M", "stop_signal       = QUIT", "stop_signal       = SIGUSR1", "log               = none", "stop_grace_period = 30s", "start             = manual"]:
    contains(ini, part, "converted supervisord")
for part in ["priority = 10", "[unix_http_server]", "exitcodes = 0,2", "frobnicate = 7", 'environment = SHARED="s": say it of each',
             "numprocs_start = 1", "startsecs = 30"]:
    contains(notes_of(ini), part, "notes")
check("stderr_logfile" not in notes_of(ini), "both outputs of quiet go nowhere")
contains(said, "3 services", "what is said")
equal(outputs(ini, "web", WORKERS="4"), "-w 4 --name web ; x 100%\n", "web's arguments")
equal(outputs(ini, "web", "printenv A B"), "1, 2\nx y\n", "web's environment")
equal(outputs(ini, "worker", FOO="f", BAR="b"), "f b\n", "the shell gets its own variables")
matches(outputs(ini, "quiet", FOO="f", BAR="b", WORKERS="4"), r"^f b \d+% 4$", "they are the shell's in single quotes, too")
equal(outputs(ini, "quiet", "printenv A B", BAR="b"), "b; x\n$${BAR}\n", "environment in quotes of both kinds")

# ---- Procfile ----
ini, said = graph_of("Procfile", PROCFILE)
equal(outputs(ini, "release"), "it's migrated\n", "release")
equal(outputs(ini, "web", PORT="80"), "1 on 80\n", "web")
equal(outputs(ini, "list"), "/\n", "a list of commands")
equal(ini.count("command           = ./bin/x --y\n"), 2, "no shell where none is needed, and no exec")
equal(outputs(ini, "port", PORT="80"), "80\n", "exec is not executed")
equal(outputs(ini, "file", PORT="80"), "", "exec with its output elsewhere")
equal(ini.count("depends_on        = release"), 6, "services that wait for release")

# ---- Compose ----
ini, said = graph_of("compose.yml", COMPOSE, PORT="80")
for part in ["readiness_probe   = exec:redis-cli ping", "readiness_probe_period = 90s", "readiness_probe_timeout = 500ms",
             "depends_on        = redis:healthy, ?late:started:restart", "user              = 1000", "group             = 1001",
             "cap_drop          = ALL", "ulimit_nofile     = 512:1024", "stop_grace_period = 60s", "restart_limit     = 5/60s",
             "command           = redis-server --save ''", "restart           = unless-stopped"]:
    contains(ini, part, "converted Compose file")
for part in ["frobnicate", "healthcheck.start_interval", "deploy.restart_policy", "deploy.resources.reservations.memory", "include"]:
    contains(notes_of(ini), f"{part}: no counterpart", "notes")
for part in ["ready_timeout     = 30s", "memory_max        = 1610612736", "memory_max        = 64M", "env_file          = ?./none.env"]:
    contains(ini, part, "converted Compose file")
equal(outputs(ini, "words", PORT="80", HOME="/h"), "/h 80 2\n", "a command in single quotes")
equal(outputs(ini, "words", "printenv A B C D"), "own\nb\nc\nd\n", "merged variables, the first that has it counts")
equal(outputs(ini, "api", PORT="80", HOME="/h"), "hi x $HOME 80\n", "api's words")
equal(outputs(ini, "late", "printenv A Q E"), "b c\nx;y\n$5 d\n", "late's environment")
contains(ini, "environment       = LOG=info", "what a merge key brings")

# ---- as people write it ----
for path in ["supervisord.conf", "Procfile", "compose.yml"]:
    lines = convert(FOLDER / path).stdout.splitlines()
    equal([line for line in lines if line != line.rstrip()], [], f"lines of {path} that end with a blank")

# ---- what cannot be read ----
for name, text, part in [
        ("a.yml", "services: [", "line 2: did not find"), ("b.yml", "x: 1\n", "no mapping `services`"), ("c.yml", "", "no mapping `services`"),
        ("d.yml", "services: {a: 5}", "services: a: is no mapping"), ("e.yml", "a: &a {<<: *a}\nservices: *a\n", "`services` is empty"),
        ("a.conf", "[supervisord]\n", "no [program:NAME]"), ("b.conf", "nonsense\n", "line 1"), ("Procfile.x", "a b c\n", "line 1"),
        ("Procfile.y", "\n# none\n", "no line"), ("c.conf", "a\0b", "NUL")]:
    result = convert(write(name, text))
    equal((result.returncode, result.stdout), (1, ""), f"exit code and output for {name}: {result.stderr}")
    contains(result.stderr, part, f"what is said of {name}")
contains(convert(FOLDER / "none.yml").stderr, "none.yml: ", "a file that is not there")
equal(convert(write("odd", "a: b\n")).returncode, 2, "a name that tells nothing")
equal(convert(write("odd", "a: b\n"), "--from", "procfile").returncode, 0, "--from tells")
equal(convert(write("odd", "a: b\n"), "--from", "json").returncode, 2, "a format that is none")

# ---- -o never overwrites ----
path = FOLDER / "out.ini"
equal(convert(FOLDER / "Procfile", "-o", path).returncode, 0, "-o")
contains(path.read_text(), "[service:web]", "what -o wrote")
equal(convert(FOLDER / "Procfile", "-o", path).returncode, 1, "-o onto a file that is there")
contains(path.read_text(), "[service:web]", "it, afterwards")

subprocess.run(["rm", "-r", FOLDER], check=True)
