/* SPDX-License-Identifier: MIT */
/*
 * A byte that chooses a verb of musterctl, then the packets that an init answers it with: a byte
 * for the type, two for the length, and as many bytes. Whatever they are, the verb comes to its end
 * with one of its exit codes; its JSON is JSON; lines of a log are those that came, whole; and what
 * is told of events is harmless on a terminal.
 */
#include "ctl.h"

#include <sys/socket.h>
#include <unistd.h>

#include "arena.h"
#include "client.h"
#include "json.h"
#include "log.h"
#include "printed.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PACKETS   40   /* as many as a socket holds */
#define RAW       0xff /* a type: the bytes are a packet with its header */
#define ARGUMENTS 4    /* with a NULL behind them */

/* main.c, which has the real one, is not part of the archive. */
void ctl_print_help(void)
{
}

/* ---- an init that answers before it is asked ---- */

static struct {
	struct {
		uint8_t bytes[sizeof(struct wire_header) + 4096];
		size_t size;
	} packets[PACKETS];
	unsigned count;
	unsigned begin; /* the next connection is answered from here on */
	int ours;       /* -1: nobody has connected */
} init;

static void take_packet(struct take *take)
{
	struct wire_header header = {.version = WIRE_VERSION};
	uint8_t type = take_byte(take), low = take_byte(take), high = take_byte(take);
	size_t len = (size_t)(low | high << 8) % 4097, head = type == RAW ? 0 : sizeof(header);

	if (len > take_left(take))
		len = take_left(take);
	header.type = type;
	header.size = (uint32_t)len;
	memcpy(init.packets[init.count].bytes, &header, head);
	take_bytes(take, init.packets[init.count].bytes + head, len);
	init.packets[init.count].size = head + len;
	init.count += head + len > 0; /* an empty one would be the end */
}

/* Each connection gets what there is, and then the end; the next one begins a packet later, so that
 * who asks for more comes to an end. */
int connect(int fd, const struct sockaddr *address, socklen_t size)
{
	int pair[2];

	(void)address;
	(void)size;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
	    dup3(pair[1], fd, SOCK_CLOEXEC) < 0)
		abort();
	close(pair[1]);
	if (init.ours >= 0)
		close(init.ours);
	init.ours = pair[0];
	for (unsigned i = init.begin++; i < init.count; i++)
		if (send(init.ours, init.packets[i].bytes, init.packets[i].size, MSG_DONTWAIT) < 0)
			init.count = i; /* there is no more room */
	shutdown(init.ours, SHUT_WR);
	return 0;
}

/* ---- what must be printed ---- */

struct wanted {
	char text[PACKETS * 4200];
	size_t size;
	bool within;
};

static void wanted_end(struct wanted *wanted)
{
	if (wanted->within)
		wanted->text[wanted->size++] = '\n';
	wanted->within = false;
}

/* One packet of `logs` of one service. False: it is the last of interest. */
static bool wanted_take(struct wanted *wanted, const uint8_t *packet, size_t size)
{
	struct wire_header header;
	struct wire_line line;

	if (size < sizeof(header) || size > sizeof(header) + WIRE_BODY_MAX)
		return false;
	memcpy(&header, packet, sizeof(header));
	if (header.version != WIRE_VERSION || header.size != size - sizeof(header))
		return false;
	if (header.type != WIRE_LINE) {
		wanted_end(wanted);
		return header.type == WIRE_LOST;
	}
	if (header.size < sizeof(line))
		return true;
	memcpy(&line, packet + sizeof(header), sizeof(line));
	if (!(line.part & WIRE_PART_LATER))
		wanted_end(wanted);
	size -= sizeof(header) + sizeof(line);
	memcpy(wanted->text + wanted->size, packet + sizeof(header) + sizeof(line), size);
	wanted->size += size;
	wanted->within = true;
	if (!(line.part & WIRE_PART_MORE))
		wanted_end(wanted);
	return true;
}

static void check_lines(const struct printed *printed)
{
	static struct wanted wanted;

	wanted.size = 0;
	wanted.within = false;
	for (unsigned i = 0; i < init.count; i++)
		if (!wanted_take(&wanted, init.packets[i].bytes, init.packets[i].size))
			break;
	wanted_end(&wanted); /* also of a line whose rest never came */
	if (wanted.size != printed->size || memcmp(wanted.text, printed->text, wanted.size) != 0)
		abort();
}

/* One value, or one a line. */
static void check_json(const struct printed *printed, bool lines)
{
	struct json_error error;
	const char *end;

	for (const char *at = printed->text; *at; at = end + 1) {
		struct arena *arena = arena_create();

		end = lines ? strchr(at, '\n') : at + strlen(at) - 1;
		if (!arena || !end || *end != '\n')
			abort();
		*(char *)end = '\0';
		if (!json_parse(arena, at, (size_t)(end - at), &error))
			abort();
		arena_destroy(arena);
	}
}

static void check_harmless(const struct printed *printed)
{
	if (!printed_is_harmless(printed))
		abort();
}

static void check_json_lines(const struct printed *printed)
{
	check_json(printed, true);
}

static void check_json_whole(const struct printed *printed)
{
	check_json(printed, false);
}

static const struct {
	verb_function *run;
	char *arguments[ARGUMENTS];
	void (*check)(const struct printed *printed); /* NULL: init's own words are printed */
} verbs[] = {
	{verb_logs, {"web"}, check_lines},     {verb_logs, {"-f", "-t"}, NULL},
	{verb_events, {NULL}, check_harmless}, {verb_events, {"--json"}, check_json_lines},
	{verb_reload, {"-n"}, check_harmless}, {verb_reload, {"-n", "--json"}, check_json_whole},
	{verb_reload, {NULL}, NULL},           {verb_start, {"--no-wait", "web", "db"}, NULL},
	{verb_signal, {"web", "HUP"}, NULL},   {verb_shutdown, {"--no-wait"}, NULL},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	unsigned which = take_byte(&take) % (sizeof(verbs) / sizeof(verbs[0]));
	struct ctl ctl = {.run_dir = "/proc/self/fdinfo"}; /* there, and without a status page */
	char *arguments[ARGUMENTS];
	struct printed printed;
	int code;

	log_set_sink(printed_pass_over);
	init.count = init.begin = 0;
	init.ours = -1;
	while (take_left(&take) && init.count < PACKETS)
		take_packet(&take);
	memcpy(arguments, verbs[which].arguments, sizeof(arguments));
	printed_begin(&printed);
	code = verbs[which].run(&ctl, arguments);
	printed_end(&printed);
	if (code < CTL_DONE || code > CTL_UNREACHABLE || code == CTL_USAGE || code == CTL_TIMED_OUT)
		abort();
	if (verbs[which].check)
		verbs[which].check(&printed);
	printed_free(&printed);
	if (init.ours >= 0)
		close(init.ours);
	return 0;
}
