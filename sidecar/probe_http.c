/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "version.h"

#define HEADER_MAX 65536 /* bytes of status lines and headers, interim answers included */
#define BODY_MAX   65536 /* bytes of body read before the connection is given up */

/* One exchange: libcurl's handle, used again and again by the check it belongs to. */
struct http_exchange {
	struct check *check;
	CURL *easy;
	struct curl_slist *connect_to;
	int given;     /* the connected socket handed to libcurl; -1: none */
	bool active;   /* added to the multi handle */
	bool answered; /* a final answer's header is complete: `status`, `answer_time` */
	unsigned status;
	uint64_t answer_time;
	size_t header_bytes, body_bytes;
};

struct http {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer timer;
};

/* ---- the verdict ---- */

/* As kubelet has it: a redirect is an answer, too; where it leads is not looked at. */
static void conclude(struct check *check)
{
	struct http_exchange *exchange = check->exchange;
	unsigned status = exchange->status;

	if (status >= 200 && status < 400)
		check_succeed(check, status, exchange->answer_time);
	else
		check_fail(check, FAULT_STATUS, status, "status %u", status);
}

static const char *tls_text(CURL *easy)
{
	long result = 0;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
	switch (result) { /* numbers of OpenSSL's X509_V_ERR_ */
	case 9:
		return "the certificate is not valid yet";
	case 10:
		return "the certificate has expired";
	case 18:
	case 19:
		return "the certificate is self-signed";
	case 2:
	case 20:
	case 21:
		return "the certificate's issuer is not known";
	case 0:
		return "the certificate is for another name";
	default:
		return "the certificate is not accepted";
	}
}

static void fail_connection(struct check *check, const char *when)
{
	long error = 0;

	curl_easy_getinfo(check->exchange->easy, CURLINFO_OS_ERRNO, &error);
	if (when)
		check_fail(check, FAULT_RESPONSE, 0, "%s (%s)",
			   check_error_text(error ? (int)error : ECONNRESET), when);
	else
		check_fail(check, FAULT_CONNECT, 0, "%s",
			   check_error_text(error ? (int)error : ECONNREFUSED));
}

/* No final answer came. */
static void fail_exchange(struct check *check, CURLcode code)
{
	struct http_exchange *exchange = check->exchange;

	switch (code) {
	case CURLE_COULDNT_CONNECT:
		fail_connection(check, NULL);
		break;
	case CURLE_GOT_NOTHING:
		check_fail(check, FAULT_RESPONSE, 0, "closed without an answer");
		break;
	case CURLE_SEND_ERROR:
		fail_connection(check, "request");
		break;
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		fail_connection(check, "answer");
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
		check_fail(check, FAULT_TLS, 0, "tls: %s", tls_text(exchange->easy));
		break;
	case CURLE_SSL_CONNECT_ERROR:
		check_fail(check, FAULT_TLS, 0, "tls: the handshake failed");
		break;
	case CURLE_SSL_CACERT_BADFILE:
		check_fail(check, FAULT_TLS, 0, "tls: no file of trusted certificates");
		break;
	case CURLE_URL_MALFORMAT:
		check_fail(check, FAULT_RESOLVE, 0, "not a URL");
		break;
	case CURLE_WRITE_ERROR:
		check_fail(check, FAULT_RESPONSE, 0, "the answer's header is too long");
		break;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		check_fail(check, FAULT_RESPONSE, 0, "the answer is not HTTP");
		break;
	default:
		check_fail(check, FAULT_RESPONSE, 0, "%s", curl_easy_strerror(code));
	}
}

static const char *phase_of(const struct check *check)
{
	CURL *easy = check->exchange->easy;
	long made = 0;
	curl_off_t connected = 0, secured = 0;

	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &made);
	curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
	curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &secured);
	if (check->direct && made && !connected)
		return "connect";
	if (check->probe->target.tls && made && !secured)
		return "tls";
	return "answer";
}

void http_expire(struct check *check)
{
	if (check->exchange->answered)
		conclude(check);
	else
		check_time_out(check, phase_of(check));
}

static void finished(struct check *check, CURLcode code)
{
	if (check->exchange->answered) {
		conclude(check);
	} else if (code == CURLE_COULDNT_CONNECT && check->direct && check->answer.count > 1) {
		http_cancel(check); /* another of its addresses may work */
		check->phase = CHECK_CONNECT;
		tcp_begin(check);
	} else {
		fail_exchange(check, code);
	}
}

/* ---- libcurl's callbacks ---- */

static size_t take_header(char *line, size_t size, size_t count, void *data)
{
	struct http_exchange *exchange = data;
	size_t len = size * count;
	long status = 0;

	exchange->header_bytes += len;
	if (exchange->header_bytes > HEADER_MAX)
		return 0;
	if (exchange->answered || (*line != '\r' && *line != '\n'))
		return len;
	curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200)
		return len; /* the blank line after an interim answer */
	exchange->answered = true;
	exchange->status = (unsigned)status;
	exchange->answer_time = clock_monotonic();
	return len;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
	struct http_exchange *exchange = data;

	(void)bytes;
	exchange->body_bytes += size * count;
	return exchange->body_bytes > BODY_MAX ? 0 : size * count;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_exchange *exchange = data;
	int fd = exchange->check->fd;

	(void)purpose;
	if (fd >= 0) { /* libcurl owns it from here */
		exchange->check->fd = -1;
		exchange->given = fd;
		return fd;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
		      address->protocol);
}

static int socket_opened(void *data, curl_socket_t fd, curlsocktype purpose)
{
	struct http_exchange *exchange = data;

	(void)purpose;
	if (fd != exchange->given)
		return CURL_SOCKOPT_OK;
	exchange->given = -1;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* ---- libcurl in the loop ---- */

static void reap(struct http *http)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		CURLcode code = message->data.result;
		char *data = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data);
		finished(((struct http_exchange *)(void *)data)->check, code);
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

/* libcurl is woken here, at the first HTTP check, and not when the program starts: who has no
 * such probe does not pay for it. */
struct http *http_create(struct loop *loop)
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
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CHECKS_MAX);
	return http;
}

void http_destroy(struct http *http)
{
	curl_multi_cleanup(http->multi);
	loop_disarm(http->loop, &http->timer);
	curl_global_cleanup();
	free(http);
}

/* ---- an exchange ---- */

static void set_callbacks(struct http_exchange *exchange)
{
	CURL *easy = exchange->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, socket_opened);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, exchange);
}

static void set_limits(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "muster-probe/" MUSTER_VERSION);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 16384L);
}

static struct http_exchange *exchange_create(struct check *check)
{
	struct http_exchange *exchange = mem_alloc(sizeof(*exchange));

	exchange->check = check;
	exchange->given = -1;
	exchange->easy = curl_easy_init();
	if (!exchange->easy) {
		free(exchange);
		return NULL;
	}
	set_callbacks(exchange);
	set_limits(exchange->easy);
	return exchange;
}

void http_exchange_free(struct http_exchange *exchange)
{
	if (!exchange)
		return;
	curl_easy_cleanup(exchange->easy);
	curl_slist_free_all(exchange->connect_to);
	free(exchange);
}

/* Whatever host and port the URL has, the connection goes to the address that was resolved. */
static void pin_address(struct http_exchange *exchange, const union address *address)
{
	char text[ADDRESS_TEXT + 2];
	char where[ADDRESS_TEXT];

	address_format(address, where);
	snprintf(text, sizeof(text), "::%s", where);
	curl_slist_free_all(exchange->connect_to);
	exchange->connect_to = curl_slist_append(NULL, text);
	curl_easy_setopt(exchange->easy, CURLOPT_CONNECT_TO, exchange->connect_to);
}

void http_begin(struct check *check)
{
	struct http *http = check_http(check);
	struct http_exchange *exchange = check->exchange;

	if (!exchange)
		check->exchange = exchange = exchange_create(check);
	if (!exchange) {
		check_fail(check, FAULT_RESPONSE, 0, "out of memory");
		return;
	}
	exchange->answered = false;
	exchange->given = -1;
	exchange->header_bytes = exchange->body_bytes = 0;
	curl_easy_setopt(exchange->easy, CURLOPT_URL, check->probe->target.url);
	pin_address(exchange, &check->answer.list[check->direct ? 0 : check->attempt]);
	exchange->active = true;
	curl_multi_add_handle(http->multi, exchange->easy);
}

void http_cancel(struct check *check)
{
	struct http_exchange *exchange = check->exchange;

	if (!exchange || !exchange->active)
		return;
	curl_multi_remove_handle(check_http(check)->multi, exchange->easy);
	exchange->active = false;
}
