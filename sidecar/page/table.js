/* SPDX-License-Identifier: MIT */
/* What is told comes from strangers: it is put in as text, never as markup. */
const at = id => document.getElementById(id);
const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const dress = (node, name) => { if (node.getAttribute("class") !== name) node.setAttribute("class", name); };
function make(tag, name, ...parts) {
	const node = document.createElement(tag);
	if (name) node.className = name;
	node.append(...parts);
	return node;
}
/* Puts in what has changed, unless somebody is selecting text there; the focus stays where it was. */
function renew(box, nodes) {
	const told = getSelection(), find = () => [...box.querySelectorAll("a, button")];
	const focus = find().indexOf(document.activeElement);
	if (!told.isCollapsed && told.containsNode(box, true)) return;
	box.replaceChildren(...nodes);
	if (focus >= 0 && find()[focus]) find()[focus].focus({preventScroll: true});
}
let data = null, now = 0; /* the last answer of /status; the sidecar's time, ms */

/* ---- numbers as people read them; the server does the same ---- */

const two = n => String(n).padStart(2, "0");
function age(s) {
	s = Math.max(0, Math.floor(s));
	if (s < 60) return s + "s";
	if (s < 3600) return Math.floor(s / 60) + "m" + two(s % 60) + "s";
	if (s < 86400) return Math.floor(s / 3600) + "h" + two(Math.floor(s % 3600 / 60)) + "m";
	return Math.floor(s / 86400) + "d" + two(Math.floor(s % 86400 / 3600)) + "h";
}
const known = n => typeof n === "number";
const took = s => !known(s) ? "" : s < 1 ? Math.round(s * 1000) + "ms" : s < 60 ? s.toFixed(2) + "s" : age(s);
const used = s => !known(s) ? "" : s < 60 ? s.toFixed(1) + "s" : age(s);
const share = r => !known(r) ? "" : (r * 100).toFixed(r < .0995 ? 1 : 0) + " %";
function size(n) {
	let i = 0;
	if (!known(n)) return "";
	for (; n >= 1023.95 && i < 4; i++) n /= 1024;
	return (i ? n.toFixed(1) : String(n)) + ["", "K", "M", "G", "T"][i];
}
const since = time => time ? age((now - Date.parse(time)) / 1000) : "";
const clock = time => { const t = new Date(time); return isNaN(t) ? time : t.toLocaleTimeString(); };

/* What grows, as an amount a second between two looks at least 1.5 s apart; undefined: not known yet. */
const grown = new Map();
function rate(key, value, time) {
	const last = grown.get(key);
	if (!known(value)) {
		grown.delete(key);
		return undefined;
	}
	if (!last || value < last.value) {
		grown.set(key, {value, time});
		return undefined;
	}
	if (time - last.time >= 1500)
		grown.set(key, {value, time, rate: (value - last.value) / (time - last.time) * 1000});
	return grown.get(key).rate;
}

/* ---- who is the cause ---- */

/* What is not ready, those first that others wait for: [{service, count}]. */
function roots(list) {
	const by = new Map(list.map(s => [s.name, s])), found = new Map();
	for (const s of list) {
		let root = s, steps = 0;
		if (s.ready || s.state === "inactive") continue;
		for (let next; (next = by.get(root.cause)) && !next.ready && steps < list.length; steps++) root = next;
		if (!found.has(root)) found.set(root, {service: root, count: 0});
		if (root !== s) found.get(root).count++;
	}
	const worse = r => classes[r.service.state] === "bad" ? 1e6 : 0;
	return [...found.values()].sort((a, b) => worse(b) + b.count - worse(a) - a.count);
}
function drawWrong(list) {
	const found = roots(list);
	let text = "Nothing is wrong.";
	if (found.length) {
		const {service: s, count} = found[0], why = s.reason && s.reason !== s.state ? ": " + s.reason : "";
		text = s.name + " " + s.state + why;
		if (count) text += " · " + count + (count === 1 ? " waits" : " wait") + " for it";
		if (found.length > 1) text += " · " + (found.length - 1) + " other cause" + (found.length === 2 ? "" : "s");
	}
	put(at("wrong"), text);
	dress(at("wrong"), found.length ? classes[found[0].service.state] : "quiet");
}

/* ---- the table ---- */

const rows = new Map(); /* by name: {tr, more, open} */
let ratesKnown = false;

function blank(name) {
	const tr = make("tr", "row"), button = make("button", "", name);
	for (const c of ["name", "", "number", "number less", "number less", "number less", "number", "number",
		"number less", "why"])
		tr.insertCell().className = c;
	button.type = "button";
	button.setAttribute("aria-expanded", "false");
	tr.cells[0].append(button, make("small"));
	tr.addEventListener("click", () => { if (!String(getSelection())) toggle(name); });
	return {tr, button, more: null};
}
function drawRow(row, s) {
	const c = row.tr.cells, p = s.probe, cpu = rate("s " + s.name, s.cpu_seconds, now);
	if (known(cpu)) ratesKnown = true;
	put(c[0].lastChild, s.essential ? "" : " optional");
	put(c[1], s.state);
	dress(c[1], "state sign " + classes[s.state]);
	put(c[2], since(s.since));
	put(c[3], took(s.start_seconds));
	put(c[4], s.pid === null ? "" : String(s.pid));
	put(c[5], String(s.restarts));
	put(c[6], ratesKnown ? share(cpu) : used(s.cpu_seconds));
	put(c[7], size(s.memory_bytes));
	put(c[8], p && p.latency_seconds !== null ? (p.latency_seconds * 1000).toFixed(1) + "ms" : "");
	put(c[9], s.reason || "");
	if (row.more) drawMore(row, s);
}

/* ---- what stands below a row that was opened ---- */

function toggle(name, open) {
	const row = rows.get(name);
	if (!row || open && row.more) return;
	if (row.more) {
		row.more.remove();
		row.more = null;
	} else {
		row.more = make("tr", "more");
		row.more.append(make("td"));
		row.more.firstChild.colSpan = row.tr.cells.length;
		row.tr.after(row.more);
		drawMore(row, data.services.find(s => s.name === name));
	}
	row.button.setAttribute("aria-expanded", String(!!row.more));
}
/* Opens it, and goes there. */
function show(name) {
	if (!rows.has(name)) return;
	at("text").value = "";
	at("unready").checked = false;
	sift();
	toggle(name, true);
	rows.get(name).tr.scrollIntoView({block: "center"});
	rows.get(name).button.focus({preventScroll: true});
}
function others(list) {
	const ul = make("ul");
	for (const [name, note] of list) {
		const s = data.services.find(other => other.name === name), button = make("button", "", name), li = make("li");
		button.type = "button";
		button.addEventListener("click", () => show(name));
		li.append(s ? make("span", "sign " + classes[s.state], s.state) : "", " ", button, make("small", "", note));
		ul.append(li);
	}
	return ul;
}
const inPhase = (why, phase) => phase && !why.includes(phase) ? why + " (" + phase + ")" : why;
function failures(list) {
	const ul = make("ul");
	for (const f of list.slice().reverse())
		ul.append(make("li", "", clock(f.time) + " " + inPhase(f.reason, f.phase) +
			(f.count > 1 ? " (" + f.count + " times since " + clock(f.first_time) + ")" : "")));
	return ul;
}
function probeText(p) {
	const parts = [p.kind];
	if (p.count > 1) parts.push(p.passed + " of " + p.count + " pass");
	if (known(p.age_seconds)) parts.push("last check " + age(p.age_seconds) + " ago");
	if (known(p.latency_seconds)) parts.push("took " + (p.latency_seconds * 1000).toFixed(1) + "ms");
	if (p.address) parts.push("at " + p.address);
	if (p.tls_expiry) parts.push("certificate until " + p.tls_expiry.slice(0, 10));
	return parts.join(", ");
}
function needers(name) {
	return data.services.flatMap(s => s.depends_on.filter(d => d.name === name).map(d => [s, d]));
}
function facts(s) {
	const list = [], p = s.probe, behind = needers(s.name);
	const add = (word, value) => { if (value) list.push([word, value]); };
	const note = d => " " + d.condition + (d.optional ? ", optional" : "");
	add("Why", s.reason);
	add("Probe", p && probeText(p));
	if (p && p.error && p.error !== s.reason) add("Error", inPhase(p.error, p.phase));
	if (p && p.failures.length) add("Last failures", failures(p.failures));
	if (s.depends_on.length) add("Needs", others(s.depends_on.map(d => [d.name, note(d)])));
	if (behind.length)
		add("Needed by", others(behind.map(([o, d]) => [o.name, note(d) + (o.cause === s.name ? ", waits for it" : "")])));
	add("Last exit", s.last_exit === null ? "" : "code " + s.last_exit);
	add("Starts", s.starts + ", of them restarts: " + s.restarts + (s.since ? "; " + s.state + " since " +
		clock(s.since) : ""));
	add("Uses", [s.pid && "PID " + s.pid, known(s.processes) && "processes: " + s.processes,
		known(s.threads) && "threads: " + s.threads, known(s.open_fds) && "descriptors: " + s.open_fds,
		known(s.cpu_seconds) && "CPU time: " + used(s.cpu_seconds)].filter(Boolean).join(", "));
	add("Kind", s.type + (s.essential ? "" : ", optional") + (s.wanted ? "" : ", not wanted"));
	return list;
}
function drawMore(row, s) {
	const dl = make("dl"), cell = row.more.firstChild;
	for (const [word, value] of facts(s)) dl.append(make("dt", "", word), make("dd", "", value));
	if (cell.textContent !== dl.textContent) renew(cell, [dl]);
}

/* ---- which rows are shown ---- */

function sift() {
	const text = at("text").value.trim().toLowerCase(), unready = at("unready").checked;
	let shown = 0;
	for (const s of data ? data.services : []) {
		const row = rows.get(s.name), words = (s.name + " " + s.state + " " + (s.reason || "")).toLowerCase();
		const hide = unready && s.ready || !words.includes(text);
		row.tr.hidden = hide;
		if (row.more) row.more.hidden = hide;
		shown += !hide;
	}
	at("none").hidden = shown > 0 || !data;
}
function drawTable(list) {
	const body = at("rows"), names = new Set(list.map(s => s.name));
	if (!rows.size) body.replaceChildren();
	for (const [name, row] of rows)
		if (!names.has(name)) {
			row.tr.remove();
			if (row.more) row.more.remove();
			rows.delete(name);
		}
	let last = null;
	for (const s of list) {
		if (!rows.has(s.name)) rows.set(s.name, blank(s.name));
		const row = rows.get(s.name), place = last ? last.nextSibling : body.firstChild;
		if (place !== row.tr) body.insertBefore(row.tr, place);
		if (row.more && row.tr.nextSibling !== row.more) row.tr.after(row.more);
		last = row.more || row.tr;
		drawRow(row, s);
	}
	put(at("cpu"), ratesKnown ? "CPU" : "CPU time");
	sift();
}
at("filter").classList.add("on");
at("filter").addEventListener("submit", event => event.preventDefault());
at("filter").addEventListener("input", sift);
