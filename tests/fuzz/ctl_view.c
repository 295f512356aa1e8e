/* SPDX-License-Identifier: MIT */
/*
 * A byte that chooses a verb of musterctl, then a status page in a short form, which a broken init
 * may have left: any states, flags, times, causes and edges, names with any bytes. What the verb
 * prints of it is harmless on a terminal, and its JSON is JSON; it ends with one of its exit codes.
 */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arena.h"
#include "folder.h"
#include "json.h"
#include "log.h"
#include "printed.h"
#include "status.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS   12
#define EDGES     24
#define ARGUMENTS 4 /* with a NULL behind them */

static char dir[FOLDER_SIZE];
static int file = -1;
static bool gone; /* nobody listens; else it cannot be told whether somebody does */

/* main.c, which has the real one, is not part of the archive. */
void ctl_print_help(void)
{
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
	(void)fd;
	(void)address;
	(void)size;
	errno = gone ? ECONNREFUSED : EACCES;
	return -1;
}

static const struct {
	verb_function *run;
	char *arguments[ARGUMENTS];
	bool json;
} verbs[] = {
	{verb_status, {NULL}, false},
	{verb_status, {"--json"}, true},
	{verb_status, {"web", "db"}, false},
	{verb_health, {"--ready"}, false},
	{verb_health, {"--startup"}, false},
	{verb_graph, {NULL}, false},
	{verb_graph, {"--format=dot"}, false},
	{verb_graph, {"--format=mermaid"}, false},
	{verb_timeline, {NULL}, false},
	{verb_timeline, {"--format=json"}, true},
	{verb_timeline, {"--format=svg"}, false},
};

/* ---- the page ---- */

static void remove_dir(void)
{
	char path[sizeof(dir) + sizeof("/" STATUS_FILE)];

	snprintf(path, sizeof(path), "%s/" STATUS_FILE, dir);
	unlink(path);
	rmdir(dir);
}

static void open_file(void)
{
	char path[sizeof(dir) + sizeof("/" STATUS_FILE)];

	folder_make(dir);
	atexit(remove_dir);
	snprintf(path, sizeof(path), "%s/" STATUS_FILE, dir);
	file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		abort();
}

/* Never, soon after the start, or at the end of time. */
static uint64_t take_time(struct take *take)
{
	uint8_t byte = take_byte(take);

	return byte == 0xff ? UINT64_MAX - byte : (uint64_t)byte << (byte & 1 ? 25 : 30);
}

/* Fills a field, which need not end in a NUL. */
static void take_field(struct take *take, char *field, size_t size)
{
	char *text = take_text(take);
	size_t len = strlen(text);

	memcpy(field, text, len < size ? len : size);
	free(text);
}

static void take_header(struct take *take, struct status_header *header)
{
	memcpy(header->magic, STATUS_MAGIC, sizeof(header->magic));
	header->version = STATUS_VERSION;
	header->header_size = sizeof(*header);
	header->record_size = sizeof(struct status_record);
	header->record_count = take_byte(take) % (RECORDS + 1);
	header->edge_count = take_byte(take) % (EDGES + 1);
	header->edge_offset = header->header_size + header->record_count * header->record_size;
	header->phase = take_byte(take);
	header->sidecar = take_byte(take);
	gone = header->sidecar >> 1 & 1;
	header->sidecar &= 1;
	header->pid = 0; /* of another PID namespace: nobody is looked for */
	header->boot = take_time(take);
	header->boot_realtime = take_time(take);
	header->startup_done = take_time(take);
	header->beat = take_time(take);
	take_field(take, header->host, sizeof(header->host));
}

static void take_record(struct take *take, struct status_record *record)
{
	record->state = take_byte(take);
	record->type = take_byte(take);
	record->flags = take_byte(take);
	record->probe = take_byte(take);
	record->pid = (int8_t)take_byte(take);
	record->last_exit = (int8_t)take_byte(take);
	record->cause = take_byte(take);
	record->restarts = record->probes = take_byte(take);
	record->since = take_time(take);
	record->wait_begin = take_time(take);
	record->start_begin = take_time(take);
	record->ready_at = take_time(take);
	take_field(take, record->name, sizeof(record->name));
	take_field(take, record->reason, sizeof(record->reason));
}

static void take_edge(struct take *take, struct status_edge *edge)
{
	uint8_t bits = take_byte(take);

	edge->from = bits & 15;
	edge->to = bits >> 4;
	edge->condition = take_byte(take);
	edge->optional = edge->condition >> 7;
	edge->restart = edge->condition >> 6 & 1;
}

static void put_page(struct take *take)
{
	static struct {
		struct status_header header;
		struct status_record records[RECORDS];
		struct status_edge edges[EDGES];
	} page;
	struct status_header *header = &page.header;
	struct status_edge *edges;
	size_t size;

	memset(&page, 0, sizeof(page));
	take_header(take, header);
	for (uint32_t i = 0; i < header->record_count; i++)
		take_record(take, &page.records[i]);
	edges = (struct status_edge *)(void *)&page.records[header->record_count];
	for (uint32_t i = 0; i < header->edge_count; i++) {
		struct status_edge edge = {0};

		take_edge(take, &edge);
		memcpy(&edges[i], &edge, sizeof(edge));
	}
	size = header->edge_offset + header->edge_count * sizeof(struct status_edge);
	if (ftruncate(file, 0) < 0 || pwrite(file, &page, size, 0) != (ssize_t)size)
		abort();
}

/* ---- what must hold ---- */

static void check_json(const struct printed *printed)
{
	struct arena *arena = arena_create();
	struct json_error error;

	if (!arena || (printed->size && !json_parse(arena, printed->text, printed->size, &error)))
		abort();
	arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	unsigned which = take_byte(&take) % (sizeof(verbs) / sizeof(verbs[0]));
	struct ctl ctl = {.run_dir = dir};
	char *arguments[ARGUMENTS];
	struct printed printed;
	int code;

	if (file < 0)
		open_file();
	log_set_sink(printed_pass_over);
	put_page(&take);
	memcpy(arguments, verbs[which].arguments, sizeof(arguments));
	printed_begin(&printed);
	code = verbs[which].run(&ctl, arguments);
	printed_end(&printed);
	if (code < CTL_DONE || code > CTL_UNREACHABLE || code == CTL_USAGE)
		abort();
	if (verbs[which].json)
		check_json(&printed);
	else if (!printed_is_harmless(&printed))
		abort();
	printed_free(&printed);
	return 0;
}
