# SPDX-License-Identifier: MIT
"""Options and verbs: what each program takes, what its --help names, what its manual page lists and what its
completions for bash and zsh offer is the same, both ways; so it is for each verb of musterctl."""
import os
import re
import shutil
import subprocess

from docslib import PROGRAMS, flags, options_of_help, output, page, section, sources
from lib import CTL, ROOT, SIDECAR, check, equal

COMPLETIONS = ROOT / "docs/completions"
# how the table of a program's options looks in its sources: letter or what stands for it, name
ROWS = {
    "muster-init": r"\{(?:'(?P<letter>\w)'|OPT_\w+), (?:true|false), \"(?P<name>[\w-]+)\"",
    "muster-sidecar": r"\{\"(?P<name>[\w-]+)\", \w+_argument, NULL, (?:'(?P<letter>\w)'|OPTION_\w+)\}",
    "musterctl": r"\{\"(?P<name>[\w-]+)\", (?:'(?P<letter>\w)'|0), ARG_\w+",
}
BASH = """source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); $FUNCTION; printf '%s\\n' "${COMPREPLY[@]}" """
# the builtins of zsh's completion system, made to print what they are given
ZSH = """compadd() { print -l -- $@ } ; _describe() { print -l -- ${${(P)2}%%:*} } ; _files() { print FILES }
    words=($@) ; CURRENT=$# ; PREFIX=$words[CURRENT] ; words[1]=$1 ; source $0 """


def in_sources(name):
    _, _, folder, without = PROGRAMS[name]
    found = list(re.finditer(ROWS[name], sources(folder, without)))
    check(len(found) > 10, f"options in the sources of {name}: {len(found)}")
    return {f"--{one['name']}" for one in found} | {f"-{one['letter']}" for one in found if one["letter"]}


def in_page(name):
    """Of a verb of musterctl, or None, the options in its item; elsewhere all are None's."""
    found = {None: set()}
    text = re.sub(r"\.It Xo\n(.*?)\n\.Xc", lambda all: ".It " + all[1].replace("\n.", " ").lstrip("."),
                  page(PROGRAMS[name][1]), flags=re.S)
    for line in re.findall(r"^\.It (.*)", text, re.M):
        if line.startswith("Fl "):
            found[None] |= flags(line)
        elif name == "musterctl" and line.startswith("Cm "):
            for verb in re.match(r"Cm (\w+(?: \| \w+)*)", line)[1].split(" | "):
                check(verb not in found, f"musterctl.1 has {verb} twice")
                found[verb] = flags(line)
    return found


def offered(name, *words):
    """What the completion offers behind these words of a line, by bash and, where it is, by zsh."""
    program = PROGRAMS[name][0]
    env = {"PATH": os.environ["PATH"], "MUSTER_RUN_DIR": "/nowhere", "FUNCTION": f"_{name.replace('-', '_')}"}
    calls = [["bash", "-c", BASH, COMPLETIONS / f"{name}.bash", program, *words]]
    if shutil.which("zsh"):
        calls.append(["zsh", "-fc", ZSH, COMPLETIONS / f"_{name}", program, *words])
    answers = []
    for call in calls:
        done = subprocess.run(call, env=env, capture_output=True, text=True, check=False, timeout=60)
        equal((done.returncode, done.stderr), (0, ""), f"{call[0]} completes {words}")
        answers.append({word for word in done.stdout.split() if word.startswith(words[-1]) and word != "--"})
    check(all(one == answers[0] for one in answers), f"bash and zsh differ behind {words}: {answers}")
    return answers[0]


def longs(words):
    return {word for word in words if word.startswith("--")}


def taken_by_verbs(verbs, options):
    """For each verb the options that it takes: those to which it does not say that they are unknown."""
    script = """for verb in $VERBS; do for option in $OPTIONS; do
        "$0" $verb $option 2>&1 </dev/null | grep -q "unknown option $option" || echo "$verb $option"; done; done"""
    # --help behind it: what is known does nothing but that, or asks for a value
    env = {"PATH": os.environ["PATH"], "MUSTER_RUN_DIR": "/nowhere", "VERBS": " ".join(verbs),
           "OPTIONS": " ".join(f"{option}=" if option.startswith("--") else option for option in options)}
    script = script.replace("unknown option $option", "unknown option ${option%=}")
    done = subprocess.run(["sh", "-c", script, CTL], env=env, capture_output=True, text=True, check=True, timeout=300)
    found = {verb: set() for verb in verbs}
    for line in done.stdout.splitlines():
        verb, option = line.split()
        found[verb].add(option.rstrip("="))
    return found


def check_program(name):
    shown, known, told = options_of_help(output(PROGRAMS[name][0], "--help")), in_sources(name), in_page(name)[None]
    equal(sorted(shown), sorted(known), f"options in --help of {name}")
    equal(sorted(told), sorted(known), f"options in the page of {name}")
    equal(offered(name, "--"), longs(known), f"options that are completed for {name}")


def check_verbs():
    help_text = output(CTL, "--help")
    table = set(re.findall(r"\{\"(\w+)\", verb_\w+,", sources("init/ctl")))
    verbs = re.findall(r"^  ([a-z]+) ", help_text, re.M)
    equal(sorted(verbs), sorted(table), "verbs in --help")
    told = in_page("musterctl")
    common = {word for word in options_of_help(help_text)}
    equal(told.pop(None), common, "options of all verbs")
    equal(sorted(told), sorted(table), "verbs in musterctl.1")
    equal(offered("musterctl", ""), table | longs(common), "verbs that are completed")
    every = in_sources("musterctl")
    taken = taken_by_verbs(verbs, sorted(every - common))
    for verb in verbs:
        usage = options_of_help(output(CTL, verb, "--help").splitlines()[0])
        equal(usage, taken[verb], f"options in the help of {verb}")
        equal(told[verb], taken[verb], f"options of {verb} in musterctl.1")
        equal(longs(offered("musterctl", verb, "--")), longs(taken[verb]), f"options that are completed for {verb}")
    equal(set().union(*taken.values()) | common, every, "options in the sources, each of which a verb takes")


def check_commands():
    table = set(re.findall(r"\{\"(\w+)\", \d+, \w+, \"[^\"]*\", once_\w+\}", sources("sidecar")))
    equal(len(table), 4, "commands of muster-sidecar in its sources")
    equal(set(re.findall(r"^  ([a-z]+) ", output(SIDECAR, "--help"), re.M)), table, "commands in --help")
    text = page("muster-sidecar.8")
    equal(set(re.findall(r"^\.Cm (\w+)$", section(text, "SYNOPSIS"), re.M)), table, "commands in SYNOPSIS")
    equal(offered("muster-sidecar", ""), table, "commands that are completed")


for program in ("muster-init", "muster-sidecar"):
    check_program(program)
check_commands()
check_verbs()
if not shutil.which("zsh"):
    print("not looked at: the files for zsh, as there is no zsh")
