/* SPDX-License-Identifier: MIT */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "mem.h"

struct http {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer timer;
};

/* ---- libcurl in the loop ---- */

static void reap(struct http *http)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		CURLcode code = message->data.result;
		struct http_call *call;
		char *data = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data);
		call = (struct http_call *)(void *)data;
		call->done(call->data, code);
	}
}

static void socket_ready(void *data, int fd, uint32_t events)
{
	struct http *http = data;
	int running, mask = 0;

	if (events & EPOLLIN)
		mask |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (events & (EPOLLERR | EPOLLHUP))
		mask |= CURL_CSELECT_ERR;
	curl_multi_socket_action(http->multi, fd, mask, &running);
	reap(http);
}

static void timer_expired(void *data, uint64_t now)
{
	struct http *http = data;
	int running;

	(void)now;
	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(http);
}

static int socket_changed(CURL *easy, curl_socket_t fd, int what, void *data, void *own)
{
	struct http *http = data;
	uint32_t events = 0;

	(void)easy;
	(void)own;
	if (what == CURL_POLL_REMOVE) {
		loop_forget(http->loop, fd);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	loop_watch(http->loop, fd, events, socket_ready, http);
	return 0;
}

static int timer_changed(CURLM *multi, long ms, void *data)
{
	struct http *http = data;

	(void)multi;
	if (ms < 0)
		loop_disarm(http->loop, &http->timer);
	else
		loop_arm(http->loop, &http->timer, clock_monotonic() + msec((uint64_t)ms));
	return 0;
}

/* libcurl is woken here, at the first request, and not when the program starts: who has nothing to
 * ask does not pay for it. */
struct http *http_create(struct loop *loop, long kept_connections)
{
	struct http *http = mem_alloc(sizeof(*http));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    !(http->multi = curl_multi_init())) {
		log_error("libcurl cannot be initialised");
		exit(70);
	}
	http->loop = loop;
	http->timer.call = timer_expired;
	http->timer.data = http;
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, timer_changed);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, kept_connections);
	return http;
}

void http_destroy(struct http *http)
{
	curl_multi_cleanup(http->multi);
	loop_disarm(http->loop, &http->timer);
	curl_global_cleanup();
	free(http);
}

/* ---- a call ---- */

static void set_limits(CURL *easy, const char *agent)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, agent);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 16384L);
}

/* As OpenSSL's programs have it; libcurl itself looks only where it was told when it was built. */
static void trust(CURL *easy)
{
	const char *file = getenv("SSL_CERT_FILE"), *directory = getenv("SSL_CERT_DIR");

	if (file && *file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, file);
	if (directory && *directory)
		curl_easy_setopt(easy, CURLOPT_CAPATH, directory);
}

bool http_call_open(struct http_call *call, const char *agent)
{
	call->easy = curl_easy_init();
	if (!call->easy)
		return false;
	curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
	set_limits(call->easy, agent);
	trust(call->easy);
	return true;
}

void http_call_close(struct http_call *call)
{
	if (call->easy)
		curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->connect_to);
	call->easy = NULL;
	call->connect_to = NULL;
}

static void pin_address(struct http_call *call, const union address *address)
{
	char text[ADDRESS_TEXT + 2];
	char where[ADDRESS_TEXT];

	address_format(address, where);
	snprintf(text, sizeof(text), "::%s", where);
	curl_slist_free_all(call->connect_to);
	call->connect_to = curl_slist_append(NULL, text);
	curl_easy_setopt(call->easy, CURLOPT_CONNECT_TO, call->connect_to);
}

void http_call_begin(struct http *http, struct http_call *call, const union address *address)
{
	pin_address(call, address);
	call->active = true;
	curl_multi_add_handle(http->multi, call->easy);
}

void http_call_cancel(struct http *http, struct http_call *call)
{
	if (!call->active)
		return;
	curl_multi_remove_handle(http->multi, call->easy);
	call->active = false;
}
