/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"

/*
 * Configuration that is right and yet of no use: what has no effect, can never come about, or needs
 * something of the machine that is not there. Only looked for when somebody asks whether the
 * configuration is right (--check), and only warned about: it may be meant for another machine, and
 * access control lists are not seen.
 */
#define HERE "on this machine"
/* As in execvp, and in init/child/exec.c. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define SHEBANG_SIZE 256

struct looking {
	struct load *load;
	const struct section *section;
	const struct service_draft *draft;
	const struct service_config *service;
	const struct identity_config *identity;
	const char *search; /* its PATH */
};

__attribute__((format(printf, 3, 4))) static void warn(const struct looking *l, const char *key,
						       const char *format, ...)
{
	const struct entry *entry = section_get(l->section, key);
	char text[PATH_MAX + 512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (entry)
		warn_line(l->load, entry, entry->line, "%s", text);
	else
		warn_section(l->load, l->section, "%s: %s", key, text);
}

/* ---- who may do what ---- */

static bool has_group(const struct identity_config *id, gid_t gid)
{
	for (uint32_t i = 0; i < id->group_count; i++)
		if (id->groups[i] == gid)
			return true;
	return id->gid == gid;
}

/* Whether the service may execute the file, or enter the directory. */
static bool may_execute(const struct looking *l, const char *path, const struct stat *st)
{
	const struct identity_config *id = l->identity;

	if (!id->change_user)
		return access(path, X_OK) == 0;
	if (id->uid == 0)
		return S_ISDIR(st->st_mode) || (st->st_mode & 0111);
	if (st->st_uid == id->uid)
		return st->st_mode & 0100;
	return st->st_mode & (has_group(id, st->st_gid) ? 0010 : 0001);
}

/* The first directory on the way to the path that the service may not enter; NULL: none. Returns
 * `room`. */
static const char *closed_directory(const struct looking *l, const char *path, char room[PATH_MAX])
{
	struct stat st;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = slash == path ? 1 : (size_t)(slash - path);

		if (len >= PATH_MAX)
			return NULL;
		memcpy(room, path, len);
		room[len] = '\0';
		if (stat(room, &st) < 0)
			return NULL;
		if (S_ISDIR(st.st_mode) && !may_execute(l, room, &st))
			return room;
	}
	return NULL;
}

static const char *who(const struct looking *l, char buffer[80])
{
	if (l->identity->change_user && l->identity->user_name)
		snprintf(buffer, 80, "user %.60s", l->identity->user_name);
	else
		snprintf(buffer, 80, "user %u",
			 (unsigned)(l->identity->change_user ? l->identity->uid : geteuid()));
	return buffer;
}

/* ---- programs ---- */

/* The interpreter of a script that is not there; NULL: it is, or it is no script. */
static const char *lost_interpreter(const char *path, char line[SHEBANG_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, line, SHEBANG_SIZE - 1);
	char *name;

	if (fd >= 0)
		close(fd);
	if (n < 3 || line[0] != '#' || line[1] != '!')
		return NULL;
	line[n] = '\0';
	name = line + 2 + strspn(line + 2, " \t");
	name[strcspn(name, " \t\n")] = '\0';
	return name[0] == '/' && access(name, F_OK) < 0 && errno == ENOENT ? name : NULL;
}

static void look_at_file(const struct looking *l, const char *key, const char *path)
{
	char room[PATH_MAX], line[SHEBANG_SIZE], name[80], q[QUOTE_SIZE];
	const char *closed = closed_directory(l, path, room), *interpreter;
	struct stat st;

	if (closed) {
		warn(l, key, "%s: %s may not enter %s " HERE, quote(q, path), who(l, name), closed);
	} else if (stat(path, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			warn(l, key, "%s: there is no such program " HERE, quote(q, path));
	} else if (S_ISDIR(st.st_mode)) {
		warn(l, key, "%s: a directory " HERE "; expected a program", quote(q, path));
	} else if (!(st.st_mode & 0111)) {
		warn(l, key,
		     "%s: not executable " HERE
		     "; chmod +x, or put the program that reads it first",
		     quote(q, path));
	} else if (!may_execute(l, path, &st)) {
		warn(l, key, "%s: %s may not execute it " HERE, quote(q, path), who(l, name));
	} else if ((interpreter = lost_interpreter(path, line))) {
		warn(l, key, "%s: its first line names %s, which is not " HERE, quote(q, path),
		     interpreter);
	}
}

/* As execvp: the first that can be executed. Returns `room`, or NULL. */
static const char *find_program(const struct looking *l, const char *name, char room[PATH_MAX])
{
	const char *path = l->search;
	struct stat st;

	for (;; path++) {
		size_t len = strcspn(path, ":");
		int n = snprintf(room, PATH_MAX, "%.*s%s%s", (int)len, path, len ? "/" : "", name);

		if (n > 0 && n < PATH_MAX && stat(room, &st) == 0 && !S_ISDIR(st.st_mode) &&
		    st.st_mode & 0111)
			return room;
		path += len;
		if (!*path)
			return NULL;
	}
}

static void look_at_program(const struct looking *l, const char *key, char *const *argv)
{
	const char *found, *directory = l->identity->working_dir;
	char room[PATH_MAX], q[QUOTE_SIZE];

	if (!argv || !argv[0][0])
		return;
	if (!strchr(argv[0], '/')) {
		found = find_program(l, argv[0], room);
		if (found)
			look_at_file(l, key, found);
		else
			warn(l, key,
			     "%s: there is no such program in its PATH " HERE
			     " (%.200s); install it, or write its whole path",
			     quote(q, argv[0]), l->search);
	} else if (argv[0][0] == '/' || !directory) {
		look_at_file(l, key, argv[0]);
	} else if (snprintf(room, sizeof(room), "%s/%s", directory, argv[0]) < PATH_MAX) {
		look_at_file(l, key, room);
	}
}

/* ---- directories ---- */

static void look_at_directory(const struct looking *l)
{
	const char *path = l->identity->working_dir, *closed;
	char room[PATH_MAX], name[80], q[QUOTE_SIZE];
	struct stat st;

	if (!path)
		return;
	closed = closed_directory(l, path, room);
	if (closed)
		warn(l, "working_dir", "%s: %s may not enter %s " HERE, quote(q, path),
		     who(l, name), closed);
	else if (stat(path, &st) < 0 && errno == ENOENT)
		warn(l, "working_dir",
		     "%s: there is no such directory " HERE "; nobody makes it at the start",
		     quote(q, path));
	else if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		warn(l, "working_dir", "%s: not a directory " HERE, quote(q, path));
	else if (stat(path, &st) == 0 && !may_execute(l, path, &st))
		warn(l, "working_dir", "%s: %s may not enter it " HERE, quote(q, path),
		     who(l, name));
}

static void look_at_log(const struct looking *l)
{
	const char *path = l->service->policy->log_path, *slash = path ? strrchr(path, '/') : NULL;
	char room[PATH_MAX], q[QUOTE_SIZE];

	if (!slash || slash == path || slash - path >= PATH_MAX)
		return;
	memcpy(room, path, (size_t)(slash - path));
	room[slash - path] = '\0';
	if (access(room, F_OK) < 0 && errno == ENOENT)
		warn(l, "log", "%s: there is no directory %s " HERE, quote(q, path), room);
}

/* ---- what has no effect, or comes too late ---- */

/* As warn, of a key that is given. */
static void warn_given(const struct looking *l, const char *key, const char *text)
{
	if (section_get(l->section, key))
		warn(l, key, "%s", text);
}

static void look_at_delays(const struct looking *l)
{
	static const char *const delays[ROLE_COUNT] = {
		[ROLE_READINESS] = "readiness_probe_initial_delay",
		[ROLE_STARTUP] = "startup_probe_initial_delay",
	};

	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		uint32_t delay = l->draft->probes[role].initial_delay;

		if (!l->service->probes[role] || !delays[role] || !delay)
			continue;
		if (delay >= l->draft->ready_timeout)
			warn_given(l, delays[role],
				   "the first check comes when ready_timeout is over, so it is "
				   "never ready; make this shorter, or ready_timeout longer");
		else if (delay >= l->load->config->start_timeout)
			warn_given(l, delays[role],
				   "the first check comes when start_timeout of [muster] is over; "
				   "make this shorter, or start_timeout longer");
	}
}

static void look_at_unused(const struct looking *l)
{
	static const char *const restarts[] = {"restart_backoff", "restart_limit", "start_retries"};

	for (size_t i = 0; l->draft->restart == RESTART_NO && i < 3; i++)
		warn_given(l, restarts[i], "has no effect with restart = no");
	if (l->draft->type == TYPE_SERVICE && !l->draft->pre_start && !l->draft->require_gpu &&
	    !l->service->probes[ROLE_READINESS] && !l->service->probes[ROLE_STARTUP])
		warn_given(l, "ready_timeout",
			   "has no effect without a readiness_probe or startup_probe: it is ready "
			   "when it runs");
}

/* A profile of MUSTER_PROFILES that no service has: a slip of the pen leaves services out. */
static void look_at_profile(struct load *load, const char *name)
{
	struct suggestion suggestion = suggest_begin(name);
	char q[QUOTE_SIZE], hint[SUGGEST_SIZE];

	for (uint32_t i = 0; i < load->section_count; i++) {
		const struct section *section = load->sections[i];
		struct items profiles = {0};

		if (section->kind == SECTION_SERVICE)
			profiles = value_items(load, section_get(section, "profiles"));
		for (size_t n = 0; n < profiles.count; n++) {
			if (strcmp(profiles.list[n].text, name) == 0)
				return;
			suggest_offer(&suggestion, profiles.list[n].text);
		}
	}
	warn_file(load, FILE_ENVIRONMENT, 0, "MUSTER_PROFILES: %s: no service has this profile%s",
		  quote(q, name), suggest_text(&suggestion, hint));
}

static void look_at_whole(struct load *load)
{
	const struct section *section = section_find(load, section_word(SECTION_MUSTER));
	const struct entry *entry = section ? section_get(section, "exit_code_from") : NULL;
	const char *text = load_set_variable(load, "MUSTER_PROFILES");
	struct items profiles = value_items_of(load, text ? text : "", 0);
	int from = load->config->exit_code_from;

	for (size_t i = 0; i < profiles.count; i++)
		look_at_profile(load, profiles.list[i].text);
	if (entry && from >= 0 && load->config->services[from].type == TYPE_EXTERNAL)
		warn_line(load, entry, entry->line,
			  "%s is of type external: it is not started here and has no exit code",
			  load->config->services[from].name);
}

/* ---- a service ---- */

static const char *search_path(struct load *load, const struct service_config *service)
{
	char *const *base = load->source->environment;
	size_t count = config_environment(load->config, service, base, NULL, 0);
	char **environment = load_alloc(load, count, sizeof(*environment));

	config_environment(load->config, service, base, environment, count);
	for (; *environment; environment++)
		if (strncmp(*environment, "PATH=", 5) == 0)
			return *environment + 5;
	return DEFAULT_PATH;
}

static void look_at_service(struct load *load, const struct service_load *loaded,
			    const struct service_config *service)
{
	static const char *const probes[ROLE_COUNT] = {[ROLE_READINESS] = "readiness_probe",
						       [ROLE_STARTUP] = "startup_probe",
						       [ROLE_LIVENESS] = "liveness_probe"};
	const struct policy_config *policy = service->policy;
	const struct looking l = {load,    loaded->section,  &loaded->draft,
				  service, policy->identity, search_path(load, service)};

	look_at_delays(&l);
	look_at_unused(&l);
	look_at_directory(&l);
	look_at_log(&l);
	look_at_program(&l, "command", service->argv);
	look_at_program(&l, "require_gpu", policy->gpu_check);
	look_at_program(&l, "pre_start", policy->pre_start);
	look_at_program(&l, "stop_command", policy->stop_command);
	look_at_program(&l, "post_stop", policy->post_stop);
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		if (service->probes[role])
			look_at_program(&l, probes[role], service->probes[role]->argv);
}

void load_dead(struct load *load)
{
	const struct config *config = load->config;

	if (!load->source->find_dead || load->errors->total)
		return;
	look_at_whole(load);
	for (uint32_t i = 0; i < config->count; i++) {
		const struct section *section;

		if (strpbrk(config->services[i].name, ":/"))
			break; /* behind them come addresses, and services of other hosts */
		section = load->services[i].section;
		/* replicas are alike */
		if (!section->replica || strcmp(section->replica, "0") == 0)
			look_at_service(load, &load->services[i], &config->services[i]);
	}
}
