/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "http.h"
#include "mem.h"
#include "version.h"

#define HEADER_MAX 65536 /* bytes of status lines and headers, interim answers included */
#define BODY_MAX   65536 /* bytes of body read before the connection is given up */

/* One exchange: libcurl's handle, used again and again by the check it belongs to. */
struct http_exchange {
	struct check *check;
	struct http_call call;
	int given;     /* the connected socket handed to libcurl; -1: none */
	bool answered; /* a final answer's header is complete: `status`, `answer_time` */
	unsigned status;
	uint64_t answer_time;
	size_t header_bytes, body_bytes;
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

	curl_easy_getinfo(check->exchange->call.easy, CURLINFO_OS_ERRNO, &error);
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
		check_fail(check, FAULT_TLS, 0, "tls: %s", tls_text(exchange->call.easy));
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
	CURL *easy = check->exchange->call.easy;
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

static void finished(void *data, CURLcode code)
{
	struct check *check = data;

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
	curl_easy_getinfo(exchange->call.easy, CURLINFO_RESPONSE_CODE, &status);
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
	free(exchange);
}

void http_begin(struct check *check)
{
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
	curl_easy_setopt(exchange->call.easy, CURLOPT_URL, check->probe->target.url);
	http_call_begin(check_http(check), &exchange->call,
			&check->answer.list[check->direct ? 0 : check->attempt]);
}

void http_cancel(struct check *check)
{
	struct http_exchange *exchange = check->exchange;

	if (exchange && exchange->call.active)
		http_call_cancel(check_http(check), &exchange->call);
}
