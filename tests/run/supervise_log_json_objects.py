# SPDX-License-Identifier: MIT
"""log = json: a line that is a JSON object stays one, byte for byte; anything else is a text, and every line valid JSON."""
import json

from lib import Init, check, contains, equal, tool

M = tool("misbehave")
OBJECT = '{"level":"info","msg":"caf\u00e9 \\"x\\"","n":1.50,"list":[1,{"a":null}]}'
OTHERS = ['{"level":"info"', '{"a":1} and more', "[1,2]", '"text"', "{'a':1}"]
BYTES = bytes(range(1, 10)) + bytes(range(11, 256))


def script(init):
    text = "\n".join([OBJECT, *OTHERS]).encode() + b"\n" + b"raw " + BYTES + b"\n{\"bad\":\"\xff\"}\n{\"last\":true}"
    init.dir.joinpath("text").write_bytes(text)


CONFIG = f"""
[muster]
log = json
[service:web]
command = sh -c '{M} await {{dir}}/ready && cat {{dir}}/text'
type = oneshot
[service:stay]
command = {M} forever
"""

with Init(config=CONFIG) as init:
    script(init)
    init.write("ready", "")
    init.wait_line('"last":true', "stdout")
    raw = (init.dir / "stdout").read_bytes().decode("utf-8")  # all of it is UTF-8
    lines = [json.loads(line) for line in raw.splitlines() if '"web"' in line]
    check(all(set(line) - {"log", "message"} == {"time", "service", "stream"} for line in lines), "members")
    contains(raw, f'"log":{OBJECT}}}\n', "the object as it was")
    equal(lines[0]["log"], json.loads(OBJECT), "the object")
    equal([line.get("message") for line in lines[1:6]], OTHERS, "what is none")
    check(lines[6]["message"].startswith("raw \x01\x02") and "\ufffd" in lines[6]["message"], "strange bytes")
    equal(lines[7]["message"], '{"bad":"\ufffd"}', "an object that is no UTF-8")
    equal(lines[8]["log"], {"last": True}, "a last line without newline")
    init.signal(15)
    equal(init.wait(), 0, "exit code")
