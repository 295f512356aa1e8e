/* SPDX-License-Identifier: MIT */
#include "security.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "capability.h"
#include "config.h"
#include "ctl.h"
#include "fd.h"
#include "json_out.h"
#include "landlock.h"
#include "load.h"
#include "log.h"
#include "names.h"
#include "text.h"
#include "view.h"

/* A service that runs, and all that is known of it. */
struct entry {
	const char *name;
	const struct service_config *config; /* NULL: not known, or muster's own */
	struct facts facts;
	struct rating rating;
	struct difference differences[DIFFERENCES_MAX];
	unsigned difference_count;
};

struct security {
	struct ctl *ctl;
	struct view view;
	struct config *config; /* NULL: nothing is compared */
	struct facts init;
	bool landlock;
	struct entry *entries;
	uint32_t count;
};

/* ---- what was asked ---- */

/* The files that muster-init itself was started with; in `arguments`, which is its command line. */
static const char *const *init_files(pid_t init, char *arguments, size_t size,
				     const char *files[CTL_CONFIGS_MAX + 1])
{
	char path[40];
	long len;
	unsigned count = 0;
	bool next = false;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)init);
	len = fd_read_file(path, arguments, size);
	for (char *at = arguments; len > 0 && at < arguments + len && count < CTL_CONFIGS_MAX;
	     at += strlen(at) + 1) {
		if (!next && strcmp(at, "--") == 0)
			break; /* a program and its own arguments */
		if (next)
			files[count++] = at;
		else if (strncmp(at, "--config=", 9) == 0)
			files[count++] = at + 9;
		else if (strncmp(at, "-c", 2) == 0 && at[2])
			files[count++] = at + 2;
		next = !next && (strcmp(at, "-c") == 0 || strcmp(at, "--config") == 0);
	}
	files[count] = NULL;
	return count ? files : NULL;
}

static void read_config(struct security *s)
{
	static char arguments[16384];
	const char *files[CTL_CONFIGS_MAX + 1];
	const char *const *own = NULL;

	if (!s->ctl->config_count)
		own = init_files(s->view.header.pid, arguments, sizeof(arguments), files);
	s->config = load_config(s->ctl, own, environ, true);
	if (!s->config)
		log_warning("nothing is compared with the configuration: -c FILE names it");
}

/* ---- what is ---- */

static const struct service_config *config_of(const struct security *s, const char *name)
{
	int index = s->config ? config_find(s->config, name) : -1;

	return index < 0 ? NULL : &s->config->services[index];
}

static int complain(pid_t pid, int error)
{
	log_error("cannot look at process %d: %s%s", (int)pid, strerror(error),
		  error == EACCES || error == EPERM || geteuid() != 0 ? " (this needs root)" : "");
	return error == EACCES || error == EPERM ? CTL_REFUSED : CTL_FALSE;
}

/* Without root most of it would be missing, and what is left look better than it is. */
static bool is_hidden(const struct facts *facts)
{
	return geteuid() != 0 && (facts->descriptors < 0 || facts->network == SHARING_UNKNOWN);
}

static int add_entry(struct security *s, const struct status_record *record)
{
	struct entry *entry = &s->entries[s->count];
	int rc = facts_read(&entry->facts, record->pid, s->view.header.pid);

	if (rc == -ENOENT || rc == -ESRCH)
		return CTL_DONE; /* it has just ended */
	if (rc < 0 || is_hidden(&entry->facts))
		return complain(record->pid, rc < 0 ? -rc : EACCES);
	entry->name = record->name;
	entry->config = config_of(s, record->name);
	s->count++;
	return CTL_DONE;
}

static bool shares_user(const struct security *s, const struct entry *entry)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (&s->entries[i] != entry && s->entries[i].facts.uid == entry->facts.uid)
			return true;
	return false;
}

static void judge(struct security *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		struct entry *entry = &s->entries[i];
		const struct subject subject = {.facts = &entry->facts,
						.init = &s->init,
						.config = entry->config,
						.shares_user = shares_user(s, entry),
						.landlock = s->landlock};

		security_rate(&subject, &entry->rating);
		if (entry->config)
			entry->difference_count =
				security_compare(&entry->facts, entry->config, entry->differences);
	}
}

/* All that run are read, also for one name: who shares its user is part of the answer. */
static int gather(struct security *s)
{
	int code = CTL_DONE, rc;

	if (!view_sees_init(&s->view)) {
		log_error("muster-init (process %d) is not among the processes here: this is to "
			  "run in its container",
			  s->view.header.pid);
		return CTL_UNREACHABLE;
	}
	rc = facts_read(&s->init, s->view.header.pid, s->view.header.pid);
	if (rc < 0)
		return complain(s->view.header.pid, -rc);
	s->landlock = landlock_abi() > 0;
	s->entries = calloc(s->view.header.record_count + (size_t)1, sizeof(*s->entries));
	if (!s->entries) {
		log_error("no memory");
		return CTL_FALSE;
	}
	read_config(s);
	for (uint32_t i = 0; code == CTL_DONE && i < s->view.header.record_count; i++)
		if (s->view.records[i].pid > 0)
			code = add_entry(s, &s->view.records[i]);
	if (code == CTL_DONE)
		judge(s);
	return code;
}

/* ---- JSON ---- */

static void json_hundredths(struct json_out *json, const char *key, unsigned value)
{
	json_seconds(json, key, (uint64_t)value * 10000000); /* a number with a fraction */
}

static void json_set(struct json_out *json, const char *key, uint64_t set)
{
	json_array_begin(json, key);
	for (; set; set &= set - 1) {
		const char *name = capability_name(capability_first(set));

		if (name)
			json_text(json, NULL, name);
	}
	json_array_end(json);
}

static void json_facts(struct json_out *json, const struct facts *facts)
{
	json_object_begin(json, "found");
	json_uint(json, "uid", facts->uid);
	json_uint(json, "gid", facts->gid);
	json_array_begin(json, "groups");
	for (unsigned i = 0; i < facts->group_count; i++)
		json_uint(json, NULL, facts->groups[i]);
	json_array_end(json);
	json_object_begin(json, "capabilities");
	json_set(json, "inheritable", facts->inheritable);
	json_set(json, "permitted", facts->permitted);
	json_set(json, "effective", facts->effective);
	json_set(json, "bounding", facts->bounding);
	json_set(json, "ambient", facts->ambient);
	json_object_end(json);
	json_bool(json, "no_new_privileges", facts->no_new_privileges);
	json_uint(json, "seccomp", facts->seccomp);
	json_uint(json, "seccomp_filters", facts->filters);
	json_int(json, "oom_score_adj", facts->oom_score_adj);
	if (facts->descriptors >= 0)
		json_int(json, "descriptors", facts->descriptors);
	else
		json_nothing(json, "descriptors");
	json_object_end(json);
}

static void json_checks(struct json_out *json, const struct rating *rating)
{
	json_array_begin(json, "checks");
	for (unsigned i = 0; i < security_check_count; i++) {
		json_object_begin(json, NULL);
		json_text(json, "name", security_checks[i].name);
		if (rating->percent[i] < 0)
			json_nothing(json, "ok");
		else
			json_bool(json, "ok", rating->percent[i] == 0);
		json_hundredths(json, "exposure", security_share(rating, i));
		json_text(json, "found", rating->found[i]);
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_entry(struct json_out *json, const struct entry *entry)
{
	json_object_begin(json, NULL);
	json_text(json, "name", entry->name);
	json_int(json, "pid", entry->facts.pid);
	json_hundredths(json, "exposure", entry->rating.exposure);
	json_text(json, "level", security_level(entry->rating.exposure));
	if (entry->config)
		json_bool(json, "as_asked", entry->difference_count == 0);
	else
		json_nothing(json, "as_asked");
	json_array_begin(json, "differences");
	for (unsigned i = 0; i < entry->difference_count; i++) {
		json_object_begin(json, NULL);
		json_text(json, "key", entry->differences[i].key);
		json_text(json, "asked", entry->differences[i].asked);
		json_text(json, "found", entry->differences[i].found);
		json_object_end(json);
	}
	json_array_end(json);
	json_facts(json, &entry->facts);
	json_checks(json, &entry->rating);
	json_object_end(json);
}

/* Whether an entry is to be shown: one that is named, or without names all. */
static bool is_meant(const struct entry *entry, char **names)
{
	char **name = names;

	while (*name && strcmp(*name, entry->name) != 0)
		name++;
	return *name || !*names;
}

static void print_json(const struct security *s, char **names)
{
	struct json_out json;

	json_begin(&json, stdout, true);
	json_object_begin(&json, NULL);
	json_uint(&json, "schema", 1);
	json_array_begin(&json, "services");
	for (uint32_t i = 0; i < s->count; i++)
		if (is_meant(&s->entries[i], names))
			json_entry(&json, &s->entries[i]);
	json_array_end(&json);
	json_object_end(&json);
	json_end(&json);
}

/* ---- text ---- */

static enum colour colour_of_level(unsigned exposure)
{
	const char *level = security_level(exposure);

	return level[0] == 'l' ? COLOUR_GREEN : level[0] == 'm' ? COLOUR_YELLOW : COLOUR_RED;
}

static void add_exposure(struct grid *grid, enum colour colour, unsigned exposure)
{
	grid_add(grid, colour, "%u.%02u", exposure / 100, exposure % 100);
}

/* What adds most to the exposure. */
static const char *worst_of(const struct rating *rating)
{
	unsigned worst = 0;

	for (unsigned i = 1; i < security_check_count; i++)
		if (security_share(rating, i) > security_share(rating, worst))
			worst = i;
	return security_share(rating, worst) ? security_checks[worst].name : "";
}

static void print_all(const struct security *s)
{
	struct grid grid;

	grid_begin(&grid, 5, 1u << 1);
	grid_add(&grid, COLOUR_DIM, "SERVICE");
	grid_add(&grid, COLOUR_DIM, "EXPOSURE");
	grid_add(&grid, COLOUR_DIM, "LEVEL");
	grid_add(&grid, COLOUR_DIM, "AS ASKED");
	grid_add(&grid, COLOUR_DIM, "WORST");
	for (uint32_t i = 0; i < s->count; i++) {
		const struct entry *entry = &s->entries[i];
		enum colour colour = colour_of_level(entry->rating.exposure);

		grid_add(&grid, COLOUR_NONE, "%s", entry->name);
		add_exposure(&grid, colour, entry->rating.exposure);
		grid_add(&grid, colour, "%s", security_level(entry->rating.exposure));
		if (!entry->config)
			grid_add(&grid, COLOUR_DIM, "-");
		else if (entry->difference_count)
			grid_add(&grid, COLOUR_RED, "no: %s", entry->differences[0].key);
		else
			grid_add(&grid, COLOUR_NONE, "yes");
		grid_add(&grid, COLOUR_DIM, "%s", worst_of(&entry->rating));
	}
	grid_print(&grid, stdout, s->ctl->out_is_terminal ? terminal_width(STDOUT_FILENO) : 0,
		   s->ctl->colour);
}

static void add_check(struct grid *grid, const struct rating *rating, unsigned check)
{
	int percent = rating->percent[check];

	if (percent < 0)
		grid_add(grid, COLOUR_DIM, "unknown");
	else if (percent == 0)
		grid_add(grid, COLOUR_GREEN, "ok");
	else
		grid_add(grid, percent < 100 ? COLOUR_YELLOW : COLOUR_RED, "exposed");
	grid_add(grid, COLOUR_NONE, "%s", security_checks[check].name);
	if (percent > 0)
		add_exposure(grid, COLOUR_NONE, security_share(rating, check));
	else
		grid_add(grid, COLOUR_NONE, "%s", "");
	grid_add(grid, COLOUR_DIM, "%s", rating->found[check]);
}

static void print_one(const struct security *s, const struct entry *entry)
{
	char name[STATUS_NAME_MAX];
	struct grid grid;

	printf("%s: exposure %u.%02u of 10 (%s), process %d\n", text_name(name, entry->name),
	       entry->rating.exposure / 100, entry->rating.exposure % 100,
	       security_level(entry->rating.exposure), (int)entry->facts.pid);
	if (!entry->config)
		puts("not compared with the configuration");
	else if (!entry->difference_count)
		puts("as asked for in the configuration");
	for (unsigned i = 0; i < entry->difference_count; i++)
		printf("not as asked: %s: %s instead of %s\n", entry->differences[i].key,
		       entry->differences[i].found, entry->differences[i].asked);
	putchar('\n');
	grid_begin(&grid, 4, 1u << 2);
	for (unsigned i = 0; i < security_check_count; i++)
		add_check(&grid, &entry->rating, i);
	grid_print(&grid, stdout, s->ctl->out_is_terminal ? terminal_width(STDOUT_FILENO) : 0,
		   s->ctl->colour);
}

/* ---- the verb ---- */

/* Those of the names that have a process. An enum ctl_exit. */
static int check_processes(const struct security *s, char **names)
{
	int code = CTL_DONE;

	for (; *names; names++) {
		uint32_t i = 0;

		while (i < s->count && strcmp(s->entries[i].name, *names) != 0)
			i++;
		if (i == s->count) {
			log_error("%s has no process now", *names);
			code = CTL_FALSE;
		}
	}
	return code;
}

static int show(const struct security *s, char **names, bool json)
{
	int code = check_processes(s, names);

	if (code)
		return code;
	if (json)
		print_json(s, names);
	else if (!*names)
		print_all(s);
	for (uint32_t i = 0; i < s->count; i++) {
		if (!is_meant(&s->entries[i], names))
			continue;
		if (*names && !json)
			print_one(s, &s->entries[i]);
		if (s->entries[i].difference_count)
			code = CTL_FALSE;
	}
	return code;
}

int verb_security(struct ctl *ctl, char **argv)
{
	struct security s = {.ctl = ctl};
	bool json = false;
	const struct arg_option options[] = {{"json", 0, ARG_FLAG, &json}};
	int code, count = args_parse(ctl, argv, options, 1, &code);

	if (count < 0)
		return code;
	if (count > 1)
		return args_wrong(ctl, "at most one name is taken");
	code = view_open_for(&s.view, ctl);
	if (code)
		return code;
	argv = names_expand(&s.view, argv, &count);
	if (argv[0] && view_find(&s.view, argv[0]) < 0) {
		log_error("there is no service '%s'", argv[0]);
		code = CTL_NOT_FOUND;
	}
	if (!code)
		code = gather(&s);
	if (!code)
		code = show(&s, argv, json);
	free(s.entries);
	config_free(s.config);
	view_close(&s.view);
	return code;
}
