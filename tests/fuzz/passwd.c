/* SPDX-License-Identifier: MIT */
/*
 * A text that ends in NUL, whom a user asks for; then /etc/passwd, and behind a byte of value 1
 * /etc/group. What is found of it is what a reading of whole lines, field by field, finds: the
 * first line with that name or number, no line that is half of another, and never the number that
 * means "no change".
 */
#include "passwd.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS 8 /* of a line, the rest of it is of no interest */

struct span {
	const char *at;
	size_t len;
	bool bad; /* longer than a field can be, or with a NUL in it */
};

struct line {
	struct span fields[FIELDS];
	unsigned count;
};

/* ---- our own reading ---- */

static struct span make_span(const char *at, size_t len)
{
	return (struct span){at, len, len > 255 || memchr(at, '\0', len)};
}

/* The next line, taken apart at its colons; false: there is none. */
static bool next_line(struct line *line, const char **at, const char *end)
{
	const char *newline, *colon;

	if (*at == end)
		return false;
	newline = memchr(*at, '\n', (size_t)(end - *at));
	if (!newline)
		newline = end;
	line->count = 0;
	do {
		colon = memchr(*at, ':', (size_t)(newline - *at));
		if (!colon)
			colon = newline;
		if (line->count < FIELDS)
			line->fields[line->count++] = make_span(*at, (size_t)(colon - *at));
		*at = colon + 1;
	} while (colon < newline);
	if (newline == end)
		*at = end;
	return true;
}

static bool is_text(const struct span *span, const char *text)
{
	return !span->bad && span->len == strlen(text) && memcmp(span->at, text, span->len) == 0;
}

/* As useradd takes them. */
static bool is_name(const struct span *span)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	static const char others[] = "0123456789.-";
	size_t len = span->len;

	if (span->bad || !len || len > 63 || !strchr(letters, *span->at))
		return false;
	len -= len > 1 && span->at[len - 1] == '$';
	for (size_t i = 0; i < len; i++)
		if (!strchr(letters, span->at[i]) && !strchr(others, span->at[i]))
			return false;
	return true;
}

/* A number as printf writes it, below 2^32 - 1. */
static bool is_id(const struct span *span, uint32_t *id)
{
	char text[32], again[32];
	unsigned long long value;

	if (span->bad || !span->len || span->len >= sizeof(text))
		return false;
	memcpy(text, span->at, span->len);
	text[span->len] = '\0';
	value = strtoull(text, NULL, 10);
	snprintf(again, sizeof(again), "%llu", value);
	*id = (uint32_t)value;
	return strcmp(text, again) == 0 && value < UINT32_MAX;
}

static bool is_user_line(const struct line *line, uint32_t *uid, uint32_t *gid)
{
	return line->count > 3 && is_name(&line->fields[0]) && is_id(&line->fields[2], uid) &&
	       is_id(&line->fields[3], gid);
}

static bool is_member(const struct span *list, const char *name)
{
	const char *end = list->at + list->len, *comma;

	for (const char *at = list->at;; at = comma + 1) {
		struct span member;

		comma = memchr(at, ',', (size_t)(end - at));
		member = make_span(at, (size_t)((comma ? comma : end) - at));
		if (is_text(&member, name))
			return true;
		if (!comma)
			return false;
	}
}

/* ---- both compared ---- */

/* What is found in passwd, and only there. */
static void check_user(const char *asked, const char *at, const char *end)
{
	struct span wanted = make_span(asked, strlen(asked));
	uint32_t number, uid, gid;
	bool by_number = is_id(&wanted, &number);
	struct passwd_user user;
	struct line line;
	int rc = passwd_user(asked, &user);

	while (next_line(&line, &at, end)) {
		struct span home = line.count > 5 ? line.fields[5] : make_span("", 0);

		if (!is_user_line(&line, &uid, &gid) ||
		    !(by_number ? uid == number : is_text(&line.fields[0], asked)))
			continue;
		if (rc || user.uid != uid || user.gid != gid ||
		    !is_text(&line.fields[0], user.name) ||
		    (home.bad ? *user.home : !is_text(&home, user.home)))
			abort();
		return;
	}
	if (by_number ? rc || *user.name || user.uid != number || user.gid != number
		      : rc != (is_name(&wanted) ? -ENOENT : -EINVAL))
		abort();
}

static void check_group(const char *asked, const char *at, const char *end)
{
	struct span wanted = make_span(asked, strlen(asked));
	uint32_t number, id;
	gid_t gid = UINT32_MAX;
	int rc = passwd_group(asked, &gid);
	struct line line;

	if (is_id(&wanted, &number)) {
		if (rc || gid != number)
			abort();
		return;
	}
	while (is_name(&wanted) && next_line(&line, &at, end)) {
		if (line.count < 3 || !is_text(&line.fields[0], asked) ||
		    !is_id(&line.fields[2], &id))
			continue;
		if (rc || gid != id)
			abort();
		return;
	}
	if (rc != (is_name(&wanted) ? -ENOENT : -EINVAL))
		abort();
}

static bool is_among(const gid_t *groups, int count, gid_t gid)
{
	for (int i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* Which groups a name is in, each once, whatever room there is for them. */
static void check_groups(const char *name, const char *at, const char *end)
{
	struct span wanted = make_span(name, strlen(name));
	gid_t few[2], many[64];
	int count = passwd_groups(name, 7, many, 64);
	struct line line;
	uint32_t id;

	if (count < 1 || many[0] != 7)
		abort();
	if (count > 64)
		return;
	for (int i = 1; i < count; i++)
		if (is_among(many, i, many[i]))
			abort();
	/* those that have no room cannot be told from others */
	if (passwd_groups(name, 7, few, 2) < count || few[0] != 7 ||
	    (count > 1 && few[1] != many[1]))
		abort();
	while (is_name(&wanted) && next_line(&line, &at, end))
		if (line.count > 3 && is_id(&line.fields[2], &id) &&
		    is_member(&line.fields[3], name) && !is_among(many, count, id))
			abort();
}

static void put_file(int *fd, char *path, const uint8_t *bytes, size_t size)
{
	if (!*path) {
		*fd = memfd_create("table", MFD_CLOEXEC);
		sprintf(path, "/proc/self/fd/%d", *fd);
	}
	if (*fd < 0 || ftruncate(*fd, 0) < 0 || pwrite(*fd, bytes, size, 0) != (ssize_t)size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char passwd_path[32], group_path[32];
	static int passwd = -1, group = -1;
	struct take take = {data, data + size};
	char *asked = take_text(&take);
	const uint8_t *middle = take_left(&take) ? memchr(take.at, 1, take_left(&take)) : NULL;
	const uint8_t *users_end = middle ? middle : take.end;
	const uint8_t *groups = middle ? middle + 1 : take.end;

	put_file(&passwd, passwd_path, take.at, (size_t)(users_end - take.at));
	put_file(&group, group_path, groups, (size_t)(take.end - groups));
	passwd_set_files(passwd_path, group_path);
	check_user(asked, (const char *)take.at, (const char *)users_end);
	check_group(asked, (const char *)groups, (const char *)take.end);
	check_groups(asked, (const char *)groups, (const char *)take.end);
	free(asked);
	return 0;
}
