/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "log.h"
#include "notify.h"
#include "rundir.h"
#include "sidecar_link.h"
#include "sig.h"
#include "supervisor.h"
#include "wire.h"

#define PACKET_SIZE (sizeof(struct wire_header) + WIRE_BODY_MAX)

static char packet[PACKET_SIZE];

/* ---- sending ---- */

static void client_close(struct supervisor *sup, struct client *client)
{
	loop_close(&sup->loop, &client->source);
	if (client->logs)
		tail_close(&sup->output.tail, &client->cursor);
	client->events = client->logs = false;
}

/* False: it does not take more now. Closes a client that is gone. */
static bool client_send(struct supervisor *sup, struct client *client, size_t size)
{
	ssize_t n = send(client->source.fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n >= 0)
		return true;
	if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		client_close(sup, client);
	return false;
}

__attribute__((format(printf, 4, 5))) static void
answer(struct supervisor *sup, struct client *client, enum wire_type type, const char *format, ...)
{
	static char text[WIRE_BODY_MAX];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0)
		len = 0;
	if ((size_t)len >= sizeof(text))
		len = (int)sizeof(text) - 1;
	/* one that asks and does not read its answers is of no use */
	if (!client_send(sup, client, wire_encode(packet, type, text, (size_t)len, NULL, 0)))
		client_close(sup, client);
}

static bool send_lost(struct supervisor *sup, struct client *client, uint64_t count)
{
	return client_send(sup, client,
			   wire_encode(packet, WIRE_LOST, &count, sizeof(count), NULL, 0));
}

/* An address as it is now, when it still is in the book. */
static bool fill_address(const struct supervisor *sup, const struct event_entry *entry,
			 struct wire_event *event)
{
	const struct address_book *book = sup->config->addresses;
	const struct address_entry *address;
	char text[ENDPOINT_SIZE];

	if ((uint32_t)entry->pid >= book->count || !book->entries[entry->pid].now)
		return false;
	address = &book->entries[entry->pid];
	event->service = WIRE_EVENT_ADDRESS;
	event->pid = 0;
	event->last_exit = -1;
	snprintf(event->name, sizeof(event->name), "%s", address->name);
	endpoint_format(text, address->now->host, address->now->port);
	snprintf(event->reason, sizeof(event->reason), "%.64s", text);
	return true;
}

static bool fill_event(const struct supervisor *sup, const struct event_entry *entry,
		       struct wire_event *event)
{
	const struct service *service = NULL;
	struct status_record record;

	*event = (struct wire_event){
		.time = entry->time,
		.time_realtime = clock_realtime() - (clock_monotonic() - entry->time),
		.service = WIRE_EVENT_SYSTEM,
		.old_state = entry->old_state,
		.state = entry->state,
		.pid = entry->pid,
		.last_exit = entry->last_exit,
	};
	if (entry->slot == WIRE_EVENT_SYSTEM)
		return true;
	if (entry->slot == WIRE_EVENT_ADDRESS)
		return fill_address(sup, entry, event);
	service = entry->slot < sup->slots ? sup->by_slot[entry->slot] : NULL;
	if (!service)
		return false; /* removed by a reload since */
	event->service = service->index;
	snprintf(event->name, sizeof(event->name), "%s", service->config->name);
	if (status_read_record(&sup->page, service->index, &record) == 0 &&
	    record.state == entry->state)
		memcpy(event->reason, record.reason, sizeof(event->reason));
	return true;
}

/* False: the client does not take more now. */
static bool pump_events(struct supervisor *sup, struct client *client)
{
	const struct event_log *log = &sup->events;
	uint64_t oldest = log->next > EVENT_LOG_SIZE ? log->next - EVENT_LOG_SIZE : 0;
	struct wire_event event;

	if (client->event_cursor < oldest) {
		if (!send_lost(sup, client, oldest - client->event_cursor))
			return false;
		client->event_cursor = oldest;
	}
	while (client->event_cursor < log->next) {
		if (fill_event(sup, &log->ring[client->event_cursor % EVENT_LOG_SIZE], &event) &&
		    !client_send(sup, client,
				 wire_encode(packet, WIRE_EVENT, &event, sizeof(event), NULL, 0)))
			return false;
		client->event_cursor++;
	}
	return true;
}

/* Sends as much of a line as one message takes; true when that was sent. */
static bool send_line(struct supervisor *sup, struct client *client, const struct tail_entry *entry)
{
	static char text[WIRE_BODY_MAX - sizeof(struct wire_line)];
	const struct service *service = sup->by_slot[entry->slot];
	struct wire_line line = {
		.time_realtime = entry->time_realtime,
		.service = service->index,
		.stream = entry->size_stream & TAIL_STDERR ? 2 : 1,
		.part = client->line_sent ? WIRE_PART_LATER : 0,
	};
	size_t len = tail_text(&sup->output.tail, entry, client->line_sent, text, sizeof(text));
	bool more = client->line_sent + len < tail_size(entry);

	if (more)
		line.part |= WIRE_PART_MORE;
	snprintf(line.name, sizeof(line.name), "%s", service->config->name);
	if (!client_send(sup, client,
			 wire_encode(packet, WIRE_LINE, &line, sizeof(line), text, len)))
		return false;
	client->line_sent = more ? client->line_sent + (uint32_t)len : 0;
	client->line_number = entry->number;
	if (!more)
		tail_step(&sup->output.tail, &client->cursor);
	return true;
}

/* Lines that went before this client could read them, the one under way included. */
static bool send_lost_lines(struct supervisor *sup, struct client *client)
{
	if (client->line_sent && client->cursor.number == client->line_number)
		return true; /* first the rest of that */
	client->line_sent = 0;
	if (!client->cursor.lost)
		return true;
	if (!send_lost(sup, client, client->cursor.lost))
		return false;
	client->cursor.lost = 0;
	return true;
}

static bool pump_lines(struct supervisor *sup, struct client *client)
{
	const struct tail_entry *entry;

	for (;;) {
		if (!send_lost_lines(sup, client))
			return false;
		entry = tail_peek(&sup->output.tail, &client->cursor);
		if (!client->follow &&
		    (!entry || (int32_t)(entry->number - client->lines_end) >= 0))
			break;
		if (!entry)
			return true;
		if (!send_line(sup, client, entry))
			return false;
	}
	client->logs = false;
	tail_close(&sup->output.tail, &client->cursor);
	answer(sup, client, WIRE_DONE, "%s", "");
	return true;
}

static void pump(struct supervisor *sup, struct client *client)
{
	bool blocked = (client->events && !pump_events(sup, client)) ||
		       (client->logs && !pump_lines(sup, client));

	if (client->source.fd < 0 || blocked == client->blocked)
		return;
	client->blocked = blocked;
	loop_modify(&sup->loop, &client->source, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void control_flush(struct supervisor *sup)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = &sup->control.clients[i];

		if (client->source.fd >= 0 && !client->blocked && (client->events || client->logs))
			pump(sup, client);
	}
}

/* ---- requests ---- */

static struct service *find_service(struct supervisor *sup, struct client *client, const char *name)
{
	struct service *service = supervisor_find(sup, name);

	if (!service)
		answer(sup, client, WIRE_NOT_FOUND, "there is no service \"%s\"", name);
	return service;
}

static bool is_privileged(const struct supervisor *sup, uid_t uid)
{
	return uid == 0 || uid == sup->control.own_uid;
}

static bool may_change(struct supervisor *sup, struct client *client)
{
	if (is_privileged(sup, client->uid))
		return true;
	answer(sup, client, WIRE_REFUSED,
	       "this needs user 0 or the user of muster-init (%u); you are %u", (unsigned)geteuid(),
	       (unsigned)client->uid);
	return false;
}

/* START, STOP, RESTART */
static void move_service(struct supervisor *sup, struct client *client, int type,
			 struct service *service)
{
	if (type != WIRE_STOP && sup->stage != STAGE_RUN) {
		answer(sup, client, WIRE_FAILED, "muster-init is stopping");
		return;
	}
	if (type == WIRE_STOP) {
		service->wanted = service->demand = false;
		supervisor_event(sup, service, EV_UNWANT);
	} else if (type == WIRE_RESTART) {
		service->wanted = true;
		supervisor_event(sup, service, EV_RESTART);
	}
	if (type != WIRE_STOP)
		schedule_want(sup, service); /* and what it cannot do without */
	if (type != WIRE_START)
		schedule_changed(sup, service);
	answer(sup, client, WIRE_DONE, "%s", state_name(machine_state(service->phase)));
}

static void signal_service(struct supervisor *sup, struct client *client, struct service *service,
			   int number)
{
	char name[12];

	if (number < 1 || number > SIG_LAST_RT) {
		answer(sup, client, WIRE_FAILED, "%d is no signal", number);
		return;
	}
	if (service->pid <= 1) {
		answer(sup, client, WIRE_FAILED, "%s has no process", service->config->name);
		return;
	}
	notify_signal(service, number);
	answer(sup, client, WIRE_DONE, "%s sent to process %d",
	       sig_name(number, name, sizeof(name)), (int)service->pid);
}

static void on_service(struct supervisor *sup, struct client *client, int type, const void *body,
		       size_t size)
{
	struct wire_service request;
	struct service *service;

	if (size != sizeof(request)) {
		answer(sup, client, WIRE_FAILED, "malformed request");
		return;
	}
	memcpy(&request, body, sizeof(request));
	if (!wire_name_valid(request.name)) {
		answer(sup, client, WIRE_FAILED, "malformed name");
		return;
	}
	if (!may_change(sup, client))
		return;
	service = find_service(sup, client, request.name);
	if (!service)
		return;
	if (type == WIRE_SIGNAL)
		signal_service(sup, client, service, request.number);
	else
		move_service(sup, client, type, service);
}

/* What the reload under way changes; a later one that takes its place speaks for both. */
static char reload_text[WIRE_BODY_MAX];

static void on_reload(struct supervisor *sup, struct client *client)
{
	static char text[sizeof(reload_text)];

	if (!may_change(sup, client))
		return;
	if (!plan_reload(sup, text, sizeof(text))) {
		answer(sup, client, WIRE_FAILED, "%s", text);
		return;
	}
	memcpy(reload_text, text, sizeof(text));
	client->reloading = true;
}

static void on_preview(struct supervisor *sup, struct client *client, const void *body, size_t size)
{
	static char text[WIRE_BODY_MAX];
	bool more = false;
	uint32_t skip;

	if (size != sizeof(skip)) {
		answer(sup, client, WIRE_FAILED, "malformed request");
		return;
	}
	memcpy(&skip, body, sizeof(skip));
	if (!may_change(sup, client))
		return;
	if (plan_preview(sup, skip, text, sizeof(text), &more))
		answer(sup, client, more ? WIRE_PART : WIRE_DONE, "%s", text);
	else
		answer(sup, client, WIRE_FAILED, "%s", text);
}

void control_reload_done(struct supervisor *sup, const char *why)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = &sup->control.clients[i];

		if (client->source.fd < 0 || !client->reloading)
			continue;
		client->reloading = false;
		if (why)
			answer(sup, client, WIRE_FAILED, "%s; the old configuration goes on", why);
		else
			answer(sup, client, WIRE_DONE, "%s", reload_text);
	}
}

static void on_shutdown(struct supervisor *sup, struct client *client)
{
	char why[64];

	if (!may_change(sup, client))
		return;
	snprintf(why, sizeof(why), "asked for by user %u", (unsigned)client->uid);
	answer(sup, client, WIRE_DONE, "stopping");
	sup->requested = true;
	stop_begin(sup, 0, why);
}

static bool take_names(struct supervisor *sup, struct client *client, const char *names,
		       uint32_t count)
{
	client->name_count = 0;
	for (uint32_t i = 0; i < count; i++, names += 64) {
		const struct service *service;

		if (!wire_name_valid(names)) {
			answer(sup, client, WIRE_FAILED, "malformed name");
			return false;
		}
		service = find_service(sup, client, names);
		if (!service)
			return false;
		client->slots[client->name_count++] = service->slot;
	}
	return true;
}

static void on_logs(struct supervisor *sup, struct client *client, const char *body, size_t size)
{
	struct wire_logs request;

	if (size < sizeof(request)) {
		answer(sup, client, WIRE_FAILED, "malformed request");
		return;
	}
	memcpy(&request, body, sizeof(request));
	if (request.names > CONTROL_NAMES || size != sizeof(request) + (size_t)request.names * 64) {
		answer(sup, client, WIRE_FAILED, "malformed request");
		return;
	}
	if (client->logs) /* another wish takes the place of the one before */
		tail_close(&sup->output.tail, &client->cursor);
	client->logs = false;
	if (!take_names(sup, client, body + sizeof(request), request.names))
		return;
	client->follow = request.follow != 0;
	client->cursor.slots = client->slots;
	client->cursor.count = client->name_count;
	client->line_sent = 0;
	client->lines_end = sup->output.tail.number;
	tail_open(&sup->output.tail, &client->cursor, request.lines);
	client->logs = true;
}

/* One that init has not started becomes it by its user: what it says decides what is ready. */
static void on_sidecar(struct supervisor *sup, struct client *client)
{
	const struct sidecar_config *sidecar = &sup->config->sidecar;
	int fd;

	if (!sidecar->external) {
		answer(sup, client, WIRE_REFUSED, "[sidecar] external = yes is not set");
		return;
	}
	if ((client->uid != sidecar->uid || !rundir_knows(client->uid)) && !may_change(sup, client))
		return;
	if (sup->link.source.fd >= 0) {
		answer(sup, client, WIRE_FAILED, "another sidecar is connected");
		return;
	}
	fd = fcntl(client->source.fd, F_DUPFD_CLOEXEC, 3);
	answer(sup, client, fd < 0 ? WIRE_FAILED : WIRE_DONE, "%s", fd < 0 ? strerror(errno) : "");
	if (fd < 0)
		return;
	client_close(sup, client);
	log_info("a sidecar of user %u has connected", (unsigned)client->uid);
	sidecar_link_adopt(sup, fd);
}

static void on_request(struct supervisor *sup, struct client *client, int type, const void *body,
		       size_t size)
{
	switch (type) {
	case WIRE_PING:
		answer(sup, client, WIRE_DONE, "%s", phase_name(sup->phase));
		break;
	case WIRE_START:
	case WIRE_STOP:
	case WIRE_RESTART:
	case WIRE_SIGNAL:
		on_service(sup, client, type, body, size);
		break;
	case WIRE_RELOAD:
		on_reload(sup, client);
		break;
	case WIRE_PREVIEW:
		on_preview(sup, client, body, size);
		break;
	case WIRE_SHUTDOWN:
		on_shutdown(sup, client);
		break;
	case WIRE_EVENTS:
		client->event_cursor = sup->events.next;
		client->events = true;
		answer(sup, client, WIRE_DONE, "%s", "");
		break;
	case WIRE_LOGS:
		on_logs(sup, client, body, size);
		break;
	case WIRE_SIDECAR:
		on_sidecar(sup, client);
		break;
	default:
		answer(sup, client, WIRE_UNKNOWN, "%s", "");
		break;
	}
}

static void client_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct supervisor *sup = supervisor_of(loop);
	struct client *client = container_of(source, struct client, source);
	static char request[PACKET_SIZE + 1];
	const void *body;
	size_t size;
	ssize_t n;
	int type;

	if (events & EPOLLOUT)
		pump(sup, client);
	if (source->fd < 0 || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	/* one request a turn for each client; descriptors that come along are closed unseen */
	n = recv(source->fd, request, sizeof(request), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		loop->failed = true;
		return;
	}
	if (n <= 0) {
		client_close(sup, client);
		return;
	}
	client->since = loop->now;
	type = wire_decode(request, (size_t)n, &body, &size);
	if (type < 0)
		answer(sup, client, WIRE_UNKNOWN, "%s", "");
	else
		on_request(sup, client, type, body, size);
}

/* ---- clients ---- */

static bool is_silent(const struct client *client)
{
	return !client->events && !client->logs && !client->reloading;
}

/* A free place; when there is none, that of the one which has been silent for longest. One who may
 * change something is not kept out by those who may not, and not put out by them either. */
static struct client *free_client(struct supervisor *sup, uid_t uid)
{
	struct client *victim = NULL;

	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = &sup->control.clients[i];

		if (client->source.fd < 0)
			return client;
		if (is_privileged(sup, client->uid)
			    ? !is_silent(client) || !is_privileged(sup, uid)
			    : !is_silent(client) && !is_privileged(sup, uid))
			continue;
		if (!victim || is_silent(client) > is_silent(victim) ||
		    (is_silent(client) == is_silent(victim) && client->since < victim->since))
			victim = client;
	}
	if (victim)
		client_close(sup, victim);
	return victim;
}

/* No descriptor is left: gives up the one kept for this, so that the connection can be taken and
 * closed instead of being reported again and again. */
static void refuse(struct supervisor *sup)
{
	struct control *control = &sup->control;
	int fd;

	if (control->reserve >= 0)
		close(control->reserve);
	fd = accept4(control->listener.fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	else
		sup->loop.failed = true;
	control->reserve = fcntl(sup->null_fd, F_DUPFD_CLOEXEC, 3);
}

static void listener_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct supervisor *sup = supervisor_of(loop);
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);
	struct client *client;
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			refuse(sup);
		else
			loop->failed = true;
		return;
	}
	client = NULL;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
		client = free_client(sup, peer.uid);
	if (!client) {
		close(fd);
		return;
	}
	client->uid = peer.uid;
	client->since = loop->now;
	client->blocked = client->events = client->logs = client->reloading = false;
	client->source.ready = client_ready;
	client->source.class = CLASS_WISH;
	if (loop_add(loop, &client->source, fd, EPOLLIN) < 0)
		close(fd);
}

/* ---- the socket ---- */

/* Clients that are connected stay so. Without a socket init goes on, as nothing but musterctl
 * needs it. */
static void listen_anew(struct supervisor *sup)
{
	struct control *control = &sup->control;
	int fd = rundir_listen(sup->run_fd, &control->inode), rc = fd;

	if (fd >= 0) {
		loop_close(&sup->loop, &control->listener);
		rc = loop_add(&sup->loop, &control->listener, fd, EPOLLIN);
		if (rc < 0)
			close(fd);
	}
	if (rc < 0)
		log_warning("cannot open %s/" WIRE_SOCKET ": %s", sup->run_dir,
			    rc == -ENOTSOCK ? "something that is no socket has this name"
					    : strerror(-rc));
}

void control_open(struct supervisor *sup)
{
	struct control *control = &sup->control;

	control->listener.fd = -1;
	control->listener.ready = listener_ready;
	control->listener.class = CLASS_WISH;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		control->clients[i].source.fd = -1;
	control->reserve = fcntl(sup->null_fd, F_DUPFD_CLOEXEC, 3);
	control->own_uid = geteuid();
	if (!rundir_knows(control->own_uid))
		control->own_uid = 0; /* root alone, then */
	if (sup->run_fd >= 0)
		listen_anew(sup);
}

void control_renew(struct supervisor *sup)
{
	if (sup->control.listener.fd < 0 || rundir_holds(sup->run_fd, sup->control.inode))
		return;
	log_warning("%s/" WIRE_SOCKET " is gone: making it anew", sup->run_dir);
	listen_anew(sup);
}

void control_close(struct supervisor *sup)
{
	struct control *control = &sup->control;

	if (control->listener.fd >= 0 && rundir_holds(sup->run_fd, control->inode))
		unlinkat(sup->run_fd, WIRE_SOCKET, 0);
	loop_close(&sup->loop, &control->listener);
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		client_close(sup, &control->clients[i]);
	if (control->reserve >= 0)
		close(control->reserve);
}
