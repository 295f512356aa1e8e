/* SPDX-License-Identifier: MIT */
#include "strict.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* What is known of the headers up to here. */
struct walk {
	struct head head;
	const char *next; /* where the next line must begin */
	bool bad;
};

/* Returns the length, or 0: it is none. RFC 9110, 5.6.2. */
static size_t token_length(const char *text)
{
	static const bool allowed[256] = {
		['a' ... 'z'] = true, ['A' ... 'Z'] = true,  ['0' ... '9'] = true,
		['!'] = true,         ['#' ... '\''] = true, ['*' ... '+'] = true,
		['-' ... '.'] = true, ['^' ... '`'] = true,  ['|'] = true,
		['~'] = true,
	};
	const char *end = text;

	while (allowed[(unsigned char)*end])
		end++;
	return *end ? 0 : (size_t)(end - text);
}

/* Returns the end of a value, or NULL where it has what no value may have. */
static const char *value_end(const char *value)
{
	for (; *value; value++)
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == '\x7f')
			return NULL;
	return value;
}

/*
 * Until 0.9.75 libmicrohttpd leaves the head where it was read and only writes NULs over what ends
 * a word. Then what it has skipped can be seen: of a line that has been read as it stands, CR and
 * LF are all that lies between its value and the next name. Later versions refuse by themselves.
 */
#define HEAD_IN_PLACE (!STRICT_BY_LIBRARY)

/* Lengths come first: most headers are none of these. */
static bool is_named(const char *name, size_t len, const char *wanted)
{
	return len == strlen(wanted) && strcasecmp(name, wanted) == 0;
}

static void note(struct walk *walk, const char *name, size_t len, const char *value)
{
	if (is_named(name, len, MHD_HTTP_HEADER_HOST)) {
		walk->bad |= walk->head.host != NULL;
		walk->head.host = value;
	} else if (is_named(name, len, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
		walk->head.body = true;
	} else if (is_named(name, len, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
		walk->head.body |= strcmp(value, "0") != 0;
	}
}

static enum MHD_Result look_at(void *data, enum MHD_ValueKind kind, const char *name,
			       const char *value)
{
	struct walk *walk = data;
	const char *end = value ? value_end(value) : NULL;
	size_t len = token_length(name);

	(void)kind;
	if (!end || !len || (HEAD_IN_PLACE && name != walk->next)) {
		walk->bad = true;
		return MHD_NO;
	}
	walk->next = end + 2;
	note(walk, name, len, value);
	return MHD_YES;
}

/* libmicrohttpd takes blanks to be a part of the target, as long as a version follows somewhere. */
const char *strict_target(const char *target)
{
	for (; *target; target++)
		if ((unsigned char)*target <= ' ' || *target == '\x7f')
			return NULL;
	return target;
}

static bool line_is_whole(const char *method, const char *path, const char *uri_end,
			  const char *version)
{
	/* one character lies between: where it is not so, a NUL or a blank more is hidden there */
	if (!uri_end || version != uri_end + 1)
		return false;
	return !HEAD_IN_PLACE || path == method + strlen(method) + 1;
}

struct head strict_head(struct MHD_Connection *connection, const char *method, const char *path,
			const char *uri_end, const char *version)
{
	struct walk walk = {.next = version + strlen(version) + 2};
	const union MHD_ConnectionInfo *info;

	if (!line_is_whole(method, path, uri_end, version))
		return walk.head;
	MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at, &walk);
	if (walk.bad || (!walk.head.host && strcmp(version, MHD_HTTP_VERSION_1_0) != 0))
		return (struct head){0};
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	walk.head.whole = !HEAD_IN_PLACE || (info && walk.next + 2 == method + info->header_size);
	walk.head.query = uri_end != path + strlen(path);
	return walk.head;
}
