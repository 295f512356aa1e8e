/* SPDX-License-Identifier: MIT */
/* The page follows /events: what happens there asks for /status, at most twice a second. Without that stream
 * /status is asked every two seconds. Ages and usage are asked for every five seconds. Nothing is asked while
 * nobody sees the page. */
const APART = 500, POLL = 2000, GENTLE = 5000, AGAIN = 30000; /* ms */
const live = {tag: "", offset: 0, stream: null, open: false, busy: false, wanted: 0, last: 0, whole: 0, looks: 0, again: 0};

/* ---- what is drawn ---- */

function drawPicture() {
	const old = at("picture"), names = data.services.map(s => s.name).join() + data.startup.done;
	if (data.startup.done && drawPicture.names === names || Date.now() - (drawPicture.last || 0) < POLL) return;
	if (drawPicture.names || !data.startup.done) {
		const fresh = new Image();
		fresh.id = old.id;
		fresh.alt = old.alt;
		fresh.onload = () => at("picture").replaceWith(fresh);
		fresh.src = "timeline.svg?" + Date.now();
	}
	drawPicture.names = names;
	drawPicture.last = Date.now();
}
function drawStartup() {
	const s = data.startup, path = s.critical_path.join(" → ");
	put(at("path"), (s.done ? "Ready after " + took(s.seconds) + "." : "Not ready yet.") +
		(path ? " The longest chain: " + path : ""));
	drawPicture();
	return [s.done ? took(s.seconds) : "under way", s.done ? "" : "wait"];
}
function tell(section, [text, name]) {
	const link = document.querySelector("nav a[href='#" + section + "']");
	if (link.children.length === 0) link.append(" ", make("b"));
	put(link.lastChild, text);
	dress(link.lastChild, name);
	link.hidden = at(section).hidden;
}
function draw() {
	const list = data.services, good = list.filter(s => s.ready).length;
	now = Date.now() + live.offset;
	drawTable(list);
	drawWrong(list);
	put(at("host"), data.host);
	put(at("phase"), data.phase);
	dress(at("phase"), "sign " + (data.phase === "degraded" && data.ready ? "wait" : classes[data.phase]));
	put(at("facts"), good + " of " + list.length + " ready · up " +
		age(data.uptime + (now - Date.parse(data.time)) / 1000) + " · " + data.mode);
	document.title = (data.ready ? "" : "✕ ") + data.host + " – muster";
	tell("services", [good + " of " + list.length, good < list.length ? data.ready ? "wait" : "bad" : ""]);
	tell("startup", drawStartup());
	drawGraph(list);
	tell("graph", [String(graph.edges.length), ""]);
	tell("peers", drawPeers(data.peers || []));
	tell("gpus", drawGpus(data.gpu || {state: "none"}, data.gpus || []));
	tell("container", drawContainer(data.cgroup, data.sidecar));
	put(at("live"), live.open ? "live" : "asked every 2 s");
}

/* ---- when it is asked ---- */

/* `whole`: numbers that do not count as a change are wanted, too. */
async function look(whole) {
	if (live.busy) return;
	live.busy = true;
	live.last = Date.now();
	live.wanted = 0;
	try {
		const headers = live.tag && !whole ? {"If-None-Match": live.tag} : {};
		const answer = await fetch("status", {headers, signal: AbortSignal.timeout(10000)});
		if (answer.status === 200) {
			data = await answer.json();
			live.tag = answer.headers.get("ETag") || "";
			live.offset = Date.parse(data.time) - Date.now();
			live.whole = live.last;
			live.looks++;
		} else if (answer.status === 503) throw new Error(await answer.text());
		else if (answer.status !== 304) throw new Error("/status answers " + answer.status);
		at("lost").hidden = true;
		draw();
	} catch (error) {
		put(at("lost"), (error instanceof TypeError || error.name === "TimeoutError" ? "No answer from muster-sidecar." :
			"No news: " + error.message.trim() + ".") + " What is shown is old.");
		at("lost").hidden = false;
	}
	live.busy = false;
}
function tick() {
	const time = Date.now();
	if (document.hidden) return;
	if (!live.stream && time >= live.again) follow();
	if (live.wanted && time - live.last >= APART) look(false);
	else if (time - live.whole >= (live.looks < 2 ? POLL : GENTLE) && time - live.last >= POLL) look(true);
	else if (!live.open && time - live.last >= POLL) look(false);
}
function changed() {
	live.wanted ||= Date.now();
	setTimeout(tick, Math.max(0, live.last + APART - Date.now()) + 20);
}
function follow() {
	const stream = live.stream = new EventSource("events");
	stream.onopen = () => { live.open = true; changed(); };
	stream.onerror = () => {
		live.open = false;
		if (data) put(at("live"), "asked every 2 s");
		if (stream.readyState === EventSource.CLOSED) unfollow(AGAIN); /* refused; else it tries again by itself */
	};
	for (const kind of ["state", "phase", "peer", "warn", "reset"]) stream.addEventListener(kind, changed);
}
function unfollow(pause) {
	if (live.stream) live.stream.close();
	live.stream = null;
	live.open = false;
	live.again = Date.now() + pause;
}
document.addEventListener("visibilitychange", () => {
	if (document.hidden) unfollow(0);
	else tick();
});
addEventListener("pagehide", () => unfollow(0));
setInterval(tick, 1000);
if (!document.hidden) {
	look(true);
	follow();
}
