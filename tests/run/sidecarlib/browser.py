# SPDX-License-Identifier: MIT
"""A real browser, Chromium, without a screen, driven over a pipe by its DevTools protocol.

    with Browser() as browser:
        tab = browser.open(sidecar.url, width=360, height=740, dark=True)
        tab.until("document.title === 'pc1'", "the title")
        tab.value("document.querySelectorAll('tr').length")
        equal(tab.complaints, [], "of the browser")
"""

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

from lib import Failure, check, skip

SECONDS = 60
# As root and in containers there is no place for its own sandbox; nothing is asked but what we serve.
OPTIONS = ["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
           "--no-first-run", "--no-proxy-server", "--disable-background-networking", "--disable-component-update",
           "--disable-default-apps", "--disable-sync", "--disable-extensions", "--hide-scrollbars", "--mute-audio"]


class Browser:
    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if not program:
            skip("there is no chromium here")
        self.dir = tempfile.mkdtemp(prefix="muster-browser-")
        self.serial = 0
        self.rest = b""
        self.answers = {}
        self.tabs = {}
        theirs_in, self.to = os.pipe()
        self.of, theirs_out = os.pipe()
        env = {**os.environ, "HOME": self.dir, "XDG_CONFIG_HOME": self.dir, "XDG_CACHE_HOME": self.dir}
        # the protocol is spoken on descriptors 3 and 4
        command = ["sh", "-c", f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}', program, *OPTIONS,
                   f"--user-data-dir={self.dir}/profile", "about:blank"]
        with open(pathlib.Path(self.dir) / "said", "wb") as said:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=env,
                                            pass_fds=(theirs_in, theirs_out))
        os.close(theirs_in)
        os.close(theirs_out)

    def __enter__(self):
        try:
            self.call("Browser.getVersion")
        except (Failure, OSError) as error:
            said = (pathlib.Path(self.dir) / "said").read_text(errors="replace")[-2000:]
            self.__exit__(None, None, None)
            skip(f"chromium does not run here: {error}\n{said}")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            try:
                self.call("Browser.close")
                self.process.wait(20)
            except (Failure, OSError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        for fd in (self.to, self.of):
            os.close(fd)
        shutil.rmtree(self.dir, ignore_errors=True)

    def send(self, method, session=None, **params):
        self.serial += 1
        message = {"id": self.serial, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        return self.serial

    def read(self, seconds):
        """Takes in what has come, waiting for it at most so long."""
        if not select.select([self.of], [], [], max(seconds, 0))[0]:
            return
        part = os.read(self.of, 1 << 20)
        if not part:
            raise Failure("chromium has ended")
        *messages, self.rest = (self.rest + part).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.answers[message["id"]] = message
            elif message.get("sessionId") in self.tabs:
                self.tabs[message["sessionId"]].hear(message["method"], message["params"])

    def call(self, method, session=None, **params):
        serial = self.send(method, session, **params)
        deadline = time.monotonic() + SECONDS
        while serial not in self.answers:
            if time.monotonic() > deadline:
                raise Failure(f"chromium does not answer {method}")
            self.read(deadline - time.monotonic())
        answer = self.answers.pop(serial)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, url, **options):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = self.tabs[session] = Tab(self, session, target)
        tab.prepare(**options)
        tab.go(url)
        return tab


class Tab:
    def __init__(self, browser, session, target):
        self.browser = browser
        self.session = session
        self.target = target
        self.complaints = []  # errors, warnings and violations of the policy
        self.requests = []  # URLs
        self.loaded = 0

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def hear(self, method, params):
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"].get("exception", params)))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"] + " " + params["entry"].get("url", ""))
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Page.loadEventFired":
            self.loaded += 1

    def prepare(self, width=1400, height=1000, dark=False, script=True, scale=1, blocked=()):
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme",
                                                           "value": "dark" if dark else "light"},
                                                          {"name": "prefers-reduced-motion", "value": "reduce"}])
        if not script:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        if blocked:
            self.call("Network.setBlockedURLs", urls=list(blocked))

    def go(self, url):
        before = self.loaded
        self.call("Page.navigate", url=url)
        deadline = time.monotonic() + SECONDS
        while self.loaded == before:
            check(time.monotonic() < deadline, f"{url} is not loaded")
            self.browser.read(1)

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise Failure(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def until(self, expression, what, seconds=SECONDS):
        deadline = time.monotonic() + seconds
        while not (found := self.value(expression)):
            check(time.monotonic() < deadline, f"not within {seconds} s: {what}")
            self.browser.read(0.1)
        return found

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      **({"text": "\r"} if key == "Enter" and kind == "keyDown" else {}))

    def picture(self, path, whole=True):
        """A PNG of what is seen, or of the whole page."""
        clip = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **clip)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
        del self.browser.tabs[self.session]
