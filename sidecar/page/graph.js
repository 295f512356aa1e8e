/* SPDX-License-Identifier: MIT */
/* The dependencies: a column for each length of the longest path to what needs nothing. An edge over several
 * columns passes through places of its own in those between, one for all edges of the same origin. */
const TALL = 26, GAP = 8, LANE = 9, MOST = 26, BETWEEN = 64, EDGE = 14; /* pixels; MOST: services in a column */
const graph = {key: "", nodes: new Map(), edges: [], svg: null, at: "", chosen: "", pointed: ""};

function svg(tag, attributes, ...parts) {
	const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const name in attributes) node.setAttribute(name, attributes[name]);
	node.append(...parts);
	return node;
}
const measure = (pen => { pen.font = "12px system-ui, sans-serif"; return text => pen.measureText(text).width; })(
	document.createElement("canvas").getContext("2d"));
function cut(text, most) {
	if (measure(text) <= most) return text;
	while (text.length > 1 && measure(text + "…") > most) text = text.slice(0, -1);
	return text + "…";
}

/* ---- which column ---- */

function readNodes(list) {
	const nodes = new Map(list.map(s => [s.name, {name: s.name, needs: [], needed: [], layer: 0}]));
	for (const s of list)
		for (const d of s.depends_on)
			if (nodes.has(d.name) && d.name !== s.name) {
				nodes.get(s.name).needs.push({node: nodes.get(d.name), optional: d.optional});
				nodes.get(d.name).needed.push(nodes.get(s.name));
			}
	return nodes;
}
function setLayers(nodes) {
	const open = new Map(nodes.map(n => [n, n.needs.length])), queue = nodes.filter(n => !n.needs.length);
	for (let i = 0; i < queue.length; i++)
		for (const next of queue[i].needed) {
			next.layer = Math.max(next.layer, queue[i].layer + 1);
			open.set(next, open.get(next) - 1);
			if (!open.get(next)) queue.push(next);
		}
	for (const n of nodes) /* what needs nothing stands close to what needs it */
		if (!n.needs.length && n.needed.length) n.layer = Math.min(...n.needed.map(m => m.layer)) - 1;
}
/* Columns of nodes; one that would be too tall becomes several. */
function columnsOf(nodes) {
	const layers = [];
	for (const n of nodes) (layers[n.layer] ||= []).push(n);
	const columns = [];
	for (const layer of layers.filter(Boolean)) {
		const parts = Math.ceil(layer.length / MOST), each = Math.ceil(layer.length / parts);
		for (let i = 0; i < parts; i++) columns.push(layer.slice(i * each, (i + 1) * each));
	}
	columns.forEach((column, i) => column.forEach(n => n.layer = i));
	return columns;
}
/* Puts the places between into the columns, and links neighbours with neighbours. */
function link(columns) {
	for (const column of columns.slice())
		for (const n of column.filter(m => m.name)) {
			const end = Math.max(n.layer, ...n.needed.map(m => m.layer));
			n.lane = [n];
			for (let i = n.layer + 1; i < end; i++) {
				const lane = {layer: i, left: [], right: []};
				columns[i].push(lane);
				n.lane.push(lane);
			}
		}
	for (const column of columns) for (const n of column) n.left ||= [], n.right ||= [];
	const join = (a, b) => { a.right.push(b); b.left.push(a); };
	for (const column of columns)
		for (const n of column.filter(m => m.name)) {
			for (let i = 1; i < n.lane.length; i++) join(n.lane[i - 1], n.lane[i]);
			for (const m of n.needed) if (m.layer > n.layer) join(n.lane[m.layer - n.layer - 1], m);
		}
}

/* ---- which place in the column ---- */

function crossings(columns) {
	let count = 0;
	for (const column of columns) {
		const ends = column.flatMap(n => n.right.map(m => m.rank).sort((a, b) => a - b));
		for (let i = 0; i < ends.length; i++)
			for (let j = i + 1; j < ends.length; j++) count += ends[i] > ends[j];
	}
	return count;
}
const rank = columns => columns.forEach(column => column.forEach((n, i) => n.rank = i));
const mean = (list, of) => list.reduce((sum, n) => sum + n[of], 0) / list.length;
function sweep(columns, side) {
	for (const column of side === "left" ? columns : columns.slice().reverse()) {
		for (const n of column) n.wish = n[side].length ? mean(n[side], "rank") : n.rank;
		column.sort((a, b) => a.wish - b.wish || a.rank - b.rank);
		column.forEach((n, i) => n.rank = i);
	}
}
function order(columns) {
	let best = Infinity, kept = null;
	rank(columns);
	for (let i = 0; i < 10; i++) {
		const count = crossings(columns);
		if (count < best) {
			best = count;
			kept = columns.map(column => column.slice());
		}
		sweep(columns, i % 2 ? "right" : "left");
	}
	kept.forEach((column, i) => columns[i] = column);
	rank(columns);
}
const tall = n => n.name ? TALL + GAP : LANE;
/* As close to where each wishes to be as the order allows: neighbours that press on each other share a mean. */
function settle(column) {
	const blocks = [];
	let offset = 0;
	for (const n of column) {
		offset += tall(n) / 2;
		n.offset = offset;
		offset += tall(n) / 2;
		blocks.push({sum: n.wish - n.offset, nodes: [n]});
		for (let last = blocks.length - 1; last > 0 && blocks[last - 1].sum / blocks[last - 1].nodes.length >
			blocks[last].sum / blocks[last].nodes.length; last--) {
			const block = blocks.pop();
			blocks[last - 1].sum += block.sum;
			blocks[last - 1].nodes.push(...block.nodes);
		}
	}
	for (const block of blocks) for (const n of block.nodes) n.y = block.sum / block.nodes.length + n.offset;
}
function place(columns) {
	for (const column of columns) {
		let y = 0;
		for (const n of column) n.wish = (y += tall(n)) - tall(n) / 2;
		settle(column);
	}
	for (let i = 0; i < 6; i++)
		for (const column of i % 2 ? columns.slice().reverse() : columns) {
			for (const n of column) {
				const near = i < 4 ? n[i % 2 ? "right" : "left"] : n.left.concat(n.right);
				n.wish = near.length ? mean(near, "y") : n.y;
			}
			settle(column);
		}
	const top = Math.min(...columns.flat().map(n => n.y - tall(n) / 2));
	columns.flat().forEach(n => n.y += EDGE - top);
	let x = EDGE;
	for (const column of columns) {
		const width = Math.max(...column.map(n => n.name ? Math.min(measure(n.name), 150) + 36 : 20));
		for (const n of column) n.x = x, n.width = width;
		x += width + BETWEEN;
	}
	return [x - BETWEEN + EDGE, Math.max(...columns.flat().map(n => n.y + tall(n) / 2)) + EDGE];
}
/* What has no dependencies at all, in rows below the rest. */
function placeAlone(nodes, top, wide) {
	if (!nodes.length) return top;
	const width = Math.max(...nodes.map(n => Math.min(measure(n.name), 150) + 36));
	const across = Math.max(1, Math.floor((wide - EDGE) / (width + GAP * 2)));
	nodes.forEach((n, i) => {
		n.x = EDGE + i % across * (width + GAP * 2);
		n.y = top + 20 + TALL / 2 + Math.floor(i / across) * (TALL + GAP);
		n.width = width;
		n.row = Math.floor(i / across);
	});
	return top + 20 + Math.ceil(nodes.length / across) * (TALL + GAP) + EDGE;
}

/* ---- the drawing ---- */

function curve(from, to) {
	const stops = from.lane.slice(1, to.layer - from.layer);
	let x = from.x + from.width, y = from.y, path = "M" + x + " " + y.toFixed(1);
	for (const stop of stops.concat(to)) {
		const half = (stop.x - x) / 2;
		path += "C" + (x + half) + " " + y.toFixed(1) + " " + (stop.x - half) + " " + stop.y.toFixed(1) + " " +
			stop.x + " " + stop.y.toFixed(1);
		x = stop.x;
		y = stop.y;
		if (stop !== to) path += "H" + (x += stop.width);
	}
	return path;
}
function drawNode(n, elsewhere) {
	n.mark = svg("text", {class: "mark", x: n.x + 13, y: n.y + 4.5});
	n.tip = svg("title", {});
	n.g = svg("g", {class: "node", tabindex: -1, role: "button"}, n.tip,
		svg("rect", {x: n.x, y: n.y - TALL / 2, width: n.width, height: TALL, rx: elsewhere ? TALL / 2 : 5}), n.mark,
		svg("text", {x: n.x + 24, y: n.y + 4.5}, cut(n.name, n.width - 34)));
	n.g.addEventListener("pointerenter", event => { if (event.pointerType === "mouse") light(graph.pointed = n.name); });
	n.g.addEventListener("pointerleave", () => { graph.pointed = ""; light(graph.chosen); });
	n.g.addEventListener("click", event => { event.stopPropagation(); choose(n.name); });
	n.g.addEventListener("focus", () => { rove(n.name); if (n.g.matches(":focus-visible")) light(n.name); });
	n.g.addEventListener("blur", () => light(graph.pointed || graph.chosen));
	n.g.addEventListener("keydown", event => press(n, event));
	return n.g;
}
function layout(list) {
	graph.nodes = readNodes(list);
	const all = [...graph.nodes.values()], bound = all.filter(n => n.needs.length || n.needed.length);
	const alone = all.filter(n => !bound.includes(n));
	setLayers(bound);
	const columns = columnsOf(bound);
	let width = 0, height = EDGE;
	if (bound.length) {
		link(columns);
		order(columns);
		[width, height] = place(columns);
	}
	graph.columns = columns;
	graph.alone = alone;
	const wide = Math.max(width, at("drawing").clientWidth);
	const bottom = placeAlone(alone, height, wide);
	width = Math.max(width, ...alone.map(n => n.x + n.width + EDGE));
	graph.svg = svg("svg", {width, height: bottom, role: "group", "aria-label": "Dependencies of services"});
	if (alone.length)
		graph.svg.append(svg("text", {class: "head", x: EDGE, y: height + 8}, "needs nothing, and nothing needs it"));
	graph.edges = [];
	for (const n of bound)
		for (const {node, optional} of n.needs.filter(need => need.node.layer < n.layer)) {
			const path = svg("path", {class: "edge", d: curve(node, n)});
			graph.edges.push({from: node, to: n, optional, path});
			graph.svg.append(path);
		}
	const types = new Map(list.map(s => [s.name, s.type]));
	for (const n of all) graph.svg.append(drawNode(n, types.get(n.name) === "external"));
	graph.svg.addEventListener("click", () => choose(""));
	at("drawing").replaceChildren(graph.svg);
	if (!graph.nodes.has(graph.chosen)) graph.chosen = "";
	rove(graph.nodes.has(graph.at) ? graph.at : all.length ? all[0].name : "");
}

/* ---- what is pointed at ---- */

function reach(node, next) {
	const found = new Set([node]);
	for (const n of found) for (const m of next(n)) found.add(m);
	return found;
}
function light(name) {
	const node = graph.nodes.get(name), said = at("said");
	const before = node && reach(node, n => n.needs.map(need => need.node)), after = node && reach(node, n => n.needed);
	graph.svg.classList.toggle("lit", !!node);
	for (const n of graph.nodes.values()) {
		n.g.classList.toggle("on", !!node && (before.has(n) || after.has(n)));
		n.g.classList.toggle("chosen", n === node);
	}
	for (const e of graph.edges) {
		const on = !!node && (before.has(e.from) && before.has(e.to) || after.has(e.from) && after.has(e.to));
		e.path.classList.toggle("on", on);
	}
	if (!node) {
		put(said, "Point at a service, or move with the arrow keys, to see what it needs and what needs it.");
		return;
	}
	const state = data.services.find(s => s.name === name).state, open = make("button", "", "details");
	open.type = "button";
	open.addEventListener("click", () => show(name));
	said.replaceChildren(make("strong", "", name), " ", make("span", "sign " + classes[state], state),
		" · needs " + (before.size - 1) + " · needed by " + (after.size - 1) + " · ", open);
}
function choose(name) {
	graph.chosen = graph.chosen === name ? "" : name;
	light(graph.chosen);
}
/* One of them takes part in the order of the Tab key: the last that had the focus. */
function rove(name) {
	const old = graph.nodes.get(graph.at), node = graph.nodes.get(name);
	if (old) old.g.setAttribute("tabindex", -1);
	graph.at = name;
	if (node) node.g.setAttribute("tabindex", 0);
}
const nearest = (list, n) => list.filter(m => m && m.name).sort((a, b) => Math.abs(a.y - n.y) - Math.abs(b.y - n.y))[0];
function neighbour(n, key) {
	const alone = graph.alone.indexOf(n), column = graph.columns[n.layer] || [];
	if (key === "ArrowLeft") return alone < 0 ? nearest(n.needs.map(need => need.node), n) : graph.alone[alone - 1];
	if (key === "ArrowRight") return alone < 0 ? nearest(n.needed, n) : graph.alone[alone + 1];
	if (key === "ArrowUp" || key === "ArrowDown") {
		const up = key === "ArrowUp";
		if (alone >= 0) return graph.alone.filter(m => m.x === n.x && m.row === n.row + (up ? -1 : 1))[0];
		return nearest(column.filter(m => up ? m.y < n.y : m.y > n.y), n) || (up ? null : graph.alone[0]);
	}
	return null;
}
function press(n, event) {
	const next = neighbour(n, event.key);
	if (event.key === "Enter" || event.key === " ") choose(n.name);
	else if (event.key === "Escape") choose("");
	else if (next) {
		next.g.focus();
		next.g.scrollIntoView({block: "nearest", inline: "nearest"});
	} else if (!event.key.startsWith("Arrow")) return;
	event.preventDefault();
}

/* ---- with each look ---- */

const signs = {good: "✓", wait: "…", bad: "✕", none: "–"};
function drawGraph(list) {
	const key = JSON.stringify(list.map(s => [s.name, s.type, s.depends_on]));
	at("graph").hidden = false;
	if (key !== graph.key) {
		graph.key = key;
		layout(list);
	}
	const states = new Map(list.map(s => [s.name, s]));
	for (const n of graph.nodes.values()) {
		const s = states.get(n.name), on = n.g.classList.contains("on"), chosen = n.g.classList.contains("chosen");
		const text = n.name + ": " + s.state + (s.reason && s.reason !== s.state ? ", " + s.reason : "");
		dress(n.g, "node " + classes[s.state] + (on ? " on" : "") + (chosen ? " chosen" : ""));
		put(n.mark, signs[classes[s.state]]);
		put(n.tip, text);
		if (n.g.getAttribute("aria-label") !== text) n.g.setAttribute("aria-label", text);
	}
	for (const e of graph.edges) {
		const s = states.get(e.to.name), on = e.path.classList.contains("on");
		const state = s.cause === e.from.name ? classes[states.get(e.from.name).state] : "none";
		dress(e.path, "edge " + state + (e.optional ? " optional" : "") + (on ? " on" : ""));
	}
	if (!at("said").firstChild || graph.chosen && !graph.pointed) light(graph.chosen);
}
