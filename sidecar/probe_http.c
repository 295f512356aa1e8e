/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "clock.h"
#include "endpoint.h"
#include "http.h"
#include "mem.h"
#include "probe_curl.h"
#include "probe_grpc.h"
#include "text.h"
#include "version.h"

#define HEADER_MAX 65536 /* bytes of status lines and headers, interim answers included */
#define BODY_MAX   65536 /* bytes of body read before the connection is given up */
#define BODY_KEPT  4096  /* of them for who wants to see it */
#define HOPS_MAX   3     /* redirects followed */
#define LOST_MAX   5     /* answers that libcurl loses, before that is the verdict */

/* One exchange: libcurl's handle, used again and again by the check it belongs to. */
struct http_exchange {
	struct check *check;
	struct http_call call;
	struct curl_slist *headers;
	int given; /* the connected socket handed to libcurl; -1: none */
	unsigned hops, lost;
	char *url;      /* where the last redirect led; NULL */
	uint64_t begin; /* of the transfer */
	/* the answer, as far as it came */
	uint64_t first_time;  /* of its first byte; 0: none came */
	uint64_t answer_time; /* of the end of a final answer's header; 0: it has not come */
	unsigned status;
	size_t header_bytes, body_bytes;
	char *location;   /* NULL: none */
	struct text body; /* the beginning of it, where it matters */
	struct grpc_answer grpc;
	uint8_t request[GRPC_REQUEST_MAX];
	char said[CURL_ERROR_SIZE]; /* by libcurl, of what went wrong */
};

static bool is_success(unsigned status)
{
	return status >= 200 && status < 400; /* as kubelet has it */
}

/* ---- how far it came ---- */

static enum step step_of(const struct check *check)
{
	struct http_exchange *exchange = check->exchange;
	long made = 0;
	curl_off_t connected = 0, secured = 0;

	if (exchange->answer_time)
		return STEP_BODY;
	if (exchange->first_time)
		return STEP_STATUS;
	curl_easy_getinfo(exchange->call.easy, CURLINFO_NUM_CONNECTS, &made);
	curl_easy_getinfo(exchange->call.easy, CURLINFO_CONNECT_TIME_T, &connected);
	curl_easy_getinfo(exchange->call.easy, CURLINFO_APPCONNECT_TIME_T, &secured);
	if (check->direct && made && !connected)
		return STEP_CONNECT;
	if (check->probe->target.tls && made && !secured)
		return STEP_TLS;
	return STEP_FIRST_BYTE;
}

static void note_times(struct check *check)
{
	struct http_exchange *exchange = check->exchange;
	curl_off_t connected = 0, secured = 0;

	if (exchange->hops == 0) {
		curl_easy_getinfo(exchange->call.easy, CURLINFO_CONNECT_TIME_T, &connected);
		curl_easy_getinfo(exchange->call.easy, CURLINFO_APPCONNECT_TIME_T, &secured);
		if (connected > 0 && check->direct)
			check->done[STEP_CONNECT] = exchange->begin + (uint64_t)connected * 1000;
		if (secured > 0)
			check->done[STEP_TLS] = exchange->begin + (uint64_t)secured * 1000;
	}
	check->done[STEP_FIRST_BYTE] = exchange->first_time;
	check->done[STEP_STATUS] = exchange->answer_time;
}

/* ---- no final answer came ---- */

static void fail_connection(struct check *check, enum step step)
{
	long error = 0;

	curl_easy_getinfo(check->exchange->call.easy, CURLINFO_OS_ERRNO, &error);
	if (step == STEP_CONNECT)
		check_fail(check, FAULT_CONNECT, step, 0, "%s",
			   check_error_text(error ? (int)error : ECONNREFUSED));
	else /* what the number is left from is not known */
		check_fail(check, FAULT_RESPONSE, step, 0, "%s (%s)", check_error_text(ECONNRESET),
			   step_name(step));
}

static void fail_tls(struct check *check, CURLcode code)
{
	const char *text = "the handshake failed";

	if (code == CURLE_PEER_FAILED_VERIFICATION)
		text = tls_text(check->exchange->call.easy);
	else if (code == CURLE_SSL_CACERT_BADFILE)
		text = "no file of trusted certificates";
	check_fail(check, FAULT_TLS, STEP_TLS, 0, "tls: %s", text);
}

/* What libcurl says for an answer that is none. */
static const char *nonsense_text(struct check *check, CURLcode code)
{
	switch (code) {
	case CURLE_GOT_NOTHING:
		return check->probe->target.grpc ? "closed without an answer in HTTP/2"
						 : "closed without an answer";
	case CURLE_WRITE_ERROR:
	case CURLE_OUT_OF_MEMORY: /* of one line */
		return "the answer's header is too long";
	case CURLE_HTTP2:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return check->probe->target.grpc ? "the answer is not HTTP/2"
						 : "the answer is not HTTP";
	case CURLE_HTTP2_STREAM:
		return "the server reset the stream";
	default:
		return curl_easy_strerror(code);
	}
}

static void fail_exchange(struct check *check, CURLcode code)
{
	enum step step = step_of(check);

	switch (code) {
	case CURLE_COULDNT_CONNECT:
		fail_connection(check, STEP_CONNECT);
		break;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		fail_connection(check, step);
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		fail_tls(check, code);
		break;
	case CURLE_URL_MALFORMAT:
		check_fail(check, FAULT_RESOLVE, STEP_RESOLVE, 0, "not a URL");
		break;
	default:
		check_fail(check, FAULT_RESPONSE, step, 0, "%s", nonsense_text(check, code));
	}
}

/* The header came, the rest did not, or not as announced. */
static void fail_body(struct check *check, CURLcode code)
{
	static const char received[] = "Recv failure"; /* what libcurl calls the same otherwise is
							* a chunk that is none */
	const char *said = check->exchange->said;

	if (code == CURLE_RECV_ERROR && strncmp(said, received, strlen(received)) == 0)
		fail_connection(check, STEP_BODY);
	else if (code == CURLE_PARTIAL_FILE)
		check_fail(check, FAULT_RESPONSE, STEP_BODY, check->exchange->status,
			   "the answer was cut short (body)");
	else if (code == CURLE_HTTP2_STREAM || code == CURLE_HTTP2)
		check_fail(check, FAULT_RESPONSE, STEP_BODY, check->exchange->status, "%s",
			   nonsense_text(check, code));
	else
		check_fail(check, FAULT_RESPONSE, STEP_BODY, check->exchange->status,
			   "the body is not HTTP");
}

/* ---- the verdict ---- */

static void transfer_begin(struct check *check, const char *url);

static bool is_redirect(const struct http_exchange *exchange)
{
	unsigned status = exchange->status;

	return exchange->location &&
	       (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

/* On the same host, port and scheme it goes on; anything else is an answer of somebody else. */
static void follow(struct check *check)
{
	struct http_exchange *exchange = check->exchange;
	const char *from = exchange->url ? exchange->url : check->probe->target.url;
	char elsewhere[REDIRECT_TEXT];
	char *url = redirect_url(from, exchange->location, elsewhere);

	if (!url) {
		check_fail(check, FAULT_STATUS, STEP_STATUS, exchange->status, "redirects to %s",
			   elsewhere);
		return;
	}
	if (exchange->hops++ == HOPS_MAX) {
		free(url);
		check_fail(check, FAULT_STATUS, STEP_STATUS, exchange->status,
			   "more than %d redirects", HOPS_MAX);
		return;
	}
	http_cancel(check);
	free(exchange->url);
	exchange->url = url;
	transfer_begin(check, url);
}

static void conclude_grpc(struct check *check)
{
	struct http_exchange *exchange = check->exchange;
	const uint8_t *message = (const uint8_t *)exchange->body.data;
	char reason[GRPC_REASON] = "the server does not speak HTTP/2";
	enum grpc_verdict verdict = GRPC_NO_ANSWER;
	long version = 0;

	exchange->grpc.status = exchange->status;
	curl_easy_getinfo(exchange->call.easy, CURLINFO_HTTP_VERSION, &version);
	if (version == CURL_HTTP_VERSION_2_0)
		verdict = grpc_judge(&exchange->grpc, message, exchange->body.len, reason);
	if (verdict == GRPC_HEALTHY)
		check_succeed(check, exchange->status, exchange->answer_time);
	else if (verdict == GRPC_UNHEALTHY)
		check_fail(check, FAULT_STATUS, STEP_STATUS, exchange->status, "%s", reason);
	else
		check_fail(check, FAULT_RESPONSE, STEP_BODY, exchange->status, "%s", reason);
}

static void conclude(struct check *check)
{
	struct http_exchange *exchange = check->exchange;
	struct text *body = check->probe->spec.body;

	if (body && exchange->body.len) {
		body->len = 0;
		text_put_bytes(body, exchange->body.data, exchange->body.len);
	}
	if (check->probe->target.grpc)
		conclude_grpc(check);
	else if (!is_success(exchange->status))
		check_fail(check, FAULT_STATUS, STEP_STATUS, exchange->status, "status %u",
			   exchange->status);
	else if (is_redirect(exchange))
		follow(check);
	else
		check_succeed(check, exchange->status, exchange->answer_time);
}

void http_expire(struct check *check)
{
	struct http_exchange *exchange = check->exchange;

	note_times(check);
	if (exchange->answer_time && !check->probe->target.grpc && !is_success(exchange->status))
		conclude(check);
	else
		check_time_out(check, step_of(check));
}

static void exchange_begin(struct check *check);

/*
 * A server may answer before it has heard all, and then reset the stream, without an error: it
 * wants no more. libcurl 7.88 drops an answer that comes together with this reset while the
 * request's body is still to be sent, and has no words for what it then calls an error.
 */
static bool is_lost(const struct http_exchange *exchange, CURLcode code)
{
	return code == CURLE_HTTP2_STREAM && !exchange->answer_time && !exchange->said[0];
}

static void finished(void *data, CURLcode code)
{
	struct check *check = data;
	struct http_exchange *exchange = check->exchange;
	bool judged = exchange->answer_time &&
		      (!is_success(exchange->status) || exchange->body_bytes > BODY_MAX ||
		       exchange->grpc.code >= 0); /* which comes last */
	int64_t expiry = check->probe->target.tls ? tls_expiry(exchange->call.easy) : 0;

	if (expiry)
		probe_saw_certificate(check->probe, expiry);
	note_times(check);
	if (code == CURLE_COULDNT_CONNECT && check->direct && check->answer.count > 1 &&
	    exchange->hops == 0) {
		http_cancel(check); /* another of its addresses may work */
		check->phase = CHECK_CONNECT;
		tcp_begin(check);
	} else if (is_lost(exchange, code) && exchange->lost++ < LOST_MAX) {
		http_cancel(check);
		exchange_begin(check);
	} else if (!exchange->answer_time) {
		fail_exchange(check, code);
	} else if (code == CURLE_OK || judged) {
		check->done[STEP_BODY] = clock_monotonic();
		conclude(check);
	} else {
		fail_body(check, code);
	}
}

/* ---- libcurl's callbacks ---- */

/* The value of a Location header, without what surrounds it. */
static void take_location(struct http_exchange *exchange, const char *value, size_t len)
{
	while (len && (*value == ' ' || *value == '\t'))
		value++, len--;
	while (len && strchr(" \t\r\n", value[len - 1]))
		len--;
	free(exchange->location);
	exchange->location = mem_alloc(len + 1);
	memcpy(exchange->location, value, len);
}

/* One line of the header: the status line, a field, or the blank line at the end. */
static void take_line(struct http_exchange *exchange, const char *line, size_t len)
{
	static const char location[] = "location:";
	long status = 0;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* another answer after an interim one */
		free(exchange->location);
		exchange->location = NULL;
	} else if (len > strlen(location) && strncasecmp(line, location, strlen(location)) == 0) {
		take_location(exchange, line + strlen(location), len - strlen(location));
	} else if (*line == '\r' || *line == '\n') {
		curl_easy_getinfo(exchange->call.easy, CURLINFO_RESPONSE_CODE, &status);
		exchange->status = (unsigned)status;
		if (status >= 200)
			exchange->answer_time = clock_monotonic();
	}
}

static size_t take_header(char *line, size_t size, size_t count, void *data)
{
	struct http_exchange *exchange = data;
	size_t len = size * count;

	if (!exchange->first_time)
		exchange->first_time = clock_monotonic();
	exchange->header_bytes += len;
	if (exchange->header_bytes > HEADER_MAX)
		return 0;
	if (exchange->check->probe->target.grpc)
		grpc_take_line(&exchange->grpc, line, len);
	if (len && !exchange->answer_time)
		take_line(exchange, line, len);
	return len;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
	struct http_exchange *exchange = data;
	const struct probe *probe = exchange->check->probe;
	size_t len = size * count, room = 0;

	if (probe->target.grpc)
		room = GRPC_MESSAGE_MAX - exchange->body.len;
	else if (probe->spec.body)
		room = BODY_KEPT - exchange->body.len;
	if (room)
		text_put_bytes(&exchange->body, bytes, len < room ? len : room);
	exchange->body_bytes += len;
	return exchange->body_bytes > BODY_MAX ? 0 : len;
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

/* ---- an exchange ---- */

static void set_callbacks(struct http_exchange *exchange)
{
	CURL *easy = exchange->call.easy;

	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, socket_opened);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->said);
}

static struct http_exchange *exchange_create(struct check *check)
{
	struct http_exchange *exchange = mem_alloc(sizeof(*exchange));

	exchange->check = check;
	exchange->given = -1;
	exchange->call.done = finished;
	exchange->call.data = check;
	if (!http_call_open(&exchange->call, "muster-probe/" MUSTER_VERSION)) {
		free(exchange);
		return NULL;
	}
	set_callbacks(exchange);
	return exchange;
}

void http_exchange_free(struct http_exchange *exchange)
{
	if (!exchange)
		return;
	http_call_close(&exchange->call);
	curl_slist_free_all(exchange->headers);
	free(exchange->body.data);
	free(exchange->location);
	free(exchange->url);
	free(exchange);
}

static void transfer_begin(struct check *check, const char *url)
{
	struct http_exchange *exchange = check->exchange;

	free(exchange->location);
	exchange->location = NULL;
	exchange->first_time = exchange->answer_time = 0;
	exchange->header_bytes = exchange->body_bytes = exchange->body.len = 0;
	exchange->grpc = (struct grpc_answer){.code = -1};
	exchange->said[0] = '\0';
	exchange->begin = clock_monotonic();
	curl_easy_setopt(exchange->call.easy, CURLOPT_URL, url);
	http_call_begin(check_http(check), &exchange->call,
			&check->answer.list[check->direct ? 0 : check->attempt]);
}

static void add_header(struct http_exchange *exchange, const char *text)
{
	exchange->headers = curl_slist_append(exchange->headers, text);
}

static void keep_connections(struct http_exchange *exchange, bool keep)
{
	curl_easy_setopt(exchange->call.easy, CURLOPT_FRESH_CONNECT, keep ? 0L : 1L);
	curl_easy_setopt(exchange->call.easy, CURLOPT_FORBID_REUSE, keep ? 0L : 1L);
}

/* The service is the path of grpc://HOST:PORT/SERVICE. False: the check has failed. */
static bool prepare_grpc(struct check *check)
{
	struct http_exchange *exchange = check->exchange;
	const struct target *target = &check->probe->target;
	const char *service = strchr(strstr(target->url, "://") + 3, '/');
	char timeout[40];
	size_t size = grpc_request(exchange->request, service ? service + 1 : "");

	if (!size) {
		check_fail(check, FAULT_RESOLVE, STEP_RESOLVE, 0, "the service's name is too long");
		return false;
	}
	if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2)) {
		check_fail(check, FAULT_CONNECT, STEP_CONNECT, 0,
			   "the libcurl of this machine has no HTTP/2");
		return false;
	}
	snprintf(timeout, sizeof(timeout), "grpc-timeout: %um", check->probe->spec.timeout_ms);
	add_header(exchange, "Content-Type: application/grpc");
	add_header(exchange, "TE: trailers");
	add_header(exchange, timeout);
	/* libcurl 7.88 keeps a connection of HTTP/2 without TLS, and the next request on it fails
	 */
	keep_connections(exchange, false);
	curl_easy_setopt(exchange->call.easy, CURLOPT_POST, 1L);
	curl_easy_setopt(exchange->call.easy, CURLOPT_POSTFIELDS, (char *)exchange->request);
	curl_easy_setopt(exchange->call.easy, CURLOPT_POSTFIELDSIZE, (long)size);
	curl_easy_setopt(exchange->call.easy, CURLOPT_HTTP_VERSION,
			 target->tls ? (long)CURL_HTTP_VERSION_2TLS
				     : (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
	return true;
}

static void prepare_get(struct http_exchange *exchange)
{
	keep_connections(exchange, true);
	curl_easy_setopt(exchange->call.easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(exchange->call.easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

static void exchange_begin(struct check *check)
{
	struct http_exchange *exchange = check->exchange;
	const struct target *target = &check->probe->target;
	char where[ENDPOINT_SIZE], url[ENDPOINT_SIZE + sizeof("https://" GRPC_PATH)];

	exchange->given = -1;
	exchange->hops = 0;
	free(exchange->url);
	exchange->url = NULL;
	curl_slist_free_all(exchange->headers);
	exchange->headers = NULL;
	if (!target->grpc)
		prepare_get(exchange);
	else if (!prepare_grpc(check))
		return;
	curl_easy_setopt(exchange->call.easy, CURLOPT_HTTPHEADER, exchange->headers);
	snprintf(url, sizeof(url), "%s://%s" GRPC_PATH, target->tls ? "https" : "http",
		 endpoint_format(where, target->host, target->port));
	transfer_begin(check, target->grpc ? url : target->url);
}

void http_begin(struct check *check)
{
	if (!check->exchange)
		check->exchange = exchange_create(check);
	if (!check->exchange) {
		check_fail(check, FAULT_RESPONSE, STEP_FIRST_BYTE, 0, "out of memory");
		return;
	}
	check->exchange->lost = 0;
	exchange_begin(check);
}

void http_cancel(struct check *check)
{
	struct http_exchange *exchange = check->exchange;

	if (exchange && exchange->call.active)
		http_call_cancel(check_http(check), &exchange->call);
}
