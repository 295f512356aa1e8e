# SPDX-License-Identifier: MIT
"""The programs that are compared: our own, the floors, and the peers from Debian's packages."""
import os
import shutil
import signal

import lib

# ---- muster's builds ----

MUSTER_BUILDS = {
    "muster": (lib.BUILD / "muster-init", "make"),
    "muster-static": (lib.BUILD / "static" / "muster-init", "make STATIC=1"),
    "muster-musl": (lib.BUILD / "musl" / "muster-init", "make STATIC=musl"),
}


def find_program(name, package):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise lib.Skip(f"{name} is not here (Debian package {package})")
    return path


def find_muster(build):
    path, how = MUSTER_BUILDS[build]
    if not path.exists():
        raise lib.Skip(f"{path} is not built ({how})")
    return str(path)


# ---- wrap mode ----

def wrap_inits():
    """name -> what stands before the program's own command line, for those that are here."""
    candidates = {
        "ref-init": lambda: [lib.tool("ref_init")],
        **{build: (lambda b=build: [find_muster(b), "--"]) for build in MUSTER_BUILDS},
        "tini": lambda: [find_program("tini", "tini"), "-s", "--"],
        "tini-static": lambda: [find_program("tini-static", "tini"), "-s", "--"],
        "dumb-init": lambda: [find_program("dumb-init", "dumb-init")],
        "catatonit": lambda: [find_program("catatonit", "catatonit"), "--"],
    }
    return keep_available(candidates)


def keep_available(candidates):
    found = {}
    for name, make in candidates.items():
        try:
            found[name] = make()
        except lib.Skip as reason:
            lib.skipped(name, reason)
    return found


# ---- supervise mode ----

class Job:
    """What a supervisor is given: services (graphs.Service), where tiny writes its records, whether
    readiness is told on descriptor 3, whether what ends is started again at once."""

    def __init__(self, services, records, ready_fd=False, restart=False):
        self.services, self.records = services, records
        self.ready_fd, self.restart = ready_fd, restart

    def arguments(self, service):
        return (f"{self.records} {service.number} {service.delay} "
                f"{3 if self.ready_fd else -1}")

    def command(self, service):
        return f"{lib.tool('tiny')} {self.arguments(service)}"


class Supervisor:
    """prepare() writes the configuration into a directory and returns (argv, environment)."""

    stop_signal = signal.SIGTERM
    orders = False  # whether it knows dependencies and readiness

    def __init__(self, name):
        self.name = name

    def prepare(self, directory, job):
        raise NotImplementedError


class Reference(Supervisor):
    """The floor, and the designs that muster replaces."""

    orders = True

    def __init__(self, mode, name=None):
        super().__init__(name or f"ref-{mode}")
        self.mode = mode

    def prepare(self, directory, job):
        graph = directory / "graph"
        lines = [" ".join(map(str, [s.delay, *s.deps])) for s in job.services]
        graph.write_text("\n".join(lines) + "\n", encoding="ascii")
        mode = "keep" if job.restart else self.mode
        return [lib.tool("ref_event"), mode, str(graph), lib.tool("tiny"), job.records], {}


class Muster(Supervisor):
    """The same work as the others: no filter of system calls, unless `confined` asks for the default."""

    orders = True

    def __init__(self, build, parallel="unlimited", confined=False):
        suffix = "" if parallel == "unlimited" else f"-{parallel}"
        super().__init__(build + suffix + ("-confined" if confined else ""))
        self.program, self.parallel, self.confined = find_muster(build), parallel, confined

    def section(self, job, service):
        lines = [f"[service:{service.name}]", f"command = {job.command(service)}", "log = none"]
        if not self.confined:
            lines.append("seccomp = unconfined")
        if service.deps:
            names = ", ".join(job.services[d].name for d in service.deps)
            lines.append(f"depends_on = {names}")
        if job.ready_fd:
            lines.append("readiness_probe = fd:3")
        if job.restart:
            lines += ["restart = always", "restart_backoff = 0ms..0ms",
                      "restart_limit = 100000/60s"]
        else:
            lines.append("restart = no")
        return "\n".join(lines) + "\n"

    def prepare(self, directory, job):
        config = directory / "muster.ini"
        head = (f"[muster]\nname = bench\nstart_parallel = {self.parallel}\n"
                "start_timeout = 10m\n")
        parts = [head] + [self.section(job, service) for service in job.services]
        config.write_text("\n".join(parts), encoding="ascii")
        return [self.program, "-c", str(config)], {}


class Confined(Muster):
    """The default build, whose service gets these keys and no other confinement."""

    keys = {"no_new_privileges": "no"}

    def __init__(self, name, **keys):
        super().__init__("muster", confined="seccomp" in keys)
        self.name, self.keys = name, {**Confined.keys, **keys}

    def section(self, job, service):
        keys = "".join(f"{key} = {value}\n" for key, value in self.keys.items())
        return super().section(job, service) + keys.replace("RECORDS", job.records)


class ScanDirectory(Supervisor):
    """s6 and runit: a directory a service with a run script, here without a shell in between."""

    def write(self, directory, job):
        scan = directory / "services"
        for service in job.services:
            folder = scan / service.name
            folder.mkdir(parents=True)
            run = folder / "run"
            run.write_text(f"#!{job.command(service)}\n", encoding="ascii")
            run.chmod(0o755)
        return str(scan)


class S6(ScanDirectory):
    def __init__(self):
        super().__init__("s6")
        self.program = find_program("s6-svscan", "s6")

    def prepare(self, directory, job):
        return [self.program, "-c", "2000", self.write(directory, job)], {}


class Runit(ScanDirectory):
    stop_signal = signal.SIGHUP

    def __init__(self):
        super().__init__("runit")
        self.program = find_program("runsvdir", "runit")

    def prepare(self, directory, job):
        return [self.program, "-P", self.write(directory, job)], {}


class Supervisord(Supervisor):
    def __init__(self):
        super().__init__("supervisord")
        self.program = find_program("supervisord", "supervisor")

    def prepare(self, directory, job):
        config = directory / "supervisord.conf"
        parts = [f"[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\n"
                 f"logfile_maxbytes=0\npidfile={directory}/pid\nminfds=8192\n"]
        restart = "true" if job.restart else "false"
        for service in job.services:
            parts.append(f"[program:{service.name}]\ncommand={job.command(service)}\n"
                         f"autorestart={restart}\nstartsecs=0\nstdout_logfile=NONE\n"
                         "stderr_logfile=NONE\n")
        config.write_text("\n".join(parts), encoding="ascii")
        return [self.program, "-c", str(config)], {}


class Dinit(Supervisor):
    """Not in Debian: measured where DINIT names one."""

    orders = True

    def __init__(self):
        super().__init__("dinit")
        self.program = os.environ.get("DINIT", "")
        if not self.program:
            raise lib.Skip("not in Debian; DINIT=path names one")
        if not os.access(self.program, os.X_OK):
            raise lib.Skip(f"DINIT={self.program} is not a program")

    def prepare(self, directory, job):
        folder = directory / "dinit.d"
        folder.mkdir()
        for service in job.services:
            lines = ["type = process", f"command = {job.command(service)}"]
            lines += [f"depends-on = {job.services[d].name}" for d in service.deps]
            if job.ready_fd:
                lines.append("ready-notification = pipefd:3")
            if job.restart:
                lines += ["restart = true", "restart-delay = 0", "restart-limit-count = 0"]
            else:
                lines.append("restart = false")
            (folder / service.name).write_text("\n".join(lines) + "\n", encoding="ascii")
        boot = ["type = internal"] + [f"waits-for = {s.name}" for s in job.services]
        (folder / "boot").write_text("\n".join(boot) + "\n", encoding="ascii")
        return [self.program, "-o", "-q", "-d", str(folder), "-p", f"{directory}/ctl", "boot"], {}


def muster_supervisors():
    found = keep_available({b: (lambda b=b: Muster(b)) for b in MUSTER_BUILDS})
    return list(found.values())


def peer_supervisors(only_ordering=False):
    kinds = {"dinit": Dinit}
    if only_ordering:
        lib.skipped("s6-rc", "not in Debian 12")
    else:
        kinds |= {"s6": S6, "runit": Runit, "supervisord": Supervisord}
    return list(keep_available(kinds).values())
