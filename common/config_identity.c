/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "passwd.h"
#include "table.h"

#define GROUPS_MAX 65536 /* the kernel's limit */

/* Groups on their way into an identity. */
struct group_list {
	gid_t *list;
	uint32_t count, room;
};

static void add_group(struct load *load, struct group_list *groups, gid_t gid)
{
	for (uint32_t i = 0; i < groups->count; i++)
		if (groups->list[i] == gid)
			return;
	groups->list =
		load_grow(load, groups->list, groups->count, &groups->room, sizeof(*groups->list));
	groups->list[groups->count++] = gid;
}

/* Who a service is to be, as the files say. */
struct account {
	bool change;
	uid_t uid;
	gid_t gid;
	uint32_t group_count;
	const gid_t *groups;
};

/* ---- names ---- */

static void report_unknown(struct load *load, const struct entry *entry, uint32_t line,
			   const char *name, int error, const char *file)
{
	char q[QUOTE_SIZE];

	if (error == -ENOENT)
		report_line(load, entry, line, "%s is not in %s", quote(q, name), file);
	else if (error == -EINVAL)
		report_line(load, entry, line, "%s: expected a name from %s or a decimal number",
			    quote(q, name), file);
	else
		report_line(load, entry, line, "%s: cannot read %s: %s", quote(q, name), file,
			    strerror(-error));
}

static bool know_user(struct load *load, const struct entry *entry, const char *name,
		      struct passwd_user *user)
{
	int error = passwd_user(name, user);

	if (error)
		report_unknown(load, entry, entry->line, name, error, "/etc/passwd");
	return error == 0;
}

/* One to become. */
static bool find_user(struct load *load, const struct entry *entry, const char *name,
		      struct passwd_user *user)
{
	char q[QUOTE_SIZE];

	if (!know_user(load, entry, name, user))
		return false;
	if (geteuid() != 0 && user->uid != geteuid()) {
		report_entry(load, entry,
			     "%s: to become another user needs root, and muster runs as uid %u",
			     quote(q, name), (unsigned)geteuid());
		return false;
	}
	return true;
}

void identity_check_user(struct load *load, const struct entry *entry, const char *name,
			 bool become)
{
	struct passwd_user user;

	if (load->source->lenient_users)
		return;
	if (become)
		find_user(load, entry, name, &user);
	else
		know_user(load, entry, name, &user);
}

/* Groups we are in already, and so need no privilege for. */
static bool own_group(struct load *load, gid_t gid)
{
	int count = getgroups(0, NULL);
	gid_t *groups = load_alloc(load, count > 0 ? (size_t)count : 0, sizeof(*groups));

	count = getgroups(count, groups);
	for (int i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return gid == getegid();
}

/* `primary`: it is to be the group of the process, which needs root even for a member. */
static bool find_group(struct load *load, const struct entry *entry, uint32_t line,
		       const char *name, bool primary, gid_t *gid)
{
	char q[QUOTE_SIZE];
	int error = passwd_group(name, gid);

	if (error) {
		report_unknown(load, entry, line, name, error, "/etc/group");
		return false;
	}
	if (geteuid() != 0 && (primary ? *gid != getegid() : !own_group(load, *gid))) {
		report_line(load, entry, line,
			    "%s: to change groups needs root, and muster runs as uid %u",
			    quote(q, name), (unsigned)geteuid());
		return false;
	}
	return true;
}

/* ---- the user change ---- */

/* Memberships of the user in /etc/group, the primary group first. */
static void add_memberships(struct load *load, const struct entry *entry, struct group_list *groups,
			    const char *name, gid_t primary)
{
	gid_t few[64], *all = few;
	int count = 1;

	few[0] = primary;
	if (*name)
		count = passwd_groups(name, primary, few, 64);
	if (count > 64 && count <= GROUPS_MAX) {
		all = load_alloc(load, (size_t)count, sizeof(*all));
		count = passwd_groups(name, primary, all, (size_t)count);
	}
	if (count < 0 || count > GROUPS_MAX) {
		report_entry(load, entry, "cannot read the groups of %s: %s", name,
			     strerror(count < 0 ? -count : E2BIG));
		return;
	}
	for (int i = 0; i < count; i++)
		add_group(load, groups, all[i]);
}

static void add_own_groups(struct load *load, struct group_list *groups)
{
	int count = getgroups(0, NULL);
	gid_t *list = load_alloc(load, count > 0 ? (size_t)count : 0, sizeof(*list));

	count = getgroups(count, list);
	for (int i = 0; i < count; i++)
		add_group(load, groups, list[i]);
}

static bool add_items(struct load *load, const struct entry *entry, struct group_list *groups)
{
	struct items items = value_items(load, entry);
	bool good = true;
	gid_t gid;

	for (size_t i = 0; i < items.count; i++) {
		if (find_group(load, entry, items.list[i].line, items.list[i].text, false, &gid))
			add_group(load, groups, gid);
		else
			good = false;
	}
	return good;
}

/* Finds out who is meant. Without root it can only be who muster is already. */
static bool look_up(struct load *load, const struct service_load *service, struct account *account)
{
	const struct service_draft *draft = &service->draft;
	const struct entry *user_entry = section_get(service->section, "user");
	const struct entry *group_entry = section_get(service->section, "group");
	struct passwd_user user = {.uid = geteuid(), .gid = getegid()};
	struct group_list groups = {0};

	if (draft->user && !find_user(load, user_entry, draft->user, &user))
		return false;
	if (draft->group &&
	    !find_group(load, group_entry, group_entry->line, draft->group, true, &user.gid))
		return false;
	add_group(load, &groups, user.gid);
	if (draft->user)
		add_memberships(load, user_entry, &groups, user.name, user.gid);
	else if (!draft->group)
		add_own_groups(load, &groups);
	if (!add_items(load, draft->group_add, &groups))
		return false;
	*account = (struct account){.change = geteuid() == 0, .uid = user.uid, .gid = user.gid};
	if (account->change) {
		account->group_count = groups.count;
		account->groups =
			load_intern_block(load, groups.list, groups.count * sizeof(gid_t));
	}
	return true;
}

/* Reads the files once for all services that ask for the same. */
static void fill_account(struct load *load, const struct service_load *service,
			 struct identity_config *identity)
{
	const struct service_draft *draft = &service->draft;
	bool own = draft->group_add && load->replica; /* its groups may have the number in them */
	const char *key = load_format(load, "%s\n%s\n%s\n%s", draft->user ? draft->user : "",
				      draft->group ? draft->group : "",
				      draft->group_add ? draft->group_add->value : "",
				      own ? load->replica : "");
	struct table_entry *entry = load_check(load, table_add(load->accounts, key, strlen(key)));
	struct account *account;

	if (entry->value == TABLE_NEW) {
		struct account found;

		if (!look_up(load, service, &found))
			return; /* and again for the next service, which is to hear it too */
		load->account_list = load_grow(load, load->account_list, load->account_count,
					       &load->account_room, sizeof(found));
		load->account_list[load->account_count] = found;
		entry->value = load->account_count++;
	}
	account = &load->account_list[entry->value];
	identity->change_user = account->change;
	identity->uid = account->uid;
	identity->gid = account->gid;
	identity->groups = account->groups;
	identity->group_count = account->group_count;
}

/* ---- the rest of it ---- */

static const struct limit_config *make_limits(struct load *load, const struct limits_draft *draft)
{
	struct limit_config list[LIMITS_MAX + 1];
	size_t count = 0;

	memset(list, 0, sizeof(list));
	for (int i = 0; i < LIMITS_MAX; i++) {
		if (!draft->set[i])
			continue;
		list[count].resource = i;
		list[count++].value = draft->value[i];
	}
	if (count == 0)
		return NULL;
	list[count].resource = -1;
	return load_intern_block(load, list, (count + 1) * sizeof(list[0]));
}

/* Paths of read_only or writable, each absolute, with `?` before it where it may be missing. */
static char *const *make_paths(struct load *load, const struct entry *entry)
{
	struct items items = value_items(load, entry);
	char **paths = load_alloc(load, items.count + 1, sizeof(*paths));
	char q[QUOTE_SIZE];

	for (size_t i = 0; i < items.count; i++) {
		const char *path = items.list[i].text;

		if (path[path[0] == '?'] != '/')
			report_line(load, entry, items.list[i].line,
				    "%s: expected an absolute path (?/path: it may be missing)",
				    quote(q, path));
		paths[i] = (char *)(uintptr_t)path;
	}
	return items.count ? load_intern_list(load, paths, items.count) : NULL;
}

static const struct landlock_config *make_landlock(struct load *load,
						   const struct service_load *service)
{
	const struct service_draft *draft = &service->draft;
	const struct entry *mode = section_get(service->section, "landlock");
	struct landlock_config landlock;

	memset(&landlock, 0, sizeof(landlock));
	landlock.mode = draft->landlock;
	landlock.read_only = make_paths(load, draft->read_only);
	landlock.writable = make_paths(load, draft->writable);
	if (!landlock.read_only && !landlock.writable) {
		if (mode && landlock.mode == LANDLOCK_REQUIRE)
			report_entry(load, mode, "needs paths: read_only, writable or both");
		return NULL;
	}
	if (landlock.mode != LANDLOCK_OFF && !draft->no_new_privileges)
		report_entry(load, draft->writable ? draft->writable : draft->read_only,
			     "needs no_new_privileges = yes, or landlock = off");
	return load_intern_block(load, &landlock, sizeof(landlock));
}

/* "0-1,3"; cut where it is too long. */
static void write_cpus(const cpu_set_t *cpus, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (unsigned first = 0, last; first < CPU_SETSIZE && used < size; first = last + 1) {
		last = first;
		if (!CPU_ISSET(first, cpus))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cpus))
			last++;
		used += (size_t)snprintf(text + used, size - used,
					 last > first ? "%s%u-%u" : "%s%u", used ? "," : "", first,
					 last);
	}
}

/* Those that a child of ours may be given; the kernel would drop the others without a word. */
static const cpu_set_t *make_cpus(struct load *load, const struct service_load *service)
{
	const cpu_set_t *cpus = &service->draft.cpuset;
	char q[QUOTE_SIZE], here[64];
	cpu_set_t own, both;

	if (CPU_COUNT(cpus) == 0)
		return NULL;
	if (!load->source->lenient_users && sched_getaffinity(0, sizeof(own), &own) == 0) {
		CPU_AND(&both, &own, cpus);
		write_cpus(&own, here, sizeof(here));
		if (!CPU_EQUAL(&both, cpus))
			report_entry(load, section_get(service->section, "cpuset"),
				     "%s: muster-init may use only %s here",
				     quote(q, section_get(service->section, "cpuset")->value),
				     here);
	}
	return load_intern_block(load, cpus, sizeof(*cpus));
}

static void fill_numbers(const struct service_draft *draft, struct identity_config *identity)
{
	identity->no_new_privileges = draft->no_new_privileges;
	identity->has_umask = draft->umask != NUMBER_NONE;
	identity->has_nice = draft->nice != NUMBER_NONE;
	identity->has_oom = draft->oom_score_adj != NUMBER_NONE;
	if (identity->has_umask)
		identity->umask = (mode_t)draft->umask;
	if (identity->has_nice)
		identity->nice = (int)draft->nice;
	if (identity->has_oom)
		identity->oom_score_adj = (int)draft->oom_score_adj;
}

const struct identity_config *load_identity(struct load *load, struct service_load *service)
{
	const struct service_draft *draft = &service->draft;
	struct identity_config identity;

	memset(&identity, 0, sizeof(identity));
	fill_numbers(draft, &identity);
	if (draft->working_dir)
		identity.working_dir = load_intern(load, draft->working_dir);
	if (draft->user)
		identity.user_name = load_intern(load, draft->user);
	identity.limits = make_limits(load, &draft->limits);
	identity.cpus = make_cpus(load, service);
	load_capabilities(load, draft, &identity);
	identity.landlock = make_landlock(load, service);
	if (!load->source->lenient_users && (draft->user || draft->group || draft->group_add))
		fill_account(load, service, &identity);
	load_seccomp(load, service, &identity);
	return load_intern_block(load, &identity, sizeof(identity));
}
