/* SPDX-License-Identifier: MIT */
#include "filters.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "capability.h"
#include "clock.h"
#include "config.h"
#include "filter_compile.h"
#include "log.h"

struct filter_user {
	const struct identity_config *identity;
	const struct filter *filter;
};

struct filters {
	struct filter *list;
	struct filter_user *users;
	uint32_t count, user_count;
	unsigned patience; /* ms, with the child */
};

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
static bool wait_for_end(int fd, unsigned patience)
{
	uint64_t now = clock_monotonic(), deadline = now + msec(patience);
	struct pollfd end = {.fd = fd};

	for (; now < deadline; now = clock_monotonic())
		if (poll(&end, 1, (int)((deadline - now) / NSEC_PER_MSEC) + 1) > 0)
			return true;
	return false;
}

/* Runs filter_compile_all in a child. One that does not end even when killed is left to the reaper.
 */
static bool run_child(struct filter_exchange *e, const struct filters *filters, char *text)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail(text, "seccomp: no pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		filter_compile_all(e, filters->list, filters->count);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0) {
		fail(text, "seccomp: no process to compile profiles: %s", strerror(errno));
	} else if (wait_for_end(ends[0], filters->patience)) {
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
static void sort_lines(struct filter_exchange *e, char *text)
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

static bool take_programs(struct filter_exchange *e, struct arena *arena, struct filters *filters,
			  char *text)
{
	uint32_t at = 0;

	sort_lines(e, text);
	for (uint32_t i = 0; !e->failed && i < filters->count; i++) {
		if (!filter_is_profile(&filters->list[i]))
			continue;
		if (!set_program(arena, &filters->list[i], e->code + at, e->length[i], text))
			return false;
		at += e->length[i];
	}
	return !e->failed;
}

static bool compile_profiles(struct arena *arena, struct filters *filters, char *text)
{
	struct filter_exchange *e = mmap(NULL, sizeof(*e), PROT_READ | PROT_WRITE,
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
		    (!filter_is_profile(filter) || strcmp(filter->config.path, config->path) == 0))
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
	if (filter_is_profile(filter))
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
			     uint32_t count, unsigned patience, char text[FILTERS_TEXT_SIZE])
{
	struct filters *filters = arena_alloc(arena, sizeof(*filters));
	struct capability_sets own = {0};
	bool warned = false, profiles = false;
	int rc;

	text[0] = '\0';
	if (filters)
		filters->list = arena_array(arena, count + 1, sizeof(*filters->list));
	if (filters && filters->list)
		filters->users = arena_array(arena, count + 1, sizeof(*filters->users));
	if (!filters || !filters->list || !filters->users) {
		fail(text, "seccomp: out of memory");
		return NULL;
	}
	filters->patience = patience;
	rc = capability_read(&own, true);
	for (uint32_t i = 0; i < count; i++) {
		if (identities[i]->seccomp.mode == SECCOMP_UNCONFINED)
			continue;
		if (rc < 0) { /* another filter would be made, and services be restarted for it */
			fail(text, "seccomp: cannot read own capabilities: %s", strerror(-rc));
			return NULL;
		}
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

bool filters_make_all(struct config *config, unsigned patience, char text[FILTERS_TEXT_SIZE])
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
		config->filters = filters_make(config->arena, list, count, patience, text);
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
