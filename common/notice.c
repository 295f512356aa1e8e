/* SPDX-License-Identifier: MIT */
#include "notice.h"

#include <string.h>

#include "str.h"
#include "utf8.h"

/* Longer than anybody waits, and no sum of it with a clock overflows. */
#define USEC_MAX (UINT64_C(365) * 86400 * 1000000)

/* ---- one small reader for each form of a value ---- */

typedef void take(const char *value, void *field);

static void take_text(const char *value, void *field)
{
	*(const char **)field = value;
}

/* As sd_pid_notify_with_fds(3) wants it: no control characters, no colon, which separates. */
static void take_name(const char *value, void *field)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++)
		if (value[i] < ' ' || value[i] > '~' || value[i] == ':')
			return;
	if (len > 0 && len <= NOTICE_NAME_MAX)
		*(const char **)field = value;
}

static void take_number(const char *value, void *field)
{
	parse_uint(value, INT32_MAX, field);
}

static void take_usec(const char *value, void *field)
{
	parse_uint(value, USEC_MAX, field);
}

/* ---- the assignments ---- */

#define FIELD(member) offsetof(struct notice, member)

static const struct {
	const char name[20];
	take *take;
	size_t offset;
} texts[] = {
	{"STATUS", take_text, FIELD(status)},
	{"BUSERROR", take_text, FIELD(error)},
	{"VARLINKERROR", take_text, FIELD(error)},
	{"FDNAME", take_name, FIELD(fd_name)},
	{"MAINPID", take_number, FIELD(main_pid)},
	{"ERRNO", take_number, FIELD(error_number)},
	{"WATCHDOG_USEC", take_usec, FIELD(watchdog_usec)},
	{"EXTEND_TIMEOUT_USEC", take_usec, FIELD(extend_usec)},
};

static const struct {
	const char line[20];
	size_t offset;
	uint8_t value;
} words[] = {
	{"READY=1", FIELD(state), NOTICE_READY},
	{"RELOADING=1", FIELD(state), NOTICE_RELOADING},
	{"STOPPING=1", FIELD(state), NOTICE_STOPPING},
	{"WATCHDOG=1", FIELD(ping), 1},
	{"WATCHDOG=trigger", FIELD(trigger), 1},
	{"FDSTORE=1", FIELD(store), 1},
	{"FDSTOREREMOVE=1", FIELD(remove), 1},
	{"FDPOLL=0", FIELD(unpolled), 1},
};

static void take_line(struct notice *notice, char *line)
{
	char *value = strchr(line, '=');

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(line, words[i].line) == 0)
			memcpy((char *)notice + words[i].offset, &words[i].value, 1);
	if (!value)
		return;
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(line, texts[i].name) == 0)
			texts[i].take(value, (char *)notice + texts[i].offset);
}

bool notice_read(char *text, size_t size, struct notice *out)
{
	char *line, *next;

	*out = (struct notice){.main_pid = NOTICE_ABSENT,
			       .error_number = NOTICE_ABSENT,
			       .watchdog_usec = NOTICE_ABSENT,
			       .extend_usec = NOTICE_ABSENT};
	if (size > 0 && text[size - 1] == '\0')
		size--; /* some send the one that ends the string */
	if (size > NOTICE_MAX || memchr(text, '\0', size))
		return false;
	text[size] = '\0';
	for (line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		take_line(out, line);
	}
	return true;
}

void notice_clean(char *out, size_t size, const char *text)
{
	size_t used = 0;

	while (*text) {
		size_t len = utf8_length(text);
		bool shown = len && !utf8_is_control(text);

		if (used + (shown ? len : 1) >= size)
			break;
		if (shown)
			memcpy(out + used, text, len);
		else
			out[used] = '?';
		used += shown ? len : 1;
		text += len ? len : 1;
	}
	out[used] = '\0';
}
