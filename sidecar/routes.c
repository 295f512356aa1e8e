/* SPDX-License-Identifier: MIT */
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "handlers.h"
#include "hosts.h"
#include "mem.h"
#include "sidecar.h"
#include "strict.h"

/* The first two are those that is_plain_yes knows. */
static const struct route {
	const char *path; /* one that ends in '/' (but for / itself) takes what follows */
	route_handler *call;
} table[] = {
	{"/livez", health_live},
	{"/readyz", health_ready},
	{"/readyz/", health_ready_one},
	{"/startupz", health_startup},
	{"/health", health_report},
	{"/status", status_report},
	{"/metrics", metrics_report},
	{"/events", events_report},
	{"/fleet", fleet_report},
	{"/resolve", resolve_report},
	{"/resolve/", resolve_report_one},
	{"/timeline", startup_report},
	{"/timeline.svg", startup_picture},
	{"/", page_report},
};
#define ROUTES (sizeof(table) / sizeof(table[0]))
#define OTHER  ROUTES /* counted under this number: a path that is none of ours */

/* The statuses we answer with; libmicrohttpd's own refusals are not counted. */
static const unsigned statuses[] = {200, 304, 400, 404, 405, 413, 421, 503};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

struct routes {
	struct sidecar *sidecar;
	struct hosts *hosts;
	struct MHD_Response *live; /* /livez, made once a second because of its Date */
	time_t live_time;
	uint64_t counts[ROUTES + 1][STATUSES];
};

/* ---- replies ---- */

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	MHD_add_response_header(response, name, value);
}

/* As RFC 9110 wants it, in English whatever the locale. */
static const char *http_date(time_t time, char *buffer, size_t size)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm;

	gmtime_r(&time, &tm);
	snprintf(buffer, size, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
		 tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		 tm.tm_sec);
	return buffer;
}

static void add_headers(struct MHD_Response *response, const struct reply *reply)
{
	char cache[32] = "no-store", number[16];

	if (reply->max_age)
		snprintf(cache, sizeof(cache), "max-age=%u", reply->max_age);
	if (reply->status != 304) /* of what it has the client knows the type */
		add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
	add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache);
	if (reply->vary)
		add_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
	add_header(response, "X-Content-Type-Options", "nosniff");
	if (reply->etag[0])
		add_header(response, MHD_HTTP_HEADER_ETAG, reply->etag);
	if (reply->policy[0])
		add_header(response, "Content-Security-Policy", reply->policy);
	if (reply->status == 405)
		add_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (reply->retry_after) {
		snprintf(number, sizeof(number), "%u", reply->retry_after);
		add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, number);
	}
}

/* The response takes the body over. */
static struct MHD_Response *make_response(struct reply *reply)
{
	struct MHD_Response *response = reply->response;

	if (response) {
		add_headers(response, reply);
		return response;
	}
	text_put(&reply->body, "");
	response = MHD_create_response_from_buffer(reply->body.len, reply->body.data,
						   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(reply->body.data);
		return NULL;
	}
	add_headers(response, reply);
	return response;
}

static void count(struct routes *routes, size_t route, unsigned status)
{
	for (size_t i = 0; i < STATUSES; i++)
		if (statuses[i] == status)
			routes->counts[route][i]++;
}

static enum MHD_Result send_reply(struct routes *routes, struct MHD_Connection *connection,
				  size_t route, struct reply *reply)
{
	struct MHD_Response *response = make_response(reply);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	count(routes, route, reply->status);
	result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static void start_reply(struct reply *reply, unsigned status)
{
	memset(reply, 0, sizeof(*reply));
	reply->status = status;
	reply->type = "text/plain; charset=utf-8";
}

/* Every refusal: one status, one line that says what would be right. */
static enum MHD_Result send_error(struct routes *routes, struct MHD_Connection *connection,
				  unsigned status, const char *line)
{
	struct reply reply;

	start_reply(&reply, status);
	text_put(&reply.body, line);
	return send_reply(routes, connection, OTHER, &reply);
}

/* ---- requests ---- */

static bool find_value(struct MHD_Connection *connection, enum MHD_ValueKind kind, const char *name,
		       const char **value)
{
	size_t len;

	return MHD_lookup_connection_value_n(connection, kind, name, strlen(name), value, &len) ==
	       MHD_YES;
}

bool request_has(const struct request *request, const char *etag)
{
	const char *value;

	if (!find_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH,
			&value))
		return false;
	/* weak comparison: whether W/ stands before a tag is of no account */
	return value && (strcmp(value, "*") == 0 || strstr(value, strchr(etag, '"')));
}

bool request_asks(const struct request *request, const char *word)
{
	const char *value;

	return find_value(request->connection, MHD_GET_ARGUMENT_KIND, word, &value);
}

enum MHD_Result routes_refuse(struct routes *routes, struct MHD_Connection *connection,
			      const char *method, const struct head *head)
{
	if (!head->whole)
		return send_error(routes, connection, 400, "this is not HTTP to the letter\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return send_error(routes, connection, 405, "only GET and HEAD are answered here\n");
	if (head->body)
		return send_error(routes, connection, 413, "a request has no body here\n");
	return MHD_YES;
}

static size_t find_route(const char *path, const char **rest)
{
	for (size_t i = 0; i < ROUTES; i++) {
		size_t len = strlen(table[i].path);

		if (strcmp(path, table[i].path) == 0)
			return i;
		if (len > 1 && table[i].path[len - 1] == '/' &&
		    strncmp(path, table[i].path, len) == 0) {
			*rest = path + len;
			return i;
		}
	}
	return OTHER;
}

static enum MHD_Result answer_route(struct routes *routes, struct MHD_Connection *connection,
				    const char *method, const char *path, bool verbose)
{
	struct request request = {
		.sidecar = routes->sidecar,
		.connection = connection,
		.rest = "",
		.head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0,
		.verbose = verbose,
	};
	size_t route = find_route(path, &request.rest);
	struct reply reply;

	if (route == OTHER)
		return send_error(routes, connection, 404, "there is nothing at this path\n");
	start_reply(&reply, 200);
	table[route].call(&request, &reply);
	return send_reply(routes, connection, route, &reply);
}

/* These are asked more often than anything else, and a yes is the same for a second. */
static struct MHD_Response *live_response(struct routes *routes)
{
	struct request request = {.sidecar = routes->sidecar, .rest = ""};
	time_t now = time(NULL);
	struct MHD_Response *response;
	struct reply reply;
	char date[64];

	if (now == routes->live_time && routes->live)
		return routes->live;
	start_reply(&reply, 200);
	health_live(&request, &reply);
	response = make_response(&reply);
	if (!response)
		return routes->live;
	add_header(response, MHD_HTTP_HEADER_DATE, http_date(now, date, sizeof(date)));
	if (routes->live)
		MHD_destroy_response(routes->live); /* answers under way keep theirs */
	routes->live = response;
	routes->live_time = now;
	return response;
}

/* Whether the answer is no more than a yes; the route is then one of the first two of the table. */
static bool is_plain_yes(const struct routes *routes, const char *path, size_t *route)
{
	for (*route = 0; *route < 2; ++*route)
		if (strcmp(path, table[*route].path) == 0)
			break;
	if (*route == 1)
		return health_all_ready(routes->sidecar);
	return *route == 0;
}

struct target_host {
	char name[256]; /* a name of DNS, or an address, and a port */
};

/*
 * Where the path begins in a request's target. That may be a whole URL, which says the host as
 * well, and Host is to be ignored then (RFC 9112, 3.2.2).
 */
static const char *path_of(const char *target, struct target_host *host, const char **asked)
{
	static const char scheme[] = "http://";
	const char *authority = target + sizeof(scheme) - 1;
	size_t len;

	if (strncasecmp(target, scheme, sizeof(scheme) - 1) != 0)
		return target;
	len = strcspn(authority, "/");
	snprintf(host->name, sizeof(host->name), "%.*s", (int)len, authority);
	*asked = len < sizeof(host->name) ? host->name : "";
	return authority[len] ? authority + len : "/";
}

enum MHD_Result routes_answer(struct routes *routes, struct MHD_Connection *connection,
			      const char *method, const char *target, const struct head *head)
{
	struct target_host of_target;
	const char *host = head->host;
	const char *path = path_of(target, &of_target, &host);
	const char *value;
	size_t route;

	/* HTTP/1.0 knows no Host; 1.1 without was refused */
	if (host && !hosts_allow(routes->hosts, host))
		return send_error(routes, connection, 421,
				  "this server is not known by the name in Host\n");
	if (head->query)
		return answer_route(
			routes, connection, method, path,
			find_value(connection, MHD_GET_ARGUMENT_KIND, "verbose", &value));
	if (!is_plain_yes(routes, path, &route))
		return answer_route(routes, connection, method, path, false);
	routes->counts[route][0]++;
	return MHD_queue_response(connection, 200, live_response(routes));
}

void routes_counts(const struct routes *routes, routes_count *call, void *data)
{
	for (size_t route = 0; route <= ROUTES; route++)
		for (size_t i = 0; i < STATUSES; i++)
			if (routes->counts[route][i])
				call(data, route == OTHER ? "other" : table[route].path,
				     statuses[i], routes->counts[route][i]);
}

struct routes *routes_create(struct sidecar *sidecar, struct hosts *hosts)
{
	struct routes *routes = mem_alloc(sizeof(*routes));

	routes->sidecar = sidecar;
	routes->hosts = hosts;
	if (live_response(routes))
		return routes;
	free(routes);
	return NULL;
}

void routes_destroy(struct routes *routes)
{
	MHD_destroy_response(routes->live);
	free(routes);
}
