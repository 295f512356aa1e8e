#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever a reload finds, the old plan or the new one is in force; what did not change is left alone."""
import contextlib
import os
import random
import re
import signal
import struct
import threading
import time

from report import QUICK, Section
from lib import DONE, FAILED, RELOAD, Init, check, equal, read_proc, tool, until

M = tool("misbehave")
PREVIEW, PART = 10, 72
RELOADS = 60 if QUICK else 1_000
RATE = 1_000 / 60
STEP = 9 if QUICK else 1       # of the lengths at which a file is cut
CHANGES = 20 if QUICK else 500
STOPS = 4 if QUICK else 50
PATIENCE = 60
POOL = [f"s{i}" for i in range(14)]
STABLE = """
[service:stable-a]
command = {m} ready-fd 3 forever
readiness_probe = fd:3
[service:stable-b]
command = {m} ready-fd 3 forever
readiness_probe = fd:3
depends_on = stable-a:healthy:restart
[service:crashes]
command = {m} sleep 5 exit 1
essential = no
restart = always
restart_limit = unlimited
restart_backoff = 1ms..5ms
"""


SECTIONS = re.compile(r"^\[service:(.*)\]", re.M)


# ---- plans ----


class Plan:
    """Some services of the pool: what each depends on, a mark in its environment, and how long it takes to stop. Where
    there is a plan before it, most is as it was there."""

    def __init__(self, dice, before=None):
        was = before.services if before else {}
        chosen = [name for name in POOL if (name in was) == (dice.random() < (0.85 if before else 0))]
        self.services = {}
        for i, name in enumerate(chosen):
            if name in was and dice.random() < 0.75:
                mark, pause, needs = was[name]
                needs = {need: how for need, how in needs.items() if need in chosen}
            else:
                mark, pause = dice.randrange(1_000), dice.randrange(3)
                needs = {need: dice.choice(("", ":started", ":restart")) for need in chosen[:i] if dice.random() < 0.25}
            self.services[name] = (mark, pause, needs)
        sections = [f"[service:{name}]\nessential = no\nenvironment = MARK={mark}\nreadiness_probe = fd:3\n"
                    f"depends_on = {', '.join(need + how for need, how in needs.items())}\n"
                    f"command = {M} on TERM [ sleep {pause} exit 0 ] ready-fd 3 forever\n"
                    for name, (mark, pause, needs) in self.services.items()]
        sections += ["[service:" + text for text in STABLE.format(m=M).split("[service:")[1:]]
        dice.shuffle(sections)
        self.text = "[muster]\nstop_timeout = 60s\n" + "".join(sections)
        self.names = SECTIONS.findall(self.text)
        self.edges = {(name, need) for name, (_, _, needs) in self.services.items() for need in needs}
        self.edges.add(("stable-b", "stable-a"))

    def broken(self, dice):
        """The same with one thing wrong, and what that is."""
        name = dice.choice(self.names)
        wrong = {
            "a cycle": "[service:x]\ncommand = x\ndepends_on = y\n[service:y]\ncommand = x\ndepends_on = z\n"
                       "[service:z]\ncommand = x\ndepends_on = x\n",
            "a dependency that is gone": "[service:x]\ncommand = x\ndepends_on = gone\n",
            "half a section": "[service:x]\ncomm",
            "a second section of that name": f"[service:{name}]\ncommand = x\n",
            "nothing": "",
        }
        kind = dice.choice(list(wrong))
        return kind, self.text + wrong[kind] if wrong[kind] else ""


# ---- what the page says ----


def read_page(init):
    """Names in order, edges, and (pid, starts, state) of each: of one page, as names and edges never change in it."""
    try:
        page = (init.run_dir / "status").read_bytes()
    except FileNotFoundError:
        return [], set(), {}
    size, record, count, edges, edge_count = struct.unpack_from("=5I", page, 16)
    names, facts = [], {}
    for i in range(count):
        at = size + i * record
        names.append(page[at + 72:at + 136].split(b"\0")[0].decode())
        facts[names[-1]] = (struct.unpack_from("=i", page, at + 8)[0], struct.unpack_from("=I", page, at + 12)[0], page[at + 4])
    pairs = (struct.unpack_from("=HH", page, edges + 8 * i) for i in range(edge_count))
    return names, {(names[a], names[b]) for a, b in pairs}, facts


READY = 4


def settled(init, plan):
    def look():
        names, _, facts = read_page(init)
        return names == plan.names and all(facts[name][2] == READY for name in names if name != "crashes") and facts

    return until(look, lambda: f"all of {plan.names} are ready: {read_page(init)}", PATIENCE)


def preview(control):
    """What a reload would do: {name: (action, rest)}; None: it would be refused."""
    lines = []
    while True:
        kind, body = control.ask(PREVIEW, struct.pack("=I", len(lines)))
        lines += body.decode().splitlines()
        if kind == FAILED:
            return None
        check(kind in (DONE, PART), f"answer {kind} to the question what a reload would do")
        if kind == DONE:
            return {name: (action, rest) for action, name, *rest in map(str.split, lines)}


class Watcher(threading.Thread):
    """Looks at the page all the time: another plan than one of these is a mix."""

    def __init__(self, init, plans):
        super().__init__(daemon=True)
        self.init, self.known = init, {tuple(plan.names): plan.edges for plan in plans}
        self.looks, self.mixed, self.over = 0, [], False

    def run(self):
        while not self.over:
            names, edges, _ = read_page(self.init)
            self.looks += 1
            if self.known.get(tuple(names)) != edges:
                self.mixed.append((names, edges))
            time.sleep(0.0005)


def stable(init):
    return {name: facts[:2] for name, facts in read_page(init)[2].items() if name.startswith("stable")}


def descriptors(init):
    return len(os.listdir(f"/proc/{init.pid}/fd"))


# ---- parts ----


def storm(section):
    """By the socket, by SIGHUP, and by both at once; plans and wrong files; services crash meanwhile."""
    dice = random.Random(1)
    plans = [Plan(dice)]
    plans += [Plan(dice, plans[0]) for _ in range(7)]
    answers = {DONE: 0, FAILED: 0}
    with Init(config=plans[0].text) as init, init.control() as control:
        settled(init, plans[0])
        before, open_before = stable(init), descriptors(init)
        watcher = Watcher(init, plans)
        watcher.start()
        begin = time.monotonic()
        for number in range(RELOADS):
            text = dice.choice(plans).text if dice.random() < 0.75 else dice.choice(plans).broken(dice)[1]
            init.write("muster.ini", text)
            if number % 3 != 1:
                control.send(RELOAD)
            if number % 3:
                init.signal(signal.SIGHUP)
            if number % 3 != 1:
                answers[control.receive()[0]] += 1
            time.sleep(max(0, begin + number / RATE - time.monotonic()))
        took = time.monotonic() - begin
        init.write("muster.ini", plans[0].text)
        equal(control.ask(RELOAD)[0], DONE, "answer to the last reload")
        settled(init, plans[0])
        watcher.over = True
        watcher.join()
        restarted = sum(stable(init)[name] != was for name, was in before.items())
        until(lambda: descriptors(init) == open_before, lambda: f"{open_before} descriptors, {descriptors(init)} now")
        until(lambda: read_page(init)[2]["crashes"][1] > 10, "a service crashes all the time")
        init.signal(signal.SIGTERM)
        equal(init.wait(PATIENCE), 0, "exit code")
    section.say(f"**Storm.** {RELOADS} reloads in {took:.0f} s, asked for at the socket, by SIGHUP, and by both at once, while one "
                f"service crashes every few milliseconds: {answers[DONE]} answers were that the new plan is in force, "
                f"{answers[FAILED]} that it is refused (cycles, dependencies that are gone, half files, no services). "
                f"Somebody read the status page {watcher.looks} times meanwhile.")
    rate = RELOADS / took * 60
    section.goal("reloads a minute", "900", f"{rate:.0f}", rate >= 900 or QUICK)
    section.goal("pages that were neither the old plan nor the new one", "0", len(watcher.mixed), not watcher.mixed,
                 "systemd: PID 1 ended by an assertion (published, its issue 6533)")
    section.goal("restarts of services that did not change", "0", restarted, not restarted)


CUT = """[service:first]
essential = no
command = {m} forever
[service:second]
essential = no
restart = no
depends_on = first
command = {m} forever
[service:third]
essential = no
restart = no
depends_on = first, second:started
stop_grace_period = 2s
command = {m} forever
"""


def all_run(init):
    page = read_page(init)
    return page if all(facts[1] for facts in page[2].values()) else None


def truncated(section):
    """The file at each of its lengths."""
    refused = taken = 0
    wrong = []
    init = Init("-c", "{dir}/cut.ini", config=f"[service:anchor]\ncommand = {M} forever\n")
    text = CUT.format(m=M)
    file = init.write("cut.ini", text)
    with init, init.control() as control:
        end_of_first = text.index("[service:second]")
        init.wait_line("all ready after")
        for length in range(0, len(text), STEP):
            was = until(lambda: all_run(init), "all run", PATIENCE)
            file.write_text(text[:length])  # in place, as a copy does it
            said = preview(control)
            kind, _ = control.ask(RELOAD)
            now = read_page(init)
            expected = was[0] if kind == FAILED else ["anchor"] + SECTIONS.findall(text[:length])
            if now[0] != expected or (said is None) != (kind == FAILED):
                wrong.append(length)
            for name in ("anchor", "first") if kind == FAILED or length >= end_of_first else ("anchor",):
                check(now[2][name][:2] == was[2][name][:2], f"{name} was restarted at length {length}")
            refused, taken = refused + (kind == FAILED), taken + (kind == DONE)
            file.write_text(text)
            equal(control.ask(RELOAD)[0], DONE, "answer to the whole file")
        equal(read_page(init)[0], ["anchor", "first", "second", "third"], "services at the end")
        init.signal(signal.SIGTERM)
        equal(init.wait(PATIENCE), 0, "exit code")
    check(refused and taken, f"both kinds of cut files: {refused} and {taken}")
    section.say(f"**Cut files.** A file of {len(text)} bytes at {refused + taken} of its lengths: {refused} were refused; {taken} are "
                "a configuration of their own, and were taken as such.")
    section.goal("cut files that gave anything else", "0", len(wrong), not wrong)


def marks_are(init, plan, facts):
    for name, (mark, _, _) in plan.services.items():
        pid = init.outside(facts[name][0])
        check(f"MARK={mark}".encode() in read_proc(pid, "environ").split(b"\0"), f"{name} runs as the plan says")


def one_change(init, control, plan, new, text, treated):
    """Changes the plan, or does not; how many services were treated otherwise than said before."""
    before = settled(init, plan)
    init.write("muster.ini", text)
    said = preview(control)
    kind, body = control.ask(RELOAD)
    equal(kind == FAILED, said is None, f"refused: {body.decode()}")
    if kind == FAILED:
        names, edges, _ = read_page(init)
        equal((names, edges), (plan.names, plan.edges), "the plan after a refused one")
    names = new.names if kind == DONE else plan.names
    equal(read_page(init)[0], names, "the plan in force")
    after = settled(init, new if kind == DONE else plan)
    if said is None:
        said = {name: ("keep", []) for name in names}
    equal(set(said), set(before) | set(after), "services of which something was said")
    wrong = 0
    for name, (action, _) in said.items():
        if name == "crashes":
            continue
        did = "stop" if name not in after else "start" if name not in before else \
            "keep" if after[name][:2] == before[name][:2] else "restart"
        treated[action] = treated.get(action, 0) + 1
        wrong += did != {"follow": "restart"}.get(action, action)
    return kind == DONE, wrong


def changes(section):
    """Another graph each time, or a wrong one; the answer to --dry-run is what happens."""
    dice = random.Random(2)
    taken = wrong = 0
    kinds, treated = {}, {}
    plan = Plan(dice)
    with Init(config=plan.text) as init, init.control() as control:
        for number in range(CHANGES):
            new = Plan(dice, plan)
            kind, text = new.broken(dice) if dice.random() < 0.3 else ("", new.text)
            kinds[kind] = kinds.get(kind, 0) + 1
            done, differ = one_change(init, control, plan, new, text, treated)
            equal(done, not kind, f"a plan with {kind or 'nothing wrong'} is taken")
            plan = new if done else plan
            taken, wrong = taken + done, wrong + differ
            if number % 10 == 0:
                marks_are(init, plan, settled(init, plan))
        init.signal(signal.SIGTERM)
        equal(init.wait(PATIENCE), 0, "exit code")
    check(all(action in treated for action in ("keep", "restart", "follow", "start", "stop")), f"all happens: {treated}")
    refused = ", ".join(f"{count} for {kind}" for kind, count in sorted(kinds.items()) if kind)
    section.say(f"**Changes.** {CHANGES} random graphs, one after the other: services come, go (with those that depend on them), change "
                f"their environment or their edges, restart with others; {taken} were taken, the rest refused ({refused}), as each "
                f"deserved. Services were kept {treated['keep']} times, restarted {treated['restart']} times and with another one "
                f"{treated['follow']} times, started {treated['start']} times and stopped {treated['stop']} times. Each time what `musterctl reload --dry-run` says is compared with what then happens.")
    section.goal("services that were not treated as --dry-run had said", "0", wrong, wrong == 0)


def stopping(section):
    """A reload and TERM in the same instant, in either order."""
    dice = random.Random(3)
    good = 0
    for number in range(STOPS):
        plan = Plan(dice)
        new = Plan(dice, plan)
        with Init(config=plan.text, pid1=number % 2 == 0) as init, init.control() as control:
            settled(init, plan)
            init.write("muster.ini", new.text)
            for what in dice.sample(["control", "hup", "term"], 3):
                if what == "control":
                    with contextlib.suppress(OSError):
                        control.send(RELOAD)
                else:
                    with contextlib.suppress(ProcessLookupError):
                        init.signal(signal.SIGHUP if what == "hup" else signal.SIGTERM)
                time.sleep(dice.choice((0, 0, 0.001, 0.005)))
            equal(init.wait(PATIENCE), 0, "exit code")
            init.wait_line("ended: signal TERM; exit code 0; .* none had to be killed")
            good += 1
    section.goal("shutdowns in the middle of a reload that end well, of so many", STOPS, good, good == STOPS)


def main():
    section = Section("Reload", """
        A new configuration is read while services crash, start and stop; it is whole, wrong, cut off, or another graph. Either
        all of it comes into force or none of it, and a service whose keys did not change is not touched.""")
    storm(section)
    truncated(section)
    changes(section)
    stopping(section)
    section.finish()


main()
