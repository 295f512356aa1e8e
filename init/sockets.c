/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "supervisor.h"

static void close_one(struct loop *loop, struct held_socket *held,
		      const struct listen_config *where, bool remove)
{
	loop_remove(loop, &held->source);
	listener_close(&held->listener, where, remove);
}

/* An open descriptor of the same socket, which another replica has. */
static const struct held_socket *twin_of(const struct config *config, uint32_t at)
{
	for (uint32_t i = 0; config->listens[at].shared && i < config->listen_count; i++)
		if (i != at && config->sockets[i].listener.fd >= 0 &&
		    strcmp(config->listens[i].text, config->listens[at].text) == 0)
			return &config->sockets[i];
	return NULL;
}

/* An open socket that the configuration holds under this text; most stay where they were. */
static const struct held_socket *find(const struct config *config, const char *text, uint32_t hint)
{
	uint32_t at = 0;

	if (!config || !config->sockets)
		return NULL;
	if (hint < config->listen_count && config->sockets[hint].listener.fd >= 0 &&
	    strcmp(config->listens[hint].text, text) == 0)
		at = hint;
	while (at < config->listen_count &&
	       (config->sockets[at].listener.fd < 0 || strcmp(config->listens[at].text, text) != 0))
		at++;
	return at < config->listen_count ? &config->sockets[at] : NULL;
}

static const struct identity_config *owner_of(const struct config *config,
					      const struct listen_config *where)
{
	return config->services[where->service].policy->identity;
}

/* Takes a descriptor of one that is open (NULL: of a twin), or opens it. 0 or -errno. */
static int open_one(struct config *config, uint32_t at, const struct held_socket *open)
{
	struct listener *listener = &config->sockets[at].listener;
	const struct listen_config *where = &config->listens[at];

	if (!open)
		open = twin_of(config, at);
	return open ? listener_share(listener, &open->listener)
		    : listener_open(listener, where, owner_of(config, where));
}

static const char *why(int error)
{
	return error == EADDRINUSE ? "it is in use by another program" : strerror(error);
}

bool sockets_open_all(struct config *config, const struct config *from, const struct config *other,
		      char text[SOCKETS_TEXT_SIZE])
{
	int rc = 0;

	config->sockets =
		arena_array(config->arena, config->listen_count ? config->listen_count : 1,
			    sizeof(*config->sockets));
	if (!config->sockets) {
		snprintf(text, SOCKETS_TEXT_SIZE, "%s", strerror(ENOMEM));
		return false;
	}
	for (uint32_t i = 0; i < config->listen_count; i++)
		config->sockets[i].listener.fd = config->sockets[i].source.fd = -1;
	for (uint32_t i = 0; i < config->listen_count; i++) {
		const struct listen_config *where = &config->listens[i];
		const struct held_socket *open = find(from, where->text, i);

		if (!open)
			open = find(other, where->text, i);
		rc = open_one(config, i, open);
		if (rc == 0)
			continue;
		snprintf(text, SOCKETS_TEXT_SIZE, "%.300s: cannot listen on %s: %s", where->place,
			 where->text, why(-rc));
		sockets_close_all(NULL, config, from, other);
		return false;
	}
	return true;
}

void sockets_close_all(struct loop *loop, struct config *config, const struct config *heir,
		       const struct config *other)
{
	for (uint32_t i = 0; config && config->sockets && i < config->listen_count; i++) {
		const char *text = config->listens[i].text;
		bool inherited = find(heir, text, i) || find(other, text, i);

		close_one(loop, &config->sockets[i], &config->listens[i],
			  !inherited && !twin_of(config, i));
	}
}

/* ---- with the life of a service ---- */

/* Nobody is going to answer: a client had better hear that than wait. */
static bool is_closed_in(const struct supervisor *sup, const struct service *service)
{
	bool over = service->phase == PH_FAILED || service->phase == PH_COMPLETED;
	bool down = over || service->phase == PH_INACTIVE;

	return over || (sup->stage >= STAGE_STOP && (service->told || down));
}

void sockets_follow(struct supervisor *sup, struct service *service)
{
	const struct service_config *config = service->config;
	bool closed = is_closed_in(sup, service);

	for (uint32_t i = 0; i < config->listen_count; i++) {
		uint32_t at = config->listen_first + i;
		struct held_socket *held = &sup->config->sockets[at];

		if (closed)
			close_one(&sup->loop, held, &sup->config->listens[at],
				  !find(sup->pending, sup->config->listens[at].text, at) &&
					  !twin_of(sup->config, at));
	}
}

bool sockets_prepare(struct supervisor *sup, struct service *service)
{
	const struct service_config *config = service->config;

	for (uint32_t i = 0; i < config->listen_count; i++) {
		uint32_t at = config->listen_first + i;
		int rc = sup->config->sockets[at].listener.fd < 0 ? open_one(sup->config, at, NULL)
								  : 0;

		if (rc < 0) {
			errno = -rc;
			return false;
		}
	}
	return true;
}
