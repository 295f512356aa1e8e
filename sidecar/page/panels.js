/* SPDX-License-Identifier: MIT */
/* Peers, GPUs and the container: cards that are drawn anew with each look when their words have changed. */
function drawCards(id, cards) {
	const box = at(id).querySelector(".cards");
	const same = box.children.length === cards.length &&
		cards.every((card, i) => card.outerHTML === box.children[i].outerHTML);
	if (!same) renew(box, cards);
}
/* ratio: null, no bar. */
function meter(word, text, ratio, name) {
	const node = make("div", "meter", make("div", "line", make("span", "quiet", word), make("span", "", text)));
	if (known(ratio)) {
		const bar = make("div", "bar " + (name || ""), make("i"));
		bar.firstChild.style.width = (Math.min(Math.max(ratio, 0), 1) * 100).toFixed(1) + "%";
		node.append(bar);
	}
	return node;
}
const full = ratio => !known(ratio) ? "" : ratio >= .95 ? "bad" : ratio >= .8 ? "wait" : "";
const part = (a, b) => known(a) && known(b) && b > 0 ? a / b : null;

/* ---- peers ---- */

const peerClasses = {ok: "good", stale: "wait", unknown: "bad"};
function pageOf(url) {
	try {
		const page = new URL(".", url);
		return page.protocol === "http:" || page.protocol === "https:" ? page.href : "";
	} catch (e) {
		return "";
	}
}
function peerCard(p) {
	const waiting = p.services.filter(s => !s.ready && s.state !== "inactive"), page = pageOf(p.url), title = make("h3");
	const good = p.services.filter(s => s.ready).length, list = make("ul");
	const heard = known(p.age_seconds) ? "heard " + age(p.age_seconds) + " ago" : "never heard";
	const link = make("a", "", p.name);
	if (page) {
		link.href = page;
		link.rel = "noreferrer";
	}
	title.append(page ? link : p.name);
	const card = make("div", "card", make("div", "line", title, make("span", "sign " + peerClasses[p.state], p.state)));
	card.append(make("p", "quiet", (p.host && p.host !== p.name ? p.host + " · " : "") +
		(p.services.length ? good + " of " + p.services.length + " ready · " : "") + heard));
	if (p.error) card.append(make("p", p.state === "ok" ? "wait" : "bad", p.error));
	if (p.state !== "ok" && p.services.length) card.append(make("p", "quiet", "What follows was so when it was heard last."));
	for (const s of waiting.slice(0, 12))
		list.append(make("li", "", make("span", "sign " + classes[s.state], s.state), " ", s.name));
	if (waiting.length > 12) list.append(make("li", "quiet", "and " + (waiting.length - 12) + " more"));
	if (waiting.length) card.append(list);
	return card;
}
function drawPeers(peers) {
	at("peers").hidden = !peers.length;
	drawCards("peers", peers.map(peerCard));
	const bad = peers.filter(p => p.state !== "ok" || p.ready === false).length;
	return [bad ? bad + " of " + peers.length + " not well" : peers.length + " ok", bad ? "wait" : ""];
}

/* ---- GPUs ---- */

function gpuErrors(g) {
	const list = [], ecc = g.ecc_errors || {};
	if (g.error) list.push("the driver says: " + g.error);
	if (ecc.uncorrected) list.push("uncorrected memory errors: " + ecc.uncorrected);
	for (const x of g.xid_errors || [])
		list.push("Xid " + (x.xid === null ? "(others)" : x.xid) + ": " + x.count + " times" +
			(known(x.last_seconds_ago) ? ", last " + age(x.last_seconds_ago) + " ago" : ""));
	return list;
}
function gpuCard(g, title) {
	const card = make("div", "card", make("div", "line", make("h3", "", title), make("span", "quiet",
		[known(g.temperature_celsius) && g.temperature_celsius + " °C", known(g.power_watts) && g.power_watts.toFixed(0) +
			" W"].filter(Boolean).join(" · "))));
	const memory = part(g.memory_used_bytes, g.memory_total_bytes), list = make("ul");
	if (known(g.utilization_ratio)) card.append(meter("busy", share(g.utilization_ratio), g.utilization_ratio));
	if (known(g.memory_used_bytes))
		card.append(meter("memory", size(g.memory_used_bytes) + " of " + size(g.memory_total_bytes), memory, full(memory)));
	for (const text of gpuErrors(g)) card.append(make("p", "bad", text));
	if ((g.ecc_errors || {}).corrected) card.append(make("p", "quiet", "corrected memory errors: " + g.ecc_errors.corrected));
	for (const p of g.processes || [])
		list.append(make("li", "", (p.service || "another program") + " ", make("small", "",
			(p.pid ? "PID " + p.pid : p.host_pid ? "PID outside " + p.host_pid : "") +
			(known(p.memory_bytes) ? ", " + size(p.memory_bytes) : ""))));
	if (g.processes_more) list.append(make("li", "quiet", "and " + g.processes_more + " more"));
	if (g.processes && !g.processes.length && !(g.mig || []).length) list.append(make("li", "quiet", "no process uses it"));
	if (list.firstChild) card.append(list);
	for (const m of g.mig || []) card.append(gpuCard(m, "MIG " + m.index + (m.name ? " · " + m.name : "")));
	return card;
}
function drawGpus(gpu, gpus) {
	const why = at("gpus").querySelector("p"), busy = gpus.filter(g => gpuErrors(g).length).length;
	at("gpus").hidden = false;
	why.hidden = gpu.state === "ok";
	put(why, gpu.reason ? gpu.reason[0].toUpperCase() + gpu.reason.slice(1) + "." : "State: " + gpu.state + ".");
	dress(why, gpu.state === "stuck" ? "bad" : gpu.state === "unavailable" ? "wait" : "quiet");
	drawCards("gpus", gpus.map(g => gpuCard(g, g.index + " · " + (g.name || "GPU"))));
	if (gpu.state !== "ok") return [gpu.state, gpu.state === "stuck" ? "bad" : gpu.state === "unavailable" ? "wait" : ""];
	return [busy ? "errors" : String(gpus.length), busy ? "bad" : ""];
}

/* ---- the container ---- */

function cpuCard(c) {
	const cores = rate("cpu", c.cpu_seconds, now), limit = c.cpu_limit_cores, card = make("div", "card", make("h3", "", "CPU"));
	const periods = rate("periods", c.periods, now), held = rate("held", c.throttled_periods, now);
	const text = known(cores) ? cores.toFixed(2) + (known(limit) ? " of " : " ") : known(limit) ? "limit: " : "";
	card.append(meter("cores in use", text + (known(limit) ? limit.toFixed(limit % 1 ? 2 : 0) : text ? "· no limit" : "no limit"),
		part(cores, limit), full(part(cores, limit))));
	if (known(c.throttled_seconds) && (known(limit) || c.throttled_seconds))
		card.append(meter("held back by the limit", (periods > 0 ? share(held / periods) + " of the time now, " : "") +
			used(c.throttled_seconds) + " in all", null));
	return [card, cores];
}
function memoryCard(c) {
	const limit = c.memory_limit_bytes, ratio = part(c.memory_working_set_bytes, limit);
	const card = make("div", "card", make("h3", "", "Memory"));
	if (known(c.memory_working_set_bytes))
		card.append(meter("working set", size(c.memory_working_set_bytes) + (known(limit) ? " of " + size(limit) : " · no limit"),
			ratio, full(ratio)));
	if (known(c.memory_bytes)) card.append(meter("with caches", size(c.memory_bytes), null));
	if (known(c.memory_peak_bytes)) card.append(meter("at most so far", size(c.memory_peak_bytes), null));
	if (known(c.oom_kills))
		card.append(make("p", c.oom_kills ? "bad" : "quiet", c.oom_kills ? "killed for want of memory: " + c.oom_kills :
			"nobody was killed for want of memory"));
	if (known(c.pids))
		card.append(meter("processes and threads", c.pids + (known(c.pids_limit) ? " of " + c.pids_limit : ""),
			part(c.pids, c.pids_limit), full(part(c.pids, c.pids_limit))));
	return card;
}
function pressureCard(p) {
	const card = make("div", "card", make("h3", "", "Pressure")), table = make("table"), head = make("tr");
	for (const word of ["", "10s", "5m", "all, 10s"]) head.append(make("th", "", word));
	table.append(head);
	for (const kind of ["cpu", "memory", "io"].filter(k => p[k])) {
		const tr = make("tr", "", make("td", "", kind));
		for (const key of ["some_avg10_ratio", "some_avg300_ratio", "full_avg10_ratio"])
			tr.append(make("td", kind !== "cpu" && p[kind][key] >= .1 ? "wait" : "", share(p[kind][key])));
		table.append(tr);
	}
	card.append(table, make("p", "quiet", "Share of the time in which some processes, or all, waited for it."));
	if (p.scope === "machine") card.append(make("p", "quiet", "Of the whole machine; the kernel has no numbers of the container alone."));
	if (p.memory_stall) card.append(make("p", "wait", "Processes wait for memory now."));
	return card;
}
function ownCard(own) {
	const card = make("div", "card", make("h3", "", "muster-sidecar itself")), cpu = rate("own", own.cpu_seconds, now);
	if (known(cpu)) card.append(meter("CPU", share(cpu) + " of a core", null));
	if (known(own.memory_bytes)) card.append(meter("memory", size(own.memory_bytes), null));
	card.append(make("p", "quiet", own.probe_stretch_ratio > 1.05 ? "probes " + own.probe_stretch_ratio.toFixed(1) +
		" times as rarely as asked" + (own.probe_stretch_cause && own.probe_stretch_cause !== "none" ? " (" + own.probe_stretch_cause + ")" : "") :
		"probes as often as asked"));
	return card;
}
function drawContainer(c, own) {
	const cards = [], [cpu, cores] = cpuCard(c || {}), memory = c && known(c.memory_bytes);
	if (c && known(c.cpu_seconds)) cards.push(cpu);
	if (memory) cards.push(memoryCard(c));
	if (c && c.pressure) cards.push(pressureCard(c.pressure));
	if (own) cards.push(ownCard(own));
	at("container").hidden = !cards.length;
	drawCards("container", cards);
	return [[known(cores) && cores.toFixed(1) + " cores", memory && size(c.memory_working_set_bytes)].filter(Boolean)
		.join(", "), c && c.oom_kills ? "bad" : ""];
}
