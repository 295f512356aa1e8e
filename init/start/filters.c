/* SPDX-License-Identifier: MIT */
#include "filters.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "capability.h"
#include "clock.h"
#include "config.h"
#include "filter.h"
#include "log.h"
#include "seccomp_profile.h"

#define DEADLINE_MS 10000
#define FILTERS_MAX 4096 /* different ones */
#define CODE_MAX    (1U << 19)

/* What a configuration and capabilities come to. */
struct filter {
	struct seccomp_config config;
	uint64_t capabilities;
	struct sock_fprog program;
};

struct filter_user {
	const struct identity_config *identity;
	const struct filter *filter;
};

struct filters {
	struct filter *list;
	struct filter_user *users;
	uint32_t count, user_count;
};

/* What the child writes and init reads when it has ended. */
struct exchange {
	bool done;
	bool failed;
	uint32_t text_len, used;
	char text[32768];             /* lines, each behind a letter: an Error, or for Debugging */
	uint32_t length[FILTERS_MAX]; /* by index in filters.list */
	struct sock_filter code[CODE_MAX];
};

/* ---- in the child ---- */

struct compiling {
	struct exchange *exchange;
	const char *path;
};

__attribute__((format(printf, 3, 4))) static void add_line(const struct compiling *c, char kind,
							   const char *format, ...)
{
	struct exchange *e = c->exchange;
	size_t room = sizeof(e->text) - e->text_len;
	va_list args;
	int len;

	if (kind == 'E')
		e->failed = true;
	if (room < 8)
		return;
	e->text[e->text_len] = kind;
	va_start(args, format);
	len = vsnprintf(e->text + e->text_len + 1, room - 2, format, args);
	va_end(args);
	if (len < 0)
		return;
	e->text_len += 1 + ((size_t)len < room - 2 ? (uint32_t)len : (uint32_t)room - 3);
	e->text[e->text_len++] = '\n';
}

static void tell_problem(void *user, uint32_t line, uint32_t column, const char *text)
{
	const struct compiling *c = user;

	if (line)
		add_line(c, 'E', "%s:%u:%u: %s", c->path, line, column, text);
	else
		add_line(c, 'E', "%s: %s", c->path, text);
}

static void tell_note(void *user, uint32_t line, uint32_t column, const char *text)
{
	const struct compiling *c = user;

	add_line(c, 'D', "%s:%u:%u: %s", c->path, line, column, text);
}

static void tell_unknown(const char *name, void *user)
{
	const struct compiling *c = user;

	add_line(c, 'D', "%s: the system call \"%.60s\" is not known here: passed over", c->path,
		 name);
}

static uint16_t kernel_version(void)
{
	unsigned long version = 0, revision = 0;
	struct utsname name;
	char *end;

	if (uname(&name) == 0) {
		version = strtoul(name.release, &end, 10);
		revision = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
	}
	return SECCOMP_KERNEL(version < 255 ? version : 255, revision < 255 ? revision : 255);
}

/* Appends the program; its length is 0 when it failed. */
static uint32_t compile(struct compiling *c, const struct seccomp_profile *profile,
			const struct filter *filter)
{
	const struct seccomp_host host = {filter->capabilities, kernel_version()};
	struct exchange *e = c->exchange;
	char error[256] = "";
	unsigned count;

	if (e->used > CODE_MAX - FILTER_MAX) {
		add_line(c, 'E', "%s: too many different filters", c->path);
		return 0;
	}
	count = filter_profile(profile, &host, filter->config.audit, tell_unknown, c,
			       e->code + e->used, error, sizeof(error));
	if (!count)
		add_line(c, 'E', "%s: %s", c->path, error);
	e->used += count;
	return count;
}

static bool is_profile(const struct filter *filter)
{
	return filter->config.mode == SECCOMP_PROFILE;
}

/* The profile of an earlier one with the same path, or a new one; NULL: problems were told. */
static const struct seccomp_profile *read_profile(struct compiling *c, struct arena *arena,
						  const struct filters *filters, uint32_t index,
						  const struct seccomp_profile **read)
{
	const struct seccomp_report report = {c, tell_problem, tell_note};

	c->path = filters->list[index].config.path;
	for (uint32_t i = 0; i < index; i++)
		if (is_profile(&filters->list[i]) &&
		    strcmp(c->path, filters->list[i].config.path) == 0)
			return read[i];
	return seccomp_profile_read(arena, c->path, &report);
}

static void compile_all(struct exchange *e, const struct filters *filters)
{
	struct compiling c = {.exchange = e};
	struct arena *arena = arena_create();
	const struct seccomp_profile **read =
		arena ? arena_array(arena, filters->count, sizeof(const struct seccomp_profile *))
		      : NULL;

	for (uint32_t i = 0; read && i < filters->count; i++) {
		if (!is_profile(&filters->list[i]))
			continue;
		read[i] = read_profile(&c, arena, filters, i, read);
		if (read[i])
			e->length[i] = compile(&c, read[i], &filters->list[i]);
	}
	e->done = read != NULL;
}

/* ---- the child's result ---- */

__attribute__((format(printf, 2, 3))) static bool fail(char *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, FILTERS_TEXT_SIZE, format, args);
	va_end(args);
	return false;
}

/* The pipe ends when the child has: nobody else holds its other end. */
static bool wait_for_end(int fd)
{
	uint64_t now = clock_monotonic(), deadline = now + msec(DEADLINE_MS);
	struct pollfd end = {.fd = fd};

	for (; now < deadline; now = clock_monotonic())
		if (poll(&end, 1, (int)((deadline - now) / NSEC_PER_MSEC) + 1) > 0)
			return true;
	return false;
}

/* Runs compile_all in a child. One that does not end even when killed is left to the reaper. */
static bool run_child(struct exchange *e, const struct filters *filters, char *text)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(text, "seccomp: no pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		compile_all(e, filters);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0) {
		fail(text, "seccomp: no process to compile profiles: %s", strerror(errno));
	} else if (wait_for_end(ends[0])) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		if (!e->done)
			fail(text, "seccomp: the process that compiles profiles has failed");
	} else {
		kill(pid, SIGKILL);
		fail(text, "seccomp: reading the profiles takes too long");
	}
	close(ends[0]);
	return pid > 0 && e->done;
}

/* Debugging lines are logged, errors go to `text`. */
static void sort_lines(struct exchange *e, char *text)
{
	size_t used = 0;

	e->text[e->text_len ? e->text_len - 1 : 0] = '\0';
	for (char *line = strtok(e->text, "\n"); line; line = strtok(NULL, "\n")) {
		if (line[0] == 'D')
			log_debug("%s", line + 1);
		else if (used < FILTERS_TEXT_SIZE)
			used += (size_t)snprintf(text + used, FILTERS_TEXT_SIZE - used, "%s%s",
						 used ? "\n" : "", line + 1);
	}
}

static bool set_program(struct arena *arena, struct filter *filter, const struct sock_filter *code,
			uint32_t length, char *text)
{
	struct sock_filter *copy = arena_array(arena, length, sizeof(*copy));

	if (!copy)
		return fail(text, "seccomp: out of memory");
	memcpy(copy, code, length * sizeof(*copy));
	filter->program = (struct sock_fprog){(unsigned short)length, copy};
	return true;
}

static bool take_programs(struct exchange *e, struct arena *arena, struct filters *filters,
			  char *text)
{
	uint32_t at = 0;

	sort_lines(e, text);
	for (uint32_t i = 0; !e->failed && i < filters->count; i++) {
		if (!is_profile(&filters->list[i]))
			continue;
		if (!set_program(arena, &filters->list[i], e->code + at, e->length[i], text))
			return false;
		at += e->length[i];
	}
	return !e->failed;
}

static bool compile_profiles(struct arena *arena, struct filters *filters, char *text)
{
	struct exchange *e = mmap(NULL, sizeof(*e), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	bool good;

	if (e == MAP_FAILED)
		return fail(text, "seccomp: out of memory");
	good = run_child(e, filters, text) && take_programs(e, arena, filters, text);
	munmap(e, sizeof(*e));
	return good;
}

/* ---- who gets which ---- */

/* Whether the kernel knows filters at all: then it tries to read the one that is not there. */
static bool has_filters(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) < 0 && errno == EFAULT;
}

/* Those that nobody has asked for are left out where they cannot be; others fail at their start. */
static bool is_left_out(const struct identity_config *identity, const struct capability_sets *own,
			bool *warned)
{
	const char *why = NULL;

	if (identity->seccomp.mode == SECCOMP_UNCONFINED)
		return true;
	if (identity->seccomp.asked)
		return false;
	if (!has_filters())
		why = "this kernel, or what the container runs in, has none";
	else if (!capability_may_filter(identity, own))
		why = "without no_new_privileges they need CAP_SYS_ADMIN";
	if (why && !*warned)
		log_warning("services run without a filter of system calls: %s; "
			    "`seccomp = unconfined` says that this is meant",
			    why);
	*warned |= why != NULL;
	return why != NULL;
}

static struct filter *find_same(struct filters *filters, const struct seccomp_config *config,
				uint64_t capabilities)
{
	for (uint32_t i = 0; i < filters->count; i++) {
		struct filter *filter = &filters->list[i];

		if (filter->capabilities == capabilities && filter->config.mode == config->mode &&
		    filter->config.audit == config->audit &&
		    (!is_profile(filter) || strcmp(filter->config.path, config->path) == 0))
			return filter;
	}
	return NULL;
}

/* The default rules are made here, without a child: they take neither text nor memory. */
static bool add_filter(struct arena *arena, struct filters *filters, struct filter *filter,
		       char *text)
{
	struct sock_filter code[FILTER_DEFAULT_MAX];
	unsigned length;

	if (filters->count == FILTERS_MAX)
		return fail(text, "seccomp: more than %d different filters", FILTERS_MAX);
	filters->count++;
	if (is_profile(filter))
		return true;
	length = filter_default(filter->capabilities, filter->config.audit, code);
	return set_program(arena, filter, code, length, text);
}

static bool add_user(struct arena *arena, struct filters *filters,
		     const struct identity_config *identity, const struct capability_sets *own,
		     char *text)
{
	uint64_t capabilities = capability_limit(identity, own);
	struct filter *filter = find_same(filters, &identity->seccomp, capabilities);

	if (!filter) {
		filter = &filters->list[filters->count];
		filter->config = identity->seccomp;
		filter->capabilities = capabilities;
		if (!add_filter(arena, filters, filter, text))
			return false;
	}
	filters->users[filters->user_count++] = (struct filter_user){identity, filter};
	return true;
}

struct filters *filters_make(struct arena *arena, const struct identity_config *const *identities,
			     uint32_t count, char text[FILTERS_TEXT_SIZE])
{
	struct filters *filters = arena_alloc(arena, sizeof(*filters));
	struct capability_sets own = {0};
	bool warned = false, profiles = false;

	text[0] = '\0';
	if (filters)
		filters->list = arena_array(arena, count + 1, sizeof(*filters->list));
	if (filters && filters->list)
		filters->users = arena_array(arena, count + 1, sizeof(*filters->users));
	if (!filters || !filters->list || !filters->users) {
		fail(text, "seccomp: out of memory");
		return NULL;
	}
	capability_read(&own, true);
	for (uint32_t i = 0; i < count; i++) {
		if (is_left_out(identities[i], &own, &warned))
			continue;
		if (!add_user(arena, filters, identities[i], &own, text))
			return NULL;
		profiles |= identities[i]->seccomp.mode == SECCOMP_PROFILE;
	}
	return !profiles || compile_profiles(arena, filters, text) ? filters : NULL;
}

static bool is_among(const struct identity_config *const *list, uint32_t count,
		     const struct identity_config *identity)
{
	while (count-- > 0)
		if (list[count] == identity)
			return true;
	return false;
}

bool filters_make_all(struct config *config, char text[FILTERS_TEXT_SIZE])
{
	struct arena *scratch = arena_create();
	const struct identity_config **list = NULL;
	uint32_t count = 0;

	if (scratch)
		list = arena_array(scratch, config->count + 1,
				   sizeof(const struct identity_config *));
	for (uint32_t i = 0; list && i < config->count; i++) {
		const struct service_config *service = &config->services[i];

		if (service->type != TYPE_EXTERNAL &&
		    !is_among(list, count, service->policy->identity))
			list[count++] = service->policy->identity;
	}
	if (list)
		config->filters = filters_make(config->arena, list, count, text);
	else
		fail(text, "seccomp: out of memory");
	arena_destroy(scratch);
	return config->filters != NULL;
}

const struct sock_fprog *filters_find(const struct filters *filters,
				      const struct identity_config *identity)
{
	for (uint32_t i = 0; filters && i < filters->user_count; i++)
		if (filters->users[i].identity == identity)
			return &filters->users[i].filter->program;
	return NULL;
}

bool filters_equal(const struct sock_fprog *a, const struct sock_fprog *b)
{
	if (!a || !b)
		return a == b;
	return a->len == b->len && memcmp(a->filter, b->filter, a->len * sizeof(*a->filter)) == 0;
}
