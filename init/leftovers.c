/* SPDX-License-Identifier: MIT */
#include "leftovers.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "supervisor.h"
#include "sweep.h"

#define STUCK_NAMED   4 /* with a line each */
#define KILL_AGAIN_MS 100
#define DEPTH_MAX     256 /* of a process below us */

struct walk {
	struct supervisor *sup;
	struct service *service;
	unsigned found;
	bool untold;
};

/* ---- whose is it ---- */

/* The MUSTER_SERVICE in /proc/PID/environ. Its beginning is enough for what we started ourselves:
 * the variable stands first. */
static const char *name_carried(int proc, pid_t pid)
{
	static const char variable[] = "MUSTER_SERVICE=";
	static char text[65536];
	long size = proc_read(proc, pid, "environ", text, sizeof(text));

	for (const char *at = text; at < text + size; at += strlen(at) + 1)
		if (strncmp(at, variable, sizeof(variable) - 1) == 0)
			return at + sizeof(variable) - 1;
	return NULL;
}

/* The service that a child of ours belongs to, as main process, helper or leftover; or NULL. */
static struct service *owner_of(const struct supervisor *sup, int proc, pid_t child)
{
	struct child_entry entry = children_find(&sup->children, child);
	const char *name;
	pid_t session;

	if (entry.kind != CHILD_STRANGER)
		return supervisor_owner(sup, entry);
	session = getsid(child);
	for (uint32_t i = 0; i < sup->count; i++)
		if (session > 1 && sup->services[i]->session == session)
			return sup->services[i];
	name = name_carried(proc, child);
	return name ? supervisor_find(sup, name) : NULL;
}

bool leftovers_owns(const struct supervisor *sup, const struct service *service, pid_t pid)
{
	int proc = children_find(&sup->children, pid).kind == CHILD_STRANGER ? proc_open() : -1;
	struct proc_info info = {0};
	bool own = false;

	for (unsigned i = 0; proc >= 0 && i < DEPTH_MAX && proc_look(proc, pid, &info); i++) {
		if (info.parent == getpid()) {
			own = owner_of(sup, proc, pid) == service;
			break;
		}
		pid = info.parent;
	}
	if (proc >= 0)
		close(proc);
	return own;
}

static bool is_leftover(int proc, pid_t child, void *data)
{
	const struct walk *walk = data;

	return children_find(&walk->sup->children, child).kind == CHILD_STRANGER &&
	       owner_of(walk->sup, proc, child) == walk->service;
}

/* All but the writer of its log, which has the last lines yet to write. */
static bool is_of_service(int proc, pid_t child, void *data)
{
	const struct walk *walk = data;

	return children_find(&walk->sup->children, child).kind != CHILD_LOGGER &&
	       owner_of(walk->sup, proc, child) == walk->service;
}

static bool is_unstuck(int proc, pid_t child, void *data)
{
	const struct walk *walk = data;
	const struct service *service = owner_of(walk->sup, proc, child);

	return !service || !service->stuck;
}

/* ---- who had to be killed ---- */

/* proc: a descriptor of /proc, or -1. */
static void note(struct supervisor *sup, int proc, const char *name, pid_t pid, const char *service)
{
	size_t used = strlen(sup->killed);
	bool gpu;

	sup->kills++;
	if (used > sizeof(sup->killed) - 2 * STATUS_NAME_MAX - 16)
		return;
	sup->kills_named++;
	gpu = proc >= 0 && proc_holds_gpu(proc, pid);
	snprintf(sup->killed + used, sizeof(sup->killed) - used, "%s%s %d%s%s%s%s",
		 used ? ", " : "", name, (int)pid, service ? " (" : "", service ? service : "",
		 service ? ")" : "", gpu ? " with a GPU" : "");
}

static bool note_each(int proc, pid_t pid, const struct proc_info *info, pid_t child, void *data)
{
	struct walk *walk = data;
	const struct service *service = owner_of(walk->sup, proc, child);

	if (walk->sup->stage >= STAGE_STOP && (!service || !service->killed))
		note(walk->sup, proc, info->name, pid, service ? service->config->name : NULL);
	return true;
}

/* Without /proc only main processes are known. */
static void note_main(struct supervisor *sup, const struct service *service)
{
	if (service->pid > 0 && !service->killed && sup->stage >= STAGE_STOP)
		note(sup, -1, "process", service->pid, service->config->name);
}

static bool say_stuck(int proc, pid_t pid, const struct proc_info *info, pid_t child, void *data)
{
	struct walk *walk = data;
	char where[64];

	(void)child;
	if (walk->found++ >= STUCK_NAMED)
		return false;
	if (proc_read(proc, pid, "wchan", where, sizeof(where)) <= 0)
		memcpy(where, "?", 2);
	log_error("%s: %s, process %d, has not ended after KILL: state %c, in %s",
		  walk->service->config->name, info->name, (int)pid, info->state, where);
	return true;
}

/* ---- who was told ---- */

/* Some programs take a second TERM for impatience. */
static bool was_told(const struct supervisor *sup, pid_t pid)
{
	for (uint32_t i = 0; i < sup->told_count; i++)
		if (sup->told[i] == pid)
			return true;
	return false;
}

static bool tell(int proc, pid_t pid, const struct proc_info *info, pid_t child, void *data)
{
	struct supervisor *sup = ((struct walk *)data)->sup;

	(void)proc;
	(void)info;
	(void)child;
	if (was_told(sup, pid))
		return false;
	if (sup->told_count < LEFTOVERS_TOLD)
		sup->told[sup->told_count++] = pid;
	return true;
}

/* Whatever a dead process leaves in turn may be new to us by now and not in this list, and whose it
 * was cannot be seen any more; but SIGCHLD for it is on its way, and then we look again. */
static bool look(int proc, pid_t pid, void *data)
{
	struct walk *walk = data;
	struct child_entry entry = children_find(&walk->sup->children, pid);
	struct proc_info info;

	if (entry.kind == CHILD_HOOK) /* killed, and still the parent of what it leaves */
		walk->found += supervisor_owner(walk->sup, entry) == walk->service;
	if (entry.kind != CHILD_STRANGER)
		return true;
	if (owner_of(walk->sup, proc, pid) == walk->service) {
		walk->found++;
		/* where there are too many to remember, those that come late get only KILL */
		walk->untold = walk->sup->told_count < LEFTOVERS_TOLD && !was_told(walk->sup, pid);
	} else if (!proc_look(proc, pid, &info) || info.ending) {
		walk->found++;
	}
	return !walk->untold;
}

bool leftovers_end(struct supervisor *sup, struct service *service)
{
	struct walk walk = {.sup = sup, .service = service};
	struct sweep sweep = {SIGTERM, is_leftover, tell, &walk};
	int proc = service->session > 1 ? proc_open() : -1;

	if (proc < 0)
		return false; /* without /proc there is nothing to know them by */
	proc_each_child(proc, look, &walk);
	close(proc);
	if (walk.found && service->phase == PH_KILLING) {
		/* one may have been forked while the others were looked for */
		if (clock_monotonic() > sup->last_kill + msec(KILL_AGAIN_MS))
			leftovers_kill(sup, service);
	} else if (walk.untold || (walk.found && !service->sweeping)) {
		sweep_run(&sweep);
	}
	return walk.found;
}

/* ---- KILL ---- */

void leftovers_kill(struct supervisor *sup, struct service *service)
{
	struct walk walk = {.sup = sup, .service = service};
	struct sweep sweep = {SIGKILL, is_of_service, note_each, &walk};

	/* a session leader that was not waited for: the number can be nobody else's */
	if (service->pid > 1)
		kill(-service->pid,
		     SIGSTOP); /* all of the group at once, and then there is peace */
	if (sweep_run(&sweep) < 0)
		note_main(sup, service);
	cgroups_kill(sup, service);
	service->killed = true;
	sup->last_kill = clock_monotonic();
	if (service->pid > 1)
		kill(-service->pid, SIGKILL);
}

void leftovers_kill_everything(struct supervisor *sup)
{
	struct walk walk = {.sup = sup};
	struct sweep sweep = {sup->pid1 ? 0 : SIGKILL, NULL, note_each, &walk};
	int rc;

	if (sup->pid1)
		kill(-1, SIGSTOP);
	rc = sweep_run(&sweep);
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];

		if (rc < 0)
			note_main(sup, service);
		service->killed |= service->pid > 0;
		if (rc < 0 && service->pid > 1)
			kill(-service->pid, SIGKILL);
	}
	if (sup->pid1)
		kill(-1, SIGKILL);
}

void leftovers_say_stuck(struct supervisor *sup, struct service *service)
{
	struct walk walk = {.sup = sup, .service = service};
	struct sweep sweep = {0, is_of_service, say_stuck, &walk};

	sweep_run(&sweep);
}

bool leftovers_unstuck(struct supervisor *sup)
{
	struct walk walk = {.sup = sup};
	struct sweep sweep = {.wanted = is_unstuck, .data = &walk};

	return sweep_run(&sweep) != 0; /* without /proc: there may be */
}
