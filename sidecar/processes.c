/* SPDX-License-Identifier: MIT */
#include "processes.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mem.h"
#include "proc_stat.h"
#include "snapshot.h"
#include "str.h"

#define NOBODY  (-1) /* it belongs to no service */
#define UNASKED (-2)

/* A process of one pass. */
struct process {
	struct proc_stat stat;
	int32_t main;    /* the service whose main process it is, or NOBODY */
	int32_t service; /* to which it belongs */
	bool orphan; /* its parent does not belong to the service: what it used is lost with it */
};

struct pass {
	struct process *list; /* by pid */
	size_t count, size;
};

/* What is known of a service from one pass to the next. */
struct root {
	char name[STATUS_NAME_MAX];
	int32_t pid;    /* of its main process; 0: none */
	uint64_t begin; /* of that process; COUNTER_UNKNOWN: it was not seen */
	bool seen;      /* a main process was, this one or one before it */
	uint64_t lost;  /* ns that ended orphans had used */
	uint64_t told;  /* ns that were told of it last */
	uint64_t ended; /* ns of main processes before this one, and all theirs */
	struct tree tree;
};

struct processes {
	const char *proc_root;
	struct pass now, before;
	struct root *roots;
	uint32_t root_count;
	uint64_t read_at; /* 0: never */
	bool with_pss;
};

static const struct tree unknown = {
	.cpu = COUNTER_UNKNOWN,
	.cpu_ever = COUNTER_UNKNOWN,
	.memory = COUNTER_UNKNOWN,
	.processes = COUNTER_UNKNOWN,
	.threads = COUNTER_UNKNOWN,
	.open_fds = COUNTER_UNKNOWN,
	.pss = COUNTER_UNKNOWN,
};

/* ---- a pass over /proc ---- */

static void pass_add(struct pass *pass, const struct proc_stat *stat)
{
	if (pass->count == pass->size) {
		pass->size = pass->size ? pass->size * 2 : 64;
		pass->list = mem_resize(pass->list, pass->size, sizeof(*pass->list));
	}
	pass->list[pass->count++] =
		(struct process){.stat = *stat, .main = NOBODY, .service = UNASKED};
}

static int by_pid(const void *a, const void *b)
{
	const struct process *one = a, *other = b;

	return (one->stat.pid > other->stat.pid) - (one->stat.pid < other->stat.pid);
}

/* Processes come and go meanwhile: who cannot be read is not there. */
static void pass_read(struct pass *pass, const char *proc_root)
{
	DIR *dir = opendir(proc_root);
	struct dirent *entry;
	struct proc_stat stat;
	uint64_t pid;

	pass->count = 0;
	while (dir && (entry = readdir(dir)))
		if (parse_uint(entry->d_name, INT32_MAX, &pid) &&
		    proc_stat_read(&stat, proc_root, (int)pid))
			pass_add(pass, &stat);
	if (dir)
		closedir(dir);
	if (pass->count)
		qsort(pass->list, pass->count, sizeof(*pass->list), by_pid);
}

static struct process *pass_find(const struct pass *pass, int32_t pid)
{
	const struct process key = {.stat.pid = pid};

	if (pid <= 0 || !pass->count)
		return NULL;
	return bsearch(&key, pass->list, pass->count, sizeof(key), by_pid);
}

/* The same process in the other pass: its number may have gone to another. */
static struct process *pass_find_same(const struct pass *pass, const struct process *process)
{
	struct process *found = pass_find(pass, process->stat.pid);

	return found && found->stat.begin == process->stat.begin ? found : NULL;
}

/* ---- to which service ---- */

/* No child is older than its parent: then the number is another's by now. */
static struct process *parent_of(const struct pass *pass, const struct process *process)
{
	struct process *parent = pass_find(pass, process->stat.parent);

	return parent && parent->stat.begin <= process->stat.begin ? parent : NULL;
}

/* By itself, whoever its parent is. */
static int32_t own_service(const struct processes *processes, const struct process *process)
{
	const struct process *leader, *before;

	if (process->service != UNASKED)
		return process->service;
	if (process->main != NOBODY)
		return process->main;
	leader = pass_find(&processes->now, process->stat.session);
	if (leader && leader->main != NOBODY && leader->stat.begin <= process->stat.begin)
		return leader->main;
	before = pass_find_same(&processes->before, process);
	return before && before->service != NOBODY ? before->service : UNASKED;
}

/* Up the tree until somebody knows, and down again to tell all on the way. */
static void attribute(struct processes *processes, struct process *process)
{
	struct process *at = process, *next;
	int32_t service = own_service(processes, at);

	for (size_t steps = 0; service == UNASKED && at && steps < processes->now.count; steps++) {
		at = parent_of(&processes->now, at);
		service = at ? own_service(processes, at) : NOBODY;
	}
	if (service == UNASKED)
		service = NOBODY;
	for (at = process; at && at->service == UNASKED; at = next) {
		next = parent_of(&processes->now, at);
		at->service = service;
		if (at->main != NOBODY)
			break;
	}
}

/* ---- services ---- */

static void mark_main(struct processes *processes, uint32_t index)
{
	struct root *root = &processes->roots[index];
	struct process *process = pass_find(&processes->now, root->pid);
	uint64_t begin = process ? process->stat.begin : COUNTER_UNKNOWN;

	if (begin != root->begin) { /* another process */
		root->ended += root->told;
		root->lost = root->told = 0;
		root->begin = begin;
	}
	root->tree = unknown;
	if (!process)
		return;
	process->main = (int32_t)index;
	root->seen = true;
	root->tree = (struct tree){.pss = processes->with_pss ? 0 : COUNTER_UNKNOWN};
}

static void add(uint64_t *sum, uint64_t value)
{
	if (*sum == COUNTER_UNKNOWN || value == COUNTER_UNKNOWN)
		*sum = COUNTER_UNKNOWN;
	else
		*sum += value;
}

static void count(struct processes *processes, struct process *process)
{
	const struct process *parent = parent_of(&processes->now, process);
	struct tree *tree = &processes->roots[process->service].tree;
	int pid = process->stat.pid;

	process->orphan =
		process->main == NOBODY && !(parent && parent->service == process->service);
	tree->processes++;
	tree->cpu += process->stat.cpu;
	tree->memory += proc_resident(processes->proc_root, &process->stat);
	tree->threads += process->stat.threads;
	add(&tree->open_fds, proc_open_fds(processes->proc_root, pid));
	if (processes->with_pss)
		add(&tree->pss, proc_pss(processes->proc_root, pid));
}

/* What an orphan used is told to nobody when it ends: it is kept here. */
static void keep_lost(struct processes *processes)
{
	for (size_t i = 0; i < processes->before.count; i++) {
		const struct process *process = &processes->before.list[i];

		if (process->service != NOBODY && process->orphan &&
		    !pass_find_same(&processes->now, process))
			processes->roots[process->service].lost += process->stat.cpu;
	}
}

static void count_all(struct processes *processes)
{
	for (size_t i = 0; i < processes->now.count; i++)
		if (processes->now.list[i].service != NOBODY)
			count(processes, &processes->now.list[i]);
	for (uint32_t i = 0; i < processes->root_count; i++) {
		struct root *root = &processes->roots[i];

		/* the page may name a process that has ended meanwhile */
		if (root->pid <= 0 || root->seen)
			root->tree.cpu_ever = root->ended;
		if (root->begin == COUNTER_UNKNOWN)
			continue;
		root->tree.cpu += root->lost;
		/* from the end of a child until it is waited for, its time is nowhere */
		if (root->told > root->tree.cpu)
			root->tree.cpu = root->told;
		root->told = root->tree.cpu;
		root->tree.cpu_ever = root->ended + root->told;
	}
}

/* ---- which services there are ---- */

static bool is_same(const struct root *root, const struct status_record *record)
{
	return root->pid == record->pid && strcmp(root->name, record->name) == 0;
}

static bool same_roots(const struct processes *processes, const struct view *view)
{
	if (processes->root_count != view->header.record_count)
		return false;
	for (uint32_t i = 0; i < processes->root_count; i++)
		if (!is_same(&processes->roots[i], &view->records[i]))
			return false;
	return true;
}

/* Where this service was before, or NOBODY. */
static int32_t former_place(const struct processes *processes, uint32_t index, const char *name)
{
	if (index < processes->root_count && strcmp(processes->roots[index].name, name) == 0)
		return (int32_t)index;
	for (uint32_t i = 0; i < processes->root_count; i++)
		if (strcmp(processes->roots[i].name, name) == 0)
			return (int32_t)i;
	return NOBODY;
}

static void move_processes(struct processes *processes, const int32_t *places)
{
	for (size_t i = 0; i < processes->now.count; i++) {
		struct process *process = &processes->now.list[i];

		if (process->service != NOBODY)
			process->service = places[process->service];
	}
}

/* Main processes come and go, and a reload moves services about. */
static void take_roots(struct processes *processes, const struct view *view)
{
	const uint32_t services = view->header.record_count;
	struct root *roots = mem_alloc((services + 1) * sizeof(*roots));
	int32_t *places = mem_resize(NULL, processes->root_count + 1, sizeof(*places));

	for (uint32_t i = 0; i < processes->root_count; i++)
		places[i] = NOBODY;
	for (uint32_t i = 0; i < services; i++) {
		const struct status_record *record = &view->records[i];
		int32_t former = former_place(processes, i, record->name);

		roots[i].begin = COUNTER_UNKNOWN;
		if (former != NOBODY) {
			roots[i] = processes->roots[former];
			/* what is left of another main process is nobody's */
			if (is_same(&roots[i], record))
				places[former] = (int32_t)i;
		}
		roots[i].pid = record->pid;
		strcpy(roots[i].name, record->name);
	}
	move_processes(processes, places);
	free(places);
	free(processes->roots);
	processes->roots = roots;
	processes->root_count = services;
}

/* ---- on request ---- */

static void read_all(struct processes *processes)
{
	struct pass now = processes->before;

	processes->before = processes->now;
	processes->now = now; /* its memory */
	pass_read(&processes->now, processes->proc_root);
	for (uint32_t i = 0; i < processes->root_count; i++)
		mark_main(processes, i);
	for (size_t i = 0; i < processes->now.count; i++)
		attribute(processes, &processes->now.list[i]);
	keep_lost(processes);
	count_all(processes);
}

void processes_refresh(struct processes *processes, const struct view *view, bool pss)
{
	bool same = same_roots(processes, view);

	if (same && processes->read_at && view->now - processes->read_at < NSEC_PER_SEC &&
	    (!pss || processes->with_pss))
		return;
	if (!same)
		take_roots(processes, view);
	processes->read_at = view->now;
	processes->with_pss = pss;
	read_all(processes);
}

const struct tree *processes_tree(const struct processes *processes, uint32_t index)
{
	return index < processes->root_count ? &processes->roots[index].tree : &unknown;
}

int32_t processes_owner(const struct processes *processes, int32_t pid)
{
	const struct process *process = pass_find(&processes->now, pid);

	return process ? process->service : NOBODY;
}

struct processes *processes_create(const char *proc_root)
{
	struct processes *processes = mem_alloc(sizeof(*processes));

	processes->proc_root = proc_root;
	return processes;
}

void processes_destroy(struct processes *processes)
{
	free(processes->now.list);
	free(processes->before.list);
	free(processes->roots);
	free(processes);
}
