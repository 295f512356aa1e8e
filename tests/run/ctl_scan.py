# SPDX-License-Identifier: MIT
"""musterctl scan: of 464 addresses in a tree of nine formats at least 462 are found where they are, and of
1,000 things that look like addresses none is taken for one. --fix changes what it showed and nothing
else."""

import collections
import json
import os
import pathlib
import random
import shutil
import stat
import subprocess
import tempfile

from lib import CTL, IS_ROOT, Terminal, check, contains, equal, until

PLANTED, LOOK_ALIKES = 464, 1000
BOOK = """[muster]
name = here
[address:redis]
port = 6379
development = 192.168.100.16
testing = 127.0.0.1
container = redis
kubernetes = redis.default.svc
production = ${REDIS_SERVER}:6380, cache-b.internal
export = REDIS_HOST={host}, REDIS_PORT={port}
[address:database]
port = 5432
development = 192.168.100.17
container = db
[address:model-server]
port = 8000
development = 192.168.100.18
production = [fd12:3456::18]:8000
"""

# {a}: an address, with or without a port; {h}: without; {e}: with a port; {v}: IPv6 in brackets and a port
TRUE = {
    "agent.py": ['HOST = "{h}"', 'client = Redis(host="{h}", port=6379)', "url = 'http://{e}/v1/chat'",
                 'NODES = ["{h}", "{h}"]', 'requests.get(f"http://{e}/health?x={{y}}")  # asks',
                 'bind = connect(("{h}", 5000))', "BROKER = os.environ.get('BROKER', 'amqp://u:p@{e}//')",
                 'peer = "{v}"', 'x = {{"redis": "redis.prod.internal:6379"}}', 'if peer == "{h}": pass'],
    "client.js": ['const host = "{h}";', "fetch('http://{e}/api');", "const ws = new WebSocket(`ws://{e}/socket`);",
                  "connect({{host: '{h}', port: 1}}) // there", 'const v6 = "http://{v}/";', "server: '{e}',"],
    "probe.c": ['inet_pton(AF_INET, "{h}", &address);', '#define SERVER "{h}"', 'connect_to("{e}"); /* now */',
                'const char *url = "tcp://{e}";', 'static const char *peers[] = {{"{h}", "{h}"}};'],
    "main.go": ['conn, err := net.Dial("tcp", "{e}")', 'const addr = "{h}"', 'url := `http://{e}/x`',
                'net.ParseIP("{h}")', 'dial("{v}")'],
    "start.sh": ["redis-cli -h {h} -p 6379 ping", 'curl -s "http://{e}/health"', "export API={e}", "ping -c1 {h}",
                 "scp model.bin admin@{h}:/data", "mysql -h{h} -u root", "until nc -z {h} 5432; do :; done",
                 "exec 3<>/dev/tcp/{h}/6379", "for h in {h} {h}; do", "ssh -L 1:{e} gate"],
    ".env": ["REDIS_HOST={h}", "BACKEND={e}", 'API_URL="http://{e}/v1"', "DATABASE_URL=postgres://u:p@{e}/db",
             "KAFKA={e},{e}", "export OTHER={h}", "CACHE=cache.internal:6379", "PEER={v}"],
    "config.yaml": ["  host: {h}", "  - {e}", '  url: "http://{e}/x"', "  nodes: [{h}, {h}]", "  db: '{h}'  # the old one",
                    "  target: model.internal:8000", "  - {{ip: {h}, role: x}}", "  dsn: postgres://db:5432/app"],
    "app.ini": ["host = {h}", "servers = {e}, {e}", "url = redis://{e}/0 ; cache", "master={h}", "peer = {v}"],
    "docker-compose.yml": ["      REDIS_URL: redis://{e}/0", "      - BACKEND_HOST={h}", '      - "registry:{h}"',
                           '    command: ["serve", "--db", "{e}"]', "      DB: {h}", "      CACHE: redis://redis:6379/1"],
}
FALSE = {
    "agent.py": ['__version__ = "{n}"', "# was {h} before", '"""Talks to {h}."""', 'app.run(host="0.0.0.0", port=8000)',
                 'EXAMPLE = "192.0.2.{b}"', 'MASK = "255.255.255.0"', "x = data[{b}::2]", 'OID = "1.3.6.1.4.1.{b}"',
                 'TIME = "12:30:{s}"', 'MAC = "02:42:ac:11:00:{x}"', 'UA = "Chrome/{n} Safari/537.36"', 'check(min_version="{n}")',
                 'D = "2026-11-21T12:30:{s}"', 'IMAGE = "redis:7"', 'where = "agent.py:{b}"', 'not_one = "300.1.2.{b}"',
                 'five = "1.2.3.4.{b}"', 'sock.bind(("127.0.0.1", 80))', 'doc = "2001:db8::{x}"', 'url = "https://pypi.org/x"'],
    "client.js": ['const version = "{n}";', "// see {e}", "/* once\n * {h}\n */", "const a = x ? foo:8080;",
                  'server.listen(8080, "0.0.0.0");', 'const ratio = "16:9";', 'const css = "a::before";', "const o = {{redis:6379}};",
                  'const hash = "AB:CD:EF:01:02:{x}";', 'import x from "https://cdn.example.org/lib@{n}/x.js";'],
    "probe.cpp": ["std::string a::b = fe80::value;", "// {h}", "#define VERSION \"{n}\"", "return dead::beef{b}();",
                  "unsigned field:16;", "using abc::def;", "const char *oid = \"2.5.4.{b}\";", "case 12: x = y ? 1:443;",
                  'set_netmask("255.255.0.0");', "inet_addr(\"0.0.0.0\"); // all", "/* http://{e}/ */", 'bind_to("127.0.0.1:6000");'],
    "main.go": ['const Version = "{n}"', "// {h}", 'net.Listen("tcp", "0.0.0.0:8080")', 'http.ListenAndServe(":8080", nil)',
                'var oid = "1.2.840.113549.1.1.{b}"', 'log.Println("main.go:{b}")', 'a[2000:3000]', 'x := "2001:db8::{x}"'],
    "start.sh": ["VERSION={n}", "# ssh {h}", "pip install torch=={n}", "apt-get install -y redis={n}", "wget https://x.org/foo-{n}.tar.gz",
                 "docker run -p 8080:80 redis:7.2", "nginx -v # {n}", "echo v{n}", "date +12:30:{s}", "npm install react@{n}",
                 "ip link set eth0 address 02:42:0a:00:00:{x}", "tar xf lib_{n}.tgz", "listen 127.0.0.1:{b}1"],
    ".env": ["APP_VERSION={n}", "# REDIS_HOST={h}", "LISTEN=0.0.0.0:8000", "START=12:30", "TAG={n}", "BIND_ADDRESS=127.0.0.1",
             "IMAGE=redis:7", "MAC=00:1a:2b:3c:4d:{x}", "NETMASK=255.255.255.128", "EXAMPLE=203.0.113.{b}", "EMPTY="],
    "config.yaml": ["  version: {n}", "  # host: {h}", "  image: registry.internal:5000/app:{n}", "  time: 12:30", "  bind: 0.0.0.0:80",
                    "  oid: 1.3.6.1.2.1.{b}", "  net: 10.{b}.0.0/16", "  - 255.255.255.0", "  versions:\n    - {n}\n    - {n}",
                    "  example: 198.51.100.{b}", "  listen: '[::]:80'", "  at: 2026-11-21 12:30:{s}", "  firmware: {n}"],
    "app.ini": ["version = {n}", "; host = {h}", "listen = 0.0.0.0:80", "start = 12:30", "oid = 2.5.29.{b}", "mask = 255.0.0.0",
                "mac = 00:1A:2B:3C:4D:{x}", "# {e}", "release = {n}", "bind = [::1]:80", "example = [2001:db8::{x}]:80"],
    "docker-compose.yml": ["    image: redis:7.2", "    # host: {h}", '      - "0.0.0.0:8080:80"', '      - "127.0.0.1:6379:6379"',
                           "    image: registry:5000/x", "      VERSION: {n}", '      - "8080:80"', "        - subnet: 172.28.0.0/16",
                           "    mac_address: 02:42:ac:11:65:{x}"],
    "package.json": ['  "version": "{n}",', '  "left-pad": "{n}",', '  "a": "^{n}",', '  "b": ">={n}",'],
    "requirements.txt": ["torch=={n}", "numpy>={n}", "x~={n}  # {n}"],
    "notes.md": ["The machine {h} is gone.", "Since version {n}.", "see section {n}"],
}


class Filler:
    """Numbers from a fixed seed, in the form that a template asks for."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def host(self):
        r = self.random.randrange
        return self.random.choice([f"192.168.{r(256)}.{r(1, 255)}", f"10.{r(256)}.{r(256)}.{r(1, 255)}",
                                   f"172.{r(16, 32)}.{r(256)}.{r(1, 255)}", f"{r(64, 99)}.{r(256)}.{r(256)}.{r(1, 255)}",
                                   "192.168.100.16"])

    def endpoint(self):
        return f"{self.host()}:{self.random.choice([80, 443, 6379, 5432, 8000, 9092, 61616])}"

    def number(self):
        r = self.random.randrange
        return f"{r(1, 20)}.{r(30)}.{r(30)}.{r(99)}"

    def fill(self, template):
        """The line, and the columns at which its addresses begin."""
        r, columns, text, rest = self.random.randrange, [], "", template
        while rest:
            start = rest.find("{")
            if start < 0 or len(rest) < start + 2:
                return text + rest.replace("}}", "}"), columns
            text, key = text + rest[:start].replace("}}", "}"), rest[start + 1]
            if key == "{":
                text, rest = text + "{", rest[start + 2:]
                continue
            if key in "hev":
                columns.append(len(text) + 1)
            text += {"h": self.host, "e": self.endpoint, "n": self.number, "b": lambda: str(r(1, 255)),
                     "v": lambda: f"[fd{r(16, 256):x}:{r(1, 65536):x}::{r(1, 65536):x}]:{r(1024, 65536)}",
                     "s": lambda: f"{r(60):02}", "x": lambda: f"{r(16, 256):02x}"}[key]()
            rest = rest[start + 3:]
        return text, columns


NAMES = ["redis.prod.internal:6379", "cache.internal:6379", "model.internal:8000", "db:5432", "redis:6379"]


def columns_of(line, columns):
    """Columns of numbers, and of the names that stand in templates as they are."""
    return sorted(columns + [line.index(name) + 1 for name in NAMES if name in line])


def pick(templates, count, filler):
    """So many lines in turn from the files, and what is to be found where."""
    lines, places, done = collections.defaultdict(list), set(), 0
    while done < count:
        for name, choices in templates.items():
            line, columns = filler.fill(filler.random.choice(choices))
            columns = columns_of(line, columns)
            if templates is TRUE and done + len(columns) > count:
                continue
            if done == count:
                break
            lines[name].append(line)
            number = sum(text.count("\n") + 1 for text in lines[name][:-1]) + 1
            places |= {(name, number, column) for column in columns}
            done += len(columns) if templates is TRUE else 1
    return lines, places


def scan(*args, **env):
    environment = {key: value for key, value in os.environ.items() if key != "MUSTER_CONFIG"}
    return subprocess.run([CTL, "scan", *map(str, args)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, env=environment | env)


def scan_json(*args):
    result = scan("--json", *args)
    return result.returncode, json.loads(result.stdout)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def figure(folder, book):
    for name, lines in pick(FALSE, LOOK_ALIKES, Filler(7))[0].items():
        write(folder / "false" / name, "\n".join(lines) + "\n")
    code, answer = scan_json("-c", book, folder / "false")
    equal([(one["file"], one["line"], one["text"]) for one in answer["findings"]], [], "false alarms")
    equal(code, 0, "exit code where there is none")
    for kind in ("bind", "comment", "documentation", "network"):
        check(answer["counts"][kind], f"{kind}: reported apart")
    lines, places = pick(TRUE, PLANTED, Filler(11))
    equal((len(lines), len(places)), (9, PLANTED), "planted formats and addresses")
    for name, text in lines.items():
        write(folder / "true" / name, "\n".join(text) + "\n")
    code, answer = scan_json("-c", book, folder / "true")
    found = {(os.path.relpath(one["file"], folder / "true"), one["line"], one["column"]) for one in answer["findings"]}
    missed = [(place, lines[place[0]][place[1] - 1]) for place in sorted(places - found)]
    print(f"{len(places & found)} of {PLANTED} found, {len(found - places)} more, no alarm in {LOOK_ALIKES}")
    check(len(missed) <= 2, f"missed: {missed}")
    equal(sorted(found - places), [], "what was not planted")
    equal(code, 1, "exit code where there are some")


ENV = "# 192.168.100.16\nREDIS=192.168.100.16:6379\nMODEL='http://192.168.100.18:8000/v1'\nOTHER=10.0.0.99\n" \
      "DB=postgres://u:p@192.168.100.17/x"
ENV_FIXED = ENV.replace("=192.168.100.16:6379", "=${REDIS_HOST}:${REDIS_PORT}").replace("@192.168.100.17", "@${DATABASE_HOST}")
YAML = """a: {host: 192.168.100.16, quoted: "192.168.100.16"}
redis: 192.168.100.16\r
kept: 192.168.100.16  # muster:ignore
# muster:ignore
too: 192.168.100.16
services: [] # db:5432
"""
YAML_FIXED = YAML.replace('"192.168.100.16"', '"${REDIS_HOST}"').replace("redis: 192.168.100.16", "redis: ${REDIS_HOST}")
INI = "[service:a]\ncommand = redis-cli -h 192.168.100.16\nenvironment = U=redis://192.168.100.16:6379/0\n" \
      "[address:redis]\nport = 6379\ndevelopment = 192.168.100.16\n"
INI_FIXED = INI.replace("-h 192.168.100.16", "-h ${address:redis:host}").replace("//192.168.100.16:6379", "//${address:redis}")
FIXES = {".env": (ENV, ENV_FIXED), "stack.yaml": (YAML, YAML_FIXED), "muster.ini": (INI, INI_FIXED),
         "agent.py": ('HOST = "192.168.100.16"\n',) * 2}


def fixes(folder, book):
    tree = folder / "fix"
    for name, (text, _) in FIXES.items():
        write(tree / name, "").write_bytes(text.encode())
    os.chmod(tree / ".env", 0o640)
    if IS_ROOT:
        os.chown(tree / ".env", 1234, 1235)
    outside = write(folder / "outside.env", "REDIS=192.168.100.16\n")
    (tree / "link.env").symlink_to(outside)
    write(tree / "one.env", "REDIS=192.168.100.16\n")
    os.link(tree / "one.env", folder / "other.env")
    shown = scan("-c", book, "--fix", tree)
    equal(shown.returncode, 1, "exit code of --fix alone")
    contains(shown.stdout, "-REDIS=192.168.100.16:6379\n+REDIS=${REDIS_HOST}:${REDIS_PORT}\n", "the difference")
    contains(shown.stderr, "nothing was written", "standard error")
    for name, (text, _) in FIXES.items():
        equal((tree / name).read_bytes(), text.encode(), f"{name} without --yes")
    shutil.copytree(tree, folder / "patched", symlinks=True)
    written = scan("-c", book, "--fix", "--yes", tree)
    equal((written.returncode, written.stdout), (1, shown.stdout), "--fix --yes where some are left")
    contains(written.stderr, "one.env: not changed: it has other names", "a file with two names")
    for name, (_, text) in FIXES.items():
        equal((tree / name).read_bytes(), text.encode(), f"{name} with --yes")
    status = (tree / ".env").stat()
    equal(stat.S_IMODE(status.st_mode), 0o640, "mode")
    if IS_ROOT:
        equal((status.st_uid, status.st_gid), (1234, 1235), "owner")
    equal(outside.read_text(), "REDIS=192.168.100.16\n", "a file outside of the tree")
    check((tree / "link.env").is_symlink(), "the link is one still")
    equal(sorted(os.listdir(tree)), sorted([*FIXES, "link.env", "one.env"]), "nothing else is in the folder")
    equal(scan("-c", book, folder / "fix" / "muster.ini").returncode, 0, "what is fixed holds none")
    equal(subprocess.run([CTL, "check", tree / "muster.ini"], check=False, env=os.environ | {"MUSTER_MODE": "development"},
                         capture_output=True, text=True).stdout, "ok\n", "the fixed configuration")
    if shutil.which("patch"):
        patched = folder / "patched"
        os.unlink(patched / "one.env")
        difference = subprocess.run([CTL, "scan", "-c", book, "--fix", "."], cwd=patched, capture_output=True, check=False)
        subprocess.run(["patch", "-p1", "--binary", "-s"], cwd=patched, input=difference.stdout, check=True)
        for name, (_, fixed) in FIXES.items():
            equal((patched / name).read_bytes(), fixed.encode(), f"{name} as patch(1) makes it")


def asks(folder, book):
    """On a terminal it asks, and only a yes writes."""
    for answer, expected in (("n\n", "A=192.168.100.16\n"), ("y\n", "A=${REDIS_HOST}\n")):
        path = write(folder / "ask" / "a.env", "A=192.168.100.16\n")
        terminal = Terminal()
        with subprocess.Popen([CTL, "scan", "-c", book, "--fix", path], stdin=terminal.slave, stdout=terminal.slave,
                              stderr=terminal.slave) as process:
            terminal.expect(r"replace 1 address as shown\? \[y/N\]")
            terminal.type(answer)
            until(lambda: (terminal.read(), process.poll() is not None)[1], "the end of musterctl scan")
            equal(process.returncode, 1 if answer == "n\n" else 0, "exit code")
        equal(path.read_text(), expected, f"after {answer!r}")
        terminal.close()


def trees(folder, book):
    tree = folder / "tree"
    for name in ("a.py", ".git/a.py", "node_modules/x/a.py", "gen/b.py", "deep/gen/c.txt", "x.min.js", "go.sum"):
        write(tree / name, 'h = "10.1.2.3"\n')
    (tree / "binary.py").write_bytes(b'\0h = "10.1.2.3"\n')
    (tree / "large.py").write_bytes(b'h = "10.1.2.3"\n' * 400000)
    (tree / "loop").symlink_to(tree)
    os.mkfifo(tree / "fifo.py")
    odd = tree / "odd\x1b[31m\n.py"
    odd.write_text('h = "10.1.2.3"\n')
    result = scan("-c", book, tree)
    equal(sorted(line.split(":")[0][len(str(tree)) + 1:] for line in result.stdout.splitlines()),
          ["a.py", "deep/gen/c.txt", "gen/b.py", "odd?[31m?.py"], "files that are looked at")
    contains(result.stderr, "1 file larger than 4 MiB: not looked at", "standard error")
    equal(scan("-c", book, "--ignore", "gen/", "--ignore", "odd*", "--ignore", "/a.py", tree).returncode, 0, "with --ignore")
    equal(scan("-c", book, "--ignore", "deep/*", "--ignore", "b.py", tree).stdout.count("\n"), 2, "paths and names")
    deep = tree / "down"
    deep.mkdir()
    descriptor = os.open(deep, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    result = scan("-c", book, deep)
    contains(result.stderr, "deeper than 100 folders", "a tree without an end")
    equal(result.returncode, 5, "what was not seen is not clean")
    subprocess.run(["rm", "-rf", deep], check=True)
    write(tree / "no" / "secret.py", 'h = "10.1.2.3"\n').chmod(0)
    if not IS_ROOT:
        result = scan("-c", book, tree / "no")
        contains(result.stderr, "secret.py: Permission denied", "a file that cannot be read")
        equal(result.returncode, 5, "exit code")
    equal(scan("-c", book, tree / "nothing").returncode, 3, "no such folder")
    equal(scan().returncode, 2, "nothing named")
    equal(scan("--json", "--fix", tree).returncode, 2, "--json and --fix")
    broken = write(folder / "broken.ini", "[address:x]\nwhat = 1\n")
    result = scan("-c", broken, tree)
    equal(result.returncode, 2, "a configuration with errors")
    contains(result.stderr, "broken.ini:2: [address:x] what", "the error")


def names(folder, book):
    """Which address of the book is meant."""
    path = write(folder / "names.py", "\n".join([
        'a = "192.168.100.16"', 'b = "192.168.100.16:6379"', 'REDIS_HOST = "10.0.0.1"', 'x = "10.0.0.2:5432"',
        'y = "redis://10.0.0.3/0"', 'z = "http://[FD12:3456:0:0::18]:8000/"', 'q = "http://cache-b.internal:6379"',
        'w = "10.0.0.4"', 'api_host = "10.0.0.5"']) + "\n")
    findings = scan_json("-c", book, path)[1]["findings"]
    equal([(one["name"], one["matched_by"], one["mode"], one["suggestion"]) for one in findings],
          [("redis", "value", "development", 'os.environ["REDIS_HOST"]'),
           ("redis", "value", "development", 'os.environ["MUSTER_ADDRESS_REDIS"]'),
           ("redis", "name", None, 'os.environ["REDIS_HOST"]'),
           ("database", "port", None, 'os.environ["MUSTER_ADDRESS_DATABASE"]'),
           ("redis", "name", None, 'os.environ["REDIS_HOST"]'),
           ("model-server", "value", "production", 'os.environ["MUSTER_ADDRESS_MODEL_SERVER"]'),
           ("redis", "value", "production", 'os.environ["MUSTER_ADDRESS_REDIS"]'),
           (None, None, None, 'os.environ["NAME_HOST"]'), (None, None, None, 'os.environ["API_HOST"]')], "names")
    equal(scan("-c", book, path, REDIS_HOST="1.1.1.1").stdout, scan("-c", book, path).stdout, "whatever is set here")
    for name, text, suggestion in (
            ("a.js", "h = '{}'", "process.env.REDIS_HOST"), ("a.c", 'h = "{}";', 'getenv("REDIS_HOST")'),
            ("a.go", 'h = "{}"', 'os.Getenv("REDIS_HOST")'), ("a.sh", "h={}", "${REDIS_HOST}"), ("a.env", "H={}", "${REDIS_HOST}"),
            ("a.yaml", "h: {}", "${REDIS_HOST}"), ("d.yaml", "apiVersion: v1\nkind: Pod\nh: {}", "$(REDIS_HOST)"),
            ("a.ini", "[service:a]\nh = {}", "${address:redis:host}"), ("b.ini", "h = {}", "${REDIS_HOST}")):
        path = write(folder / "kinds" / name, text.format("192.168.100.16") + "\n")
        equal([one["suggestion"] for one in scan_json("-c", book, path)[1]["findings"]], [suggestion], name)


if __name__ == "__main__":
    folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-scan-"))
    try:
        book = write(folder / "book.ini", BOOK)
        for test in (figure, names, fixes, asks, trees):
            test(folder, book)
    finally:
        subprocess.run(["rm", "-rf", folder], check=True)
