/* SPDX-License-Identifier: MIT */
#include "logwriter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "log.h"
#include "spawn.h"
#include "str.h"
#include "supervisor.h"

/* A writer that does not live as long was none, and the next one is not started before. */
#define RETRY NSEC_PER_SEC

/* ---- in init ---- */

/* Without /proc, the path that init was executed by. */
static const char *own_program(void)
{
	const char *program = "/proc/self/exe";

	return access(program, X_OK) == 0 ? program : (const char *)getauxval(AT_EXECFN);
}

/* Meanwhile the output waits in the pipe; when that is full, the service waits, too. */
static void try_later(struct supervisor *sup, struct service *service, const char *why)
{
	struct logger *logger = service->logger;

	if (!logger->complained)
		log_warning("%s: no writer of %s: %s; trying again every second",
			    service->config->name, service->config->policy->log_path, why);
	logger->complained = true;
	loop_arm(&sup->loop, &logger->retry, sup->loop.now + RETRY);
}

static void start_writer(struct supervisor *sup, struct service *service)
{
	const struct policy_config *policy = service->config->policy;
	struct logger *logger = service->logger;
	static char size[24], keep[12];
	char *argv[] = {(char *)(uintptr_t) "muster-init",
			(char *)(uintptr_t)LOG_WRITER_OPTION,
			(char *)(uintptr_t)policy->log_path,
			size,
			keep,
			NULL};
	struct spawn_fd fds[] = {{logger->read_end, STDIN_FILENO}, {sup->null_fd, STDOUT_FILENO}};
	struct spawn_request request = {
		.program = own_program(),
		.argv = argv,
		.envp = sup->environment,
		.fds = fds,
		.fd_count = 2,
		.new_session = true,
		.foreground_tty = -1,
		.keep_signals = true,
	};
	struct spawn_error error;
	pid_t pid;

	snprintf(size, sizeof(size), "%llu", (unsigned long long)policy->log_max_size);
	snprintf(keep, sizeof(keep), "%u", policy->log_keep);
	pid = spawn(&request, &error);
	if (pid < 0) {
		try_later(sup, service, strerror(error.error));
		return;
	}
	logger->pid = pid;
	logger->started = sup->loop.now;
	children_add(&sup->children, pid, CHILD_LOGGER, service->slot, 0);
}

static void retry_expired(struct loop *loop, struct loop_timer *timer)
{
	struct logger *logger = container_of(timer, struct logger, retry);

	start_writer(supervisor_of(loop), logger->service);
}

bool logger_open(struct supervisor *sup, struct service *service)
{
	struct logger *logger = service->logger;
	int ends[2];

	if (!logger)
		return true;
	if (logger->read_end < 0) {
		if (pipe2(ends, O_CLOEXEC) < 0)
			return false;
		logger->read_end = ends[0];
		logger->write_end = ends[1];
	}
	logger->retry.expired = retry_expired;
	if (!logger->pid && !logger->retry.slot)
		start_writer(sup, service);
	return true;
}

void logger_ended(struct supervisor *sup, struct service *service)
{
	struct logger *logger = service->logger;

	if (!logger)
		return;
	logger->pid = 0;
	if (logger->read_end < 0 || sup->killing)
		return; /* closed by us, or killed: this is the end that was asked for */
	if (sup->loop.now - logger->started < RETRY) {
		try_later(sup, service, "it has ended at once");
		return;
	}
	logger->complained = false;
	start_writer(sup, service);
}

void logger_close(struct supervisor *sup, struct service *service)
{
	struct logger *logger = service->logger;

	if (!logger || logger->read_end < 0)
		return;
	loop_disarm(&sup->loop, &logger->retry);
	close(logger->read_end);
	close(logger->write_end);
	logger->read_end = logger->write_end = -1;
}

/* ---- the writer ---- */

struct writer {
	const char *path;
	uint64_t max;
	uint64_t keep;
	uint64_t size;
	int fd;
};

static int writer_open(struct writer *w)
{
	struct stat st;

	w->fd = open(w->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
	if (w->fd < 0)
		return -errno;
	w->size = fstat(w->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
	return 0;
}

/* PATH.2 -> PATH.3, PATH.1 -> PATH.2, PATH -> PATH.1; with nothing to keep, PATH is emptied. */
static void writer_rotate(struct writer *w)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (uint64_t i = w->keep; i >= 1; i--) {
		snprintf(to, sizeof(to), "%s.%llu", w->path, (unsigned long long)i);
		if (i == 1)
			snprintf(from, sizeof(from), "%s", w->path);
		else
			snprintf(from, sizeof(from), "%s.%llu", w->path,
				 (unsigned long long)(i - 1));
		rename(from, to);
	}
	if (!w->keep && ftruncate(w->fd, 0) == 0) {
		w->size = 0;
		return;
	}
	close(w->fd);
	if (writer_open(w) < 0)
		w->fd = -1;
}

static void writer_append(struct writer *w, const char *text, size_t len)
{
	if (w->fd < 0 && writer_open(w) < 0)
		return; /* cannot be helped: keep the pipe flowing, the service must not block */
	if (fd_write_all(w->fd, text, len) == 0)
		w->size += len;
}

/* How much of the text, in whole lines, the file still takes. */
static size_t writer_room(const struct writer *w, const char *text, size_t len)
{
	uint64_t room = w->size < w->max ? w->max - w->size : 0;
	const char *end;

	if (!w->max || len <= room)
		return len;
	end = memrchr(text, '\n', (size_t)room);
	return end ? (size_t)(end - text) + 1 : 0;
}

/* A rotation falls between two lines; only a line longer than a file makes a file too long. */
static void writer_write(struct writer *w, const char *text, size_t len)
{
	size_t part;

	for (; len; text += part, len -= part) {
		const char *end = memchr(text, '\n', len);

		part = writer_room(w, text, len);
		if (!part && w->size) {
			writer_rotate(w);
			part = writer_room(w, text, len);
		}
		if (!part)
			part = end ? (size_t)(end - text) + 1 : len;
		writer_append(w, text, part);
	}
}

static void writer_loop(struct writer *w)
{
	static char buffer[65536];
	size_t used = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, buffer + used, sizeof(buffer) - used)) != 0) {
		char *last;
		size_t whole;

		if (n < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		used += (size_t)n;
		last = memrchr(buffer, '\n', used);
		whole = last ? (size_t)(last - buffer) + 1 : used == sizeof(buffer) ? used : 0;
		if (whole)
			writer_write(w, buffer, whole);
		memmove(buffer, buffer + whole, used - whole);
		used -= whole;
	}
	if (used)
		writer_write(w, buffer, used);
}

int logwriter_main(int argc, char **argv)
{
	struct writer w = {.fd = -1};
	int rc;

	if (argc != 3 || !parse_uint(argv[1], UINT64_MAX, &w.max) ||
	    !parse_uint(argv[2], 255, &w.keep))
		return 2;
	/* it ends when the pipe does, after the last line of a service that is being stopped */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	w.path = argv[0];
	rc = writer_open(&w);
	if (rc < 0)
		log_error("cannot open %s: %s", w.path, strerror(-rc));
	writer_loop(&w);
	return 0;
}
