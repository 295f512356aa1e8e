/* SPDX-License-Identifier: MIT */
#include "cgroup_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_files.h"
#include "fd.h"
#include "log.h"
#include "supervisor.h"

#define LEAF       "init"
#define MOVES_MAX  16 /* rounds of moving what is forked meanwhile */
#define NAMES_SIZE 160

void cgroup_root_open(struct supervisor *sup)
{
	struct cgroups *cgroups = &sup->cgroups;

	cgroups->root = cgroup_open();
	cgroups->events = cgroup_open_events(cgroups->root);
	cgroups->killed = cgroup_killed(cgroups->events);
}

/* ---- making it ours ---- */

/* Moves init to its leaf; as PID 1, whoever else is in our container, too. 0 or -errno. */
static int move_to_leaf(const struct supervisor *sup, int root)
{
	char text[4096], pid[16];
	int rc = 0;

	if (mkdirat(root, LEAF, 0755) < 0 && errno != EEXIST)
		return -errno;
	rc = cgroup_write(root, LEAF "/cgroup.procs", "0");
	for (int i = 0; i < MOVES_MAX && !rc && sup->pid1; i++) {
		bool moved = false;

		if (fd_read_at(root, "cgroup.procs", text, sizeof(text)) <= 0)
			break;
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			snprintf(pid, sizeof(pid), "%.12s", line);
			moved |= cgroup_write(root, LEAF "/cgroup.procs", pid) == 0;
		}
		if (!moved) /* threads of the kernel stay, in the root of all */
			break;
	}
	return rc;
}

/* Whether there is such a controller. */
static bool offers(int root, unsigned limit)
{
	char text[256];

	fd_read_at(root, "cgroup.controllers", text, sizeof(text));
	for (char *name = strtok(text, " \n"); name; name = strtok(NULL, " \n"))
		if (strcmp(name, cgroup_limits[limit].controller) == 0)
			return true;
	return false;
}

/* Switches it on or off for the cgroups below the root. 0 or -errno. */
static int switch_to(int root, unsigned limit, char sign)
{
	char word[12];

	snprintf(word, sizeof(word), "%c%s", sign, cgroup_limits[limit].controller);
	return cgroup_write(root, "cgroup.subtree_control", word);
}

static void write_names(const struct supervisor *sup, unsigned limit, char *names, size_t size)
{
	size_t used = 0;

	for (uint32_t i = 0; i < sup->count && used < size; i++)
		if (cgroups_value(sup->services[i], limit))
			used += (size_t)snprintf(names + used, size - used, "%s%s",
						 used ? ", " : "", sup->services[i]->config->name);
	if (used >= size)
		memcpy(names + size - 4, "...", 4);
}

/* Once for each key. */
static void say_missing(const struct supervisor *sup, unsigned limit, int error)
{
	char names[NAMES_SIZE], why[96];

	if (error == -EBADF)
		snprintf(why, sizeof(why), "muster-init is in no cgroup v2");
	else if (error == -ENODEV)
		snprintf(why, sizeof(why), "the cgroup v2 of muster-init has no controller %s",
			 cgroup_limits[limit].controller);
	else
		snprintf(why, sizeof(why), "the cgroup v2 is not delegated to muster-init: %s",
			 error == -EBUSY ? "others are in it" : strerror(-error));
	write_names(sup, limit, names, sizeof(names));
	log_warning("%s has no effect here: %s; asked for by %s", cgroup_limits[limit].key, why,
		    names);
}

static uint8_t wanted_limits(const struct supervisor *sup)
{
	uint8_t wanted = 0;

	for (uint32_t i = 0; i < sup->count; i++)
		for (unsigned n = 0; n < LIMIT_COUNT; n++)
			if (cgroups_value(sup->services[i], n))
				wanted |= (uint8_t)(1U << n);
	return wanted;
}

/* For these limits, of which there has been no word yet. */
static void make_possible(struct supervisor *sup, uint8_t fresh)
{
	struct cgroups *cgroups = &sup->cgroups;
	int moved = 0;

	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		int rc = cgroups->root < 0 ? -EBADF : -ENODEV;

		if (!(fresh & 1U << i))
			continue;
		if (offers(cgroups->root, i)) {
			if (!cgroups->ours && !moved)
				moved = move_to_leaf(sup, cgroups->root);
			cgroups->ours |= !moved;
			rc = moved ? moved : switch_to(cgroups->root, i, '+');
		}
		if (rc) {
			cgroups->missing |= (uint8_t)(1U << i);
			say_missing(sup, i, rc);
		}
	}
}

void cgroup_root_follow(struct supervisor *sup)
{
	struct cgroups *cgroups = &sup->cgroups;
	uint8_t fresh = wanted_limits(sup) & (uint8_t)~cgroups->asked;

	cgroups->asked |= fresh;
	make_possible(sup, fresh);
	/* in the root of all nothing is counted: what is not limited is in our leaf */
	if (cgroups->ours && cgroups->events < 0) {
		cgroups->events =
			openat(cgroups->root, LEAF "/memory.events", O_RDONLY | O_CLOEXEC);
		cgroups->killed = cgroup_killed(cgroups->events);
	}
}

/* ---- the end ---- */

void cgroup_root_close(struct supervisor *sup)
{
	struct cgroups *cgroups = &sup->cgroups;

	for (uint32_t i = 0; cgroups->ours && i < sup->count; i++)
		cgroups_remove(sup, sup->services[i]);
	for (unsigned i = 0; cgroups->ours && i < LIMIT_COUNT; i++)
		if (cgroups->asked & ~cgroups->missing & 1U << i)
			switch_to(cgroups->root, i, '-');
	if (cgroups->ours && cgroup_write(cgroups->root, "cgroup.procs", "0") == 0)
		unlinkat(cgroups->root, LEAF, AT_REMOVEDIR);
	if (cgroups->root >= 0)
		close(cgroups->root);
	if (cgroups->events >= 0)
		close(cgroups->events);
}
