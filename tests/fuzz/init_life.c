/* SPDX-License-Identifier: MIT */
/*
 * The whole of PID 1 with services that only seem to run: processes, their ends, signals and time
 * are made up here. The bytes say, one step after the other, what it is told by services, by a
 * sidecar, by clients of the control socket and by the kernel. Whatever that is, what it shows can
 * be read, its timers are in order, descriptors are not lost, and a shutdown comes to its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "log.h"
#include "notify.h"
#include "plan.h"
#include "probe_link.h"
#include "supervisor.h"
#include "take.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHILDREN  64
#define CLIENTS   4
#define FIRST_PID 4000000 /* of none that a kernel gives */
#define STEPS_MAX 200
#define TURNS_MAX 4000 /* of a shutdown */

static struct supervisor *sup; /* in pages that are given back between inputs */

/* ---- a kernel of our own ---- */

struct process {
	pid_t pid; /* 0: none */
	int status;
	bool ended; /* not waited for yet */
};

static struct {
	struct process processes[CHILDREN];
	pid_t next_pid;
	uint64_t now;
	int signals; /* our end of what init takes for a signalfd */
	int link;    /* the sidecar's end of the channel */
	int accepted;
	uid_t uid; /* of the client that is accepted */
} world;

static struct process *find_process(pid_t pid)
{
	for (unsigned i = 0; i < CHILDREN; i++)
		if (world.processes[i].pid == pid)
			return &world.processes[i];
	return NULL;
}

static pid_t new_process(void)
{
	struct process *process = find_process(0);

	if (!process) {
		errno = EAGAIN;
		return -1;
	}
	*process = (struct process){.pid = world.next_pid++};
	return process->pid;
}

static void send_signal(uint32_t number)
{
	struct signalfd_siginfo info = {.ssi_signo = number};

	if (write(world.signals, &info, sizeof(info)) < 0 && errno != EAGAIN)
		abort();
}

static void end_process(struct process *process, int status)
{
	if (!process || !process->pid || process->ended)
		return;
	process->ended = true;
	process->status = status;
	send_signal(SIGCHLD);
}

int clone(int (*function)(void *), void *stack, int flags, void *data, ...)
{
	(void)function;
	(void)stack;
	(void)flags;
	(void)data;
	if (sup->link.child_end >= 0 && world.link < 0)
		world.link = fcntl(sup->link.child_end, F_DUPFD_CLOEXEC, 3);
	return new_process();
}

pid_t fork(void)
{
	return new_process();
}

int kill(pid_t pid, int number)
{
	struct process *process = find_process(pid < -1 ? -pid : pid);

	if (pid != -1 && (pid == 0 || !process)) {
		errno = ESRCH;
		return -1;
	}
	for (unsigned i = 0; i < CHILDREN && number == SIGKILL; i++)
		if (pid == -1 || &world.processes[i] == process)
			end_process(&world.processes[i], SIGKILL);
	return 0;
}

static struct process *find_ended(pid_t pid, bool *any)
{
	struct process *found = NULL;

	*any = false;
	for (unsigned i = 0; i < CHILDREN; i++) {
		struct process *process = &world.processes[i];

		if (!process->pid || (pid > 0 && process->pid != pid))
			continue;
		*any = true;
		if (process->ended && !found)
			found = process;
	}
	return found;
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	bool any;
	struct process *process = find_ended(pid, &any);

	(void)options;
	if (!process) {
		errno = ECHILD;
		return any ? 0 : -1;
	}
	if (status)
		*status = process->status;
	pid = process->pid;
	*process = (struct process){0};
	return pid;
}

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	bool any;
	struct process *process = find_ended(type == P_PID ? (pid_t)id : -1, &any);

	(void)options;
	memset(info, 0, sizeof(*info));
	if (!any) {
		errno = ECHILD;
		return -1;
	}
	if (process)
		info->si_pid = process->pid;
	return 0;
}

pid_t getsid(pid_t pid)
{
	return pid == getpid() ? world.processes[0].pid : pid;
}

int signalfd(int fd, const sigset_t *mask, int flags)
{
	int ends[2];

	(void)fd;
	(void)mask;
	(void)flags;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		abort();
	world.signals = ends[1];
	return ends[0];
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	int accepted = world.accepted;

	(void)fd;
	(void)address;
	(void)size;
	(void)flags;
	world.accepted = -1;
	errno = EAGAIN;
	return accepted;
}

/* Asked for the user of a client only. */
int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	struct ucred peer = {.pid = getpid(), .uid = world.uid};

	if (level != SOL_SOCKET || name != SO_PEERCRED)
		return (int)syscall(SYS_getsockopt, fd, level, name, value, size);
	memcpy(value, &peer, sizeof(peer));
	return 0;
}

int clock_gettime(clockid_t id, struct timespec *time)
{
	if (id != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, id, time);
	time->tv_sec = (time_t)(world.now / NSEC_PER_SEC);
	time->tv_nsec = (long)(world.now % NSEC_PER_SEC);
	return 0;
}

/* Nothing is waited for: time goes on when the bytes say so. */
int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
	(void)timeout;
	return (int)syscall(SYS_epoll_pwait, epoll, events, most, 0, NULL, 0);
}

/* There is no /proc to look through. */
int open(const char *file, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	if (strcmp(file, "/proc") == 0) {
		errno = ENOENT;
		return -1;
	}
	return (int)syscall(SYS_openat, AT_FDCWD, file, flags, mode);
}

/* ---- init ---- */

static const char first_text[] =
	"[muster]\nname = box\nstop_timeout = 20s\nstart_timeout = 30s\n"
	"[address:redis]\ncontainer = redis:6379, other:6380\nfallback = 127.0.0.1:6379\n"
	"[service:db]\ncommand = db\nreadiness_probe = notify\nwatchdog = 10s\nrestart = always\n"
	"restart_backoff = 100ms..5s\nstop_grace_period = 3s\n"
	"[service:web]\ncommand = web ${address:redis}\ndepends_on = db\n"
	"readiness_probe = tcp://127.0.0.1:80\nliveness_probe = http://127.0.0.1/live\n"
	"restart = on-failure\non_address_change = restart\n"
	"[service:job]\ncommand = job\ntype = oneshot\npre_start = before\npost_stop = after\n"
	"depends_on = web:started\n"
	"[service:hand]\ncommand = hand\nstart = manual\nreadiness_probe = exec:check\n"
	"stop_command = halt\ndepends_on = db:restart\nessential = yes\n";
static const char second_text[] =
	"[muster]\nname = box\nstop_timeout = 20s\n"
	"[service:db]\ncommand = db\nreadiness_probe = notify\nwatchdog = 10s\nrestart = always\n"
	"restart_backoff = 100ms..5s\nstop_grace_period = 3s\n"
	"[service:web]\ncommand = web --new\ndepends_on = db\nreadiness_probe = "
	"tcp://127.0.0.1:80\n"
	"[service:new]\ncommand = new\ndepends_on = web\n";

static char path[32];
static const char *const files[] = {path, NULL};
static char *environment[] = {"PATH=/bin", NULL};
static const struct config_source source = {.files = files, .environment = environment};
static int config_file = -1;

static void ignore_line(const char *line, size_t len)
{
	(void)line;
	(void)len;
}

static void write_config(const char *text)
{
	if (config_file < 0)
		config_file = memfd_create("muster.ini", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", config_file);
	if (ftruncate(config_file, 0) < 0 ||
	    pwrite(config_file, text, strlen(text), 0) != (ssize_t)strlen(text))
		abort();
}

static struct config *read_config(void)
{
	struct config_errors errors = {0};
	struct config *config = config_load(&source, &errors);

	for (unsigned i = 0; i < errors.kept; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	config_errors_free(&errors);
	if (!config)
		abort();
	return config;
}

/* Init takes signals over; here they are the fuzzer's. */
static void open_signals(void)
{
	struct sigaction old[_NSIG];
	sigset_t mask, all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	for (int i = 1; i < _NSIG; i++)
		sigaction(i, NULL, &old[i]);
	if (reaper_open(sup) < 0)
		abort();
	for (int i = 1; i < _NSIG; i++)
		sigaction(i, &old[i], NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

static void open_world(void)
{
	memset(&world, 0, sizeof(world));
	world.next_pid = FIRST_PID;
	world.now = 1000 * NSEC_PER_SEC;
	world.signals = world.link = world.accepted = -1;
}

static void open_init(void)
{
	if (!sup)
		sup = mmap(NULL, sizeof(*sup), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	if (sup == MAP_FAILED || madvise(sup, sizeof(*sup), MADV_DONTNEED) < 0)
		abort();
	sup->source = &source;
	sup->boot = clock_monotonic();
	sup->exit_code = sup->run_fd = sup->notify_up = sup->reports_end = -1;
	sup->admission.cores = 2;
	sup->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	sup->link.source.fd = sup->link.child_end = sup->reports.fd = -1;
	sup->environment = environment;
	sup->run_dir = "/nonexistent";
	sup->sidecar_program = "/bin/true";
	if (loop_open(&sup->loop) < 0)
		abort();
	sup->loop.now = world.now;
	open_signals();
	sink_open(&sup->output.sinks[0], sup->null_fd);
	sink_open(&sup->output.sinks[1], sup->null_fd);
	if (plan_create(sup, read_config()) < 0)
		abort();
	control_open(sup);
	sup->stop_timer.expired = stop_timer_expired;
	sup->start_timer.expired = schedule_start_timeout;
	loop_arm(&sup->loop, &sup->start_timer, sup->loop.now + msec(sup->config->start_timeout));
	for (uint32_t i = 0; i < sup->count; i++) {
		sup->services[i]->wanted = sup->services[i]->config->start == START_AUTO;
		if (sup->services[i]->wanted)
			schedule_want(sup, sup->services[i]);
		else
			schedule_changed(sup, sup->services[i]);
	}
}

static void turn(void)
{
	reload_run(sup);
	schedule_run(sup);
	stop_run(sup);
	control_flush(sup);
	hosts_run(sup);
	output_flush(sup);
	if (sup->stage != STAGE_DONE)
		loop_turn(&sup->loop);
}

/* ---- what holds at any time ---- */

static void check_timers(const struct loop *loop)
{
	if (loop->armed > loop->capacity)
		abort();
	for (uint32_t i = 0; i < loop->armed; i++)
		if (loop->heap[i]->slot != i + 1 ||
		    (i && loop->heap[(i - 1) / 2]->when > loop->heap[i]->when))
			abort();
}

static void check_service(const struct service *service, uint32_t index)
{
	struct status_record record;

	if (service->index != index || service->slot >= sup->slots ||
	    sup->by_slot[service->slot] != service || service->phase >= PH_COUNT)
		abort();
	if (status_read_record(&sup->page, index, &record) < 0 ||
	    strncmp(record.name, service->config->name, sizeof(record.name)) != 0 ||
	    record.pid != service->pid || record.state >= STATE_COUNT ||
	    strnlen(record.reason, sizeof(record.reason)) == sizeof(record.reason))
		abort();
	if (service->pid > 0 && children_find(&sup->children, service->pid).kind != CHILD_MAIN)
		abort();
}

static void check(void)
{
	struct status_header header;

	if (status_read_header(&sup->page, &header) < 0 || header.record_count != sup->count)
		abort();
	for (uint32_t i = 0; i < sup->count; i++)
		check_service(sup->services[i], i);
	check_timers(&sup->loop);
}

/* ---- what it is told ---- */

static struct service *pick_service(uint8_t number)
{
	return sup->services[number % sup->count];
}

static void take_end(struct take *take)
{
	struct process *process = &world.processes[take_byte(take) % CHILDREN];
	uint8_t how = take_byte(take);

	end_process(process, how & 128 ? how & 31 : (how & 7) << 8);
}

static void take_time(struct take *take)
{
	static const uint64_t ms[] = {1, 100, 250, 1000, 3000, 10000, 60000, 3600000};

	world.now += msec(ms[take_byte(take) & 7]);
}

static void take_signal(struct take *take)
{
	static const int numbers[] = {SIGHUP,  SIGTERM, SIGINT, SIGUSR1,
				      SIGUSR2, SIGCHLD, SIGIO,  SIGPIPE};

	send_signal((uint32_t)numbers[take_byte(take) & 7]);
}

static void take_config(struct take *take)
{
	uint8_t which = take_byte(take);

	write_config(which & 2 ? "[service:" : which & 1 ? second_text : first_text);
	send_signal(SIGHUP);
}

static void to_init(const void *message, size_t size)
{
	if (world.link >= 0)
		send(world.link, message, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* An order to probe that the sidecar has got: the numbers that an answer needs. */
static void take_result(struct take *take)
{
	struct link_result result = {.type = LINK_RESULT};
	uint8_t bits;

	result.probe = take_byte(take) & 7;
	bits = take_byte(take);
	result.ok = bits & 1;
	result.serial = result.probe < sup->numbers && sup->by_number[result.probe]
				? sup->by_number[result.probe]->serial + (bits >> 1 & 1)
				: bits;
	memset(result.reason, bits & 4 ? 'x' : 0, sizeof(result.reason));
	to_init(&result, sizeof(result));
}

static void take_answer(struct take *take)
{
	struct link_answer answer = {.type = LINK_ANSWER};
	uint8_t bits = take_byte(take);
	char *text = take_text(take);

	answer.serial = sup->link.book_serial + (bits & 1);
	answer.candidate = bits >> 1 & 3;
	answer.address = bits >> 3 & 1;
	answer.moved = bits >> 4 & 1;
	answer.port = (uint16_t)(bits >> 5 & 1 ? 6379 : 0);
	memcpy(answer.host, text, strnlen(text, sizeof(answer.host)));
	snprintf(answer.number, sizeof(answer.number), "%s", bits & 128 ? "10.0.0.1" : text);
	to_init(&answer, sizeof(answer));
	free(text);
}

static void take_link_bytes(struct take *take)
{
	uint8_t bytes[400];
	size_t size = take_byte(take);

	take_bytes(take, bytes, size);
	to_init(bytes, size);
}

/* What the sidecar is told; it may also close its end. */
static void read_link(struct take *take)
{
	char bytes[2048];

	while (world.link >= 0 && recv(world.link, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	if (world.link < 0 || !(take_byte(take) & 1))
		return;
	close(world.link);
	world.link = -1;
}

static void take_notice(struct take *take)
{
	struct service *service = pick_service(take_byte(take));
	uint8_t fds = take_byte(take);
	char *text = take_text(take);
	struct sockaddr_un address;
	socklen_t size = sizeof(address);
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {.bytes = {0}};
	struct iovec part = {text, strlen(text)};
	struct msghdr message = {.msg_name = &address, .msg_iov = &part, .msg_iovlen = 1};
	int fd = -1, both[2] = {sup->null_fd, sup->null_fd};

	if (service->notify && service->notify->source.fd >= 0 &&
	    getsockname(service->notify->source.fd, (struct sockaddr *)&address, &size) == 0)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	message.msg_namelen = size;
	if (fds & 1) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(both));
		memcpy(CMSG_DATA(&control.align), both, sizeof(both));
	}
	if (fd >= 0) {
		sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
	}
	free(text);
}

/* ---- clients of the control socket ---- */

static int clients[CLIENTS];

static void client_connect(unsigned i, uid_t uid)
{
	int ends[2];

	if (clients[i] >= 0)
		close(clients[i]);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		abort();
	clients[i] = ends[0];
	world.accepted = ends[1];
	world.uid = uid;
	sup->control.listener.ready(&sup->loop, &sup->control.listener, EPOLLIN);
}

/* Whatever is answered is well-formed. */
static void client_read(unsigned i)
{
	char bytes[sizeof(struct wire_header) + WIRE_BODY_MAX];
	const void *body;
	size_t size;
	ssize_t n;

	while (clients[i] >= 0 && (n = recv(clients[i], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		if (wire_decode(bytes, (size_t)n, &body, &size) < 0)
			abort();
}

static void client_send(unsigned i, int type, const void *body, size_t size)
{
	char bytes[sizeof(struct wire_header) + WIRE_BODY_MAX];
	size_t len = wire_encode(bytes, (enum wire_type)type, body, size, NULL, 0);

	if (clients[i] >= 0)
		send(clients[i], bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void take_request(struct take *take, unsigned i)
{
	struct wire_service request = {.number = 0};
	uint8_t type = take_byte(take), which = take_byte(take);

	request.number = take_byte(take);
	snprintf(request.name, sizeof(request.name), "%s", pick_service(which)->config->name);
	client_send(i, type % 32, &request, which & 128 ? which & 63 : sizeof(request));
}

static void take_logs(struct take *take, unsigned i)
{
	struct {
		struct wire_logs head;
		char names[3][64];
	} request = {.head = {.lines = take_byte(take)}};
	uint8_t bits = take_byte(take);

	request.head.follow = bits & 1;
	request.head.names = bits >> 1 & 3;
	for (unsigned n = 0; n < 3; n++)
		snprintf(request.names[n], 64, "%s",
			 pick_service((uint8_t)(bits + n))->config->name);
	client_send(i, WIRE_LOGS, &request, sizeof(request.head) + request.head.names * 64u);
}

static void take_packet(struct take *take, unsigned i)
{
	uint8_t bytes[256];
	size_t size = take_byte(take);

	take_bytes(take, bytes, size);
	if (clients[i] >= 0)
		send(clients[i], bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void take_client(struct take *take)
{
	uint8_t bits = take_byte(take);
	unsigned i = bits & 3;

	if (clients[i] < 0)
		client_connect(i, bits & 4 ? 1000 : 0);
	switch (bits >> 3 & 7) {
	case 0:
		client_connect(i, bits & 4 ? 1000 : 0);
		break;
	case 1:
		client_read(i);
		break;
	case 2:
		take_logs(take, i);
		break;
	case 3:
		take_packet(take, i);
		break;
	case 4:
		client_send(i, WIRE_EVENTS, NULL, 0);
		break;
	default:
		take_request(take, i);
		break;
	}
}

/* ---- all ---- */

typedef void step(struct take *take);
static step *const steps[] = {take_end,    take_time,   take_signal, take_config,
			      take_result, take_answer, read_link,   take_link_bytes,
			      take_notice, take_client, take_client, take_client,
			      take_time,   take_end,    take_notice, take_result};

/* A shutdown ends: whoever does not go by himself is killed. */
static void shut_down(void)
{
	send_signal(SIGTERM);
	for (unsigned i = 0; sup->stage != STAGE_DONE; i++) {
		if (i == TURNS_MAX)
			abort();
		turn();
		if (sup->loop.armed && sup->loop.heap[0]->when > world.now && i % 4 == 3)
			world.now = sup->loop.heap[0]->when;
	}
}

static void close_init(void)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		if (clients[i] >= 0)
			close(clients[i]);
	loop_close(&sup->loop, &sup->signals);
	close(world.signals);
	if (world.link >= 0)
		close(world.link);
	control_close(sup);
	plan_destroy(sup);
	close(sup->null_fd);
	close(sup->loop.epoll);
}

static int lowest_descriptor(void)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	close(fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	int lowest;

	log_set_sink(ignore_line);
	write_config(first_text);
	lowest = lowest_descriptor();
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i] = -1;
	open_world();
	open_init();
	for (unsigned i = 0; i < STEPS_MAX && take_left(&take) && sup->stage != STAGE_DONE; i++) {
		steps[take_byte(&take) % (sizeof(steps) / sizeof(steps[0]))](&take);
		turn();
		check();
	}
	shut_down();
	close_init();
	log_set_sink(NULL);
	if (lowest_descriptor() != lowest)
		abort();
	return 0;
}
