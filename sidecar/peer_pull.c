/* SPDX-License-Identifier: MIT */
#include "peer_pull.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check.h"
#include "clock.h"
#include "http.h"
#include "loop.h"
#include "mem.h"
#include "peer_json.h"
#include "resolve.h"
#include "version.h"

struct pull {
	struct puller *puller;
	bool used;
	pull_done *done;
	void *data;
	struct target target;
	bool conditional; /* an ETag was sent */
	struct lookup lookup;
	struct answer answer; /* with the port in each address */
	unsigned attempt;     /* index in it */
	struct loop_timer deadline;
	struct http_call call;
	struct curl_slist *headers;
	/* what came */
	const char *refused; /* why no more of it is wanted; NULL */
	char etag[ETAG_SIZE];
	size_t head_bytes;
	char *body; /* with a NUL behind it; NULL: nothing yet */
	size_t len, room;
};

struct puller {
	struct loop *loop;
	struct resolver *resolver;
	struct http *http; /* NULL until the first request */
	unsigned running;
	struct pull pulls[PULLS_MAX];
};

/* ---- the end ---- */

static void release(struct pull *pull)
{
	lookup_cancel(&pull->lookup);
	if (pull->call.active)
		http_call_cancel(pull->puller->http, &pull->call);
	loop_disarm(pull->puller->loop, &pull->deadline);
	target_free(&pull->target);
	curl_slist_free_all(pull->headers);
	pull->headers = NULL;
	pull->used = false;
	pull->puller->running--;
}

/* What it holds is handed over; the place is free before that, as another pull may begin then. */
static void finish(struct pull *pull, struct pulled *pulled)
{
	pull_done *done = pull->done;
	void *data = pull->data, *body = pull->body;
	char etag[ETAG_SIZE];

	memcpy(etag, pull->etag, sizeof(etag));
	pulled->etag = etag;
	pulled->received = pull->head_bytes + pull->len;
	release(pull);
	pull->body = NULL;
	pull->len = pull->room = 0;
	done(data, pulled);
	free(body);
}

static void fail(struct pull *pull, const char *error)
{
	finish(pull, &(struct pulled){.error = error});
}

static void deadline_passed(void *data, uint64_t now)
{
	struct pull *pull = data;

	(void)now;
	fail(pull, pull->call.active ? "timed out" : "timed out (its name)");
}

/* ---- what came ---- */

static const char *code_text(const struct pull *pull, CURLcode code)
{
	long error = 0;

	if (pull->refused)
		return pull->refused;
	curl_easy_getinfo(pull->call.easy, CURLINFO_OS_ERRNO, &error);
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return check_error_text(error ? (int)error : ECONNREFUSED);
	case CURLE_OPERATION_TIMEDOUT:
		return "timed out (connect)";
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return check_error_text(error ? (int)error : ECONNRESET);
	case CURLE_GOT_NOTHING:
		return "closed without an answer";
	case CURLE_PARTIAL_FILE:
		return "the answer is cut short";
	case CURLE_FILESIZE_EXCEEDED:
		return "the answer is longer than 1 MiB";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "its certificate is not accepted";
	case CURLE_SSL_CONNECT_ERROR:
		return "the TLS handshake failed";
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return "the answer is not HTTP";
	default:
		return curl_easy_strerror(code);
	}
}

static void conclude(struct pull *pull)
{
	char text[PULL_ERROR_SIZE];
	long status = 0;

	curl_easy_getinfo(pull->call.easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 304 && pull->conditional) {
		finish(pull, &(struct pulled){.same = true});
	} else if (status == 304) {
		fail(pull, "status 304 though it has sent nothing before");
	} else if (status >= 300 && status < 400) {
		snprintf(text, sizeof(text), "status %ld: it wants to send us elsewhere", status);
		fail(pull, text);
	} else if (status != 200) {
		snprintf(text, sizeof(text), "status %ld", status);
		fail(pull, text);
	} else if (!pull->body) {
		fail(pull, "the answer is empty");
	} else {
		finish(pull, &(struct pulled){.body = pull->body, .len = pull->len});
	}
}

static void begin_call(struct pull *pull);

static void call_done(void *data, CURLcode code)
{
	struct pull *pull = data;

	if (code == CURLE_OK) {
		conclude(pull);
	} else if ((code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT) &&
		   !pull->head_bytes && pull->attempt + 1 < pull->answer.count) {
		http_call_cancel(pull->puller->http, &pull->call);
		pull->attempt++;
		begin_call(pull);
	} else {
		fail(pull, code_text(pull, code));
	}
}

/* Another answer begins: an interim one is behind us, and what it said does not count. */
static void take_etag(struct pull *pull, const char *line, size_t len)
{
	static const char name[] = "etag:";
	size_t skip = sizeof(name) - 1;

	if (len > 5 && strncasecmp(line, "HTTP/", 5) == 0)
		pull->etag[0] = '\0';
	if (len <= skip || strncasecmp(line, name, skip) != 0)
		return;
	while (skip < len && line[skip] == ' ')
		skip++;
	while (len > skip && (unsigned char)line[len - 1] <= ' ')
		len--;
	for (size_t i = skip; i < len; i++)
		if (line[i] < 0x21 || line[i] > 0x7e)
			return;
	if (len - skip < sizeof(pull->etag)) {
		memcpy(pull->etag, line + skip, len - skip);
		pull->etag[len - skip] = '\0';
	}
}

static size_t take_header(char *line, size_t size, size_t count, void *data)
{
	struct pull *pull = data;
	size_t len = size * count;

	pull->head_bytes += len;
	if (pull->head_bytes > PULL_HEAD_MAX) {
		pull->refused = "the answer's head is too long";
		return 0;
	}
	take_etag(pull, line, len);
	return len;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *data)
{
	struct pull *pull = data;
	size_t len = size * count;

	if (pull->len + len > PEER_BODY_MAX) {
		pull->refused = "the answer is longer than 1 MiB";
		return 0;
	}
	if (pull->len + len + 1 > pull->room) {
		pull->room = (pull->len + len + 1) * 2;
		pull->body = mem_resize(pull->body, pull->room, 1);
	}
	memcpy(pull->body + pull->len, bytes, len);
	pull->len += len;
	pull->body[pull->len] = '\0';
	return len;
}

/* ---- a request ---- */

static bool open_call(struct pull *pull)
{
	CURL *easy;

	if (pull->call.easy)
		return true;
	pull->call.done = call_done;
	pull->call.data = pull;
	if (!http_call_open(&pull->call, "muster-peer/" MUSTER_VERSION))
		return false;
	easy = pull->call.easy;
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, pull);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, pull);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)PULL_CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)PEER_BODY_MAX);
	return true;
}

static void begin_call(struct pull *pull)
{
	struct puller *puller = pull->puller;

	curl_easy_setopt(pull->call.easy, CURLOPT_URL, pull->target.url);
	curl_easy_setopt(pull->call.easy, CURLOPT_HTTPHEADER, pull->headers);
	http_call_begin(puller->http, &pull->call, &pull->answer.list[pull->attempt]);
}

static void resolved(void *data, const struct answer *answer)
{
	struct pull *pull = data;
	unsigned kept = 0;

	if (answer != &pull->answer)
		pull->answer = *answer;
	if (pull->answer.error) {
		fail(pull, pull->answer.error);
		return;
	}
	for (unsigned i = 0; i < pull->answer.count; i++) {
		union address *address = &pull->answer.list[i];

		if (address_is_refused(address))
			continue;
		address_set_port(address, pull->target.port);
		pull->answer.list[kept++] = *address;
	}
	pull->answer.count = kept;
	if (!kept)
		fail(pull, "an address of this link only is not asked");
	else
		begin_call(pull);
}

static void make_headers(struct pull *pull, const char *etag)
{
	char line[ETAG_SIZE + 32];

	pull->headers = curl_slist_append(NULL, "Accept: application/json");
	pull->conditional = etag[0] && pull->headers;
	if (!pull->conditional)
		return;
	snprintf(line, sizeof(line), "If-None-Match: %s", etag);
	curl_slist_append(pull->headers, line);
}

static struct pull *take_place(struct puller *puller)
{
	struct pull *pull = puller->pulls;

	while (pull->used)
		pull++;
	pull->used = true;
	puller->running++;
	pull->attempt = 0;
	pull->refused = NULL;
	pull->etag[0] = '\0';
	pull->head_bytes = 0;
	pull->answer.error = NULL;
	return pull;
}

void pull_begin(struct puller *puller, const char *url, const char *etag, pull_done *done,
		void *data)
{
	struct pull *pull = take_place(puller);
	bool good = target_parse(&pull->target, url) && pull->target.http;

	pull->done = done;
	pull->data = data;
	if (!puller->http)
		puller->http = http_create(puller->loop, PULL_KEPT_MAX);
	if (!good || !open_call(pull)) {
		fail(pull, good ? "out of memory" : "its URL cannot be asked");
		return;
	}
	make_headers(pull, etag);
	loop_arm(puller->loop, &pull->deadline, clock_monotonic() + msec(PULL_TIMEOUT_MS));
	if (pull->target.numeric) {
		pull->answer.count = 1;
		pull->answer.list[0] = pull->target.address;
		resolved(pull, &pull->answer);
	} else if (lookup_begin(puller->resolver, &pull->lookup, pull->target.host,
				&pull->answer)) {
		resolved(pull, &pull->answer);
	}
}

void pull_cancel(struct puller *puller, const void *data)
{
	for (int i = 0; i < PULLS_MAX; i++) {
		struct pull *pull = &puller->pulls[i];

		if (!pull->used || pull->data != data)
			continue;
		release(pull);
		free(pull->body);
		pull->body = NULL;
		pull->len = pull->room = 0;
	}
}

bool puller_has_room(const struct puller *puller)
{
	return puller->running < PULLS_MAX;
}

struct puller *puller_create(struct loop *loop, struct resolver *resolver)
{
	struct puller *puller = mem_alloc(sizeof(*puller));

	puller->loop = loop;
	puller->resolver = resolver;
	for (int i = 0; i < PULLS_MAX; i++) {
		struct pull *pull = &puller->pulls[i];

		pull->puller = puller;
		pull->deadline.call = deadline_passed;
		pull->deadline.data = pull;
		pull->lookup.call = resolved;
		pull->lookup.data = pull;
	}
	return puller;
}

/* Nothing is under way any more. */
void puller_destroy(struct puller *puller)
{
	for (int i = 0; i < PULLS_MAX; i++)
		http_call_close(&puller->pulls[i].call);
	if (puller->http)
		http_destroy(puller->http);
	free(puller);
}
