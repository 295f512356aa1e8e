/* SPDX-License-Identifier: MIT */
#include "strict.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* What is known of the headers up to here. */
struct walk {
	const char *next; /* where the next line must begin */
	unsigned hosts;
	bool bad;
};

/* RFC 9110, 5.6.2. */
static bool is_token(const char *text)
{
	static const char special[] = "!#$%&'*+-.^_`|~";

	if (!*text)
		return false;
	for (; *text; text++)
		if (!(*text >= 'a' && *text <= 'z') && !(*text >= 'A' && *text <= 'Z') &&
		    !(*text >= '0' && *text <= '9') && !strchr(special, *text))
			return false;
	return true;
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
 * LF are all that lies between its value and the next name. Later versions refuse by themselves,
 * with MHD_OPTION_STRICT_FOR_CLIENT.
 */
#define HEAD_IN_PLACE (MHD_VERSION < 0x00097600)

static enum MHD_Result look_at(void *data, enum MHD_ValueKind kind, const char *name,
			       const char *value)
{
	struct walk *walk = data;
	const char *end = value ? value_end(value) : NULL;

	(void)kind;
	if (!end || !is_token(name) || (HEAD_IN_PLACE && name != walk->next)) {
		walk->bad = true;
		return MHD_NO;
	}
	walk->next = end + 2;
	if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0)
		walk->hosts++;
	return MHD_YES;
}

static bool line_is_whole(const char *method, const char *path, const char *uri_end,
			  const char *version)
{
	/* one character lies between: where it is not so, a NUL or a blank more is hidden there */
	if (!uri_end || version != uri_end + 1)
		return false;
	return !HEAD_IN_PLACE || path == method + strlen(method) + 1;
}

bool strict_head(struct MHD_Connection *connection, const char *method, const char *path,
		 const char *uri_end, const char *version)
{
	struct walk walk = {.next = version + strlen(version) + 2};
	const union MHD_ConnectionInfo *info;

	if (!line_is_whole(method, path, uri_end, version))
		return false;
	MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at, &walk);
	if (walk.bad || walk.hosts > 1)
		return false;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	return !HEAD_IN_PLACE || (info && walk.next + 2 == method + info->header_size);
}
