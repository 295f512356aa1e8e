/* SPDX-License-Identifier: MIT */
#include "passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

/*
 * Both files are read field by field through one small buffer, so that a line of any length costs
 * no memory and is never taken for two lines. A field that is too long, or holds a NUL, is marked
 * bad, and a bad field equals nothing.
 */
#define DEFAULT_PASSWD "/etc/passwd"
#define DEFAULT_GROUP  "/etc/group"
#define FIELD_SIZE     256
#define ID_NONE        UINT32_MAX /* setresuid and friends take it for "no change" */

static const char *passwd_path = DEFAULT_PASSWD;
static const char *group_path = DEFAULT_GROUP;

void passwd_set_files(const char *new_passwd_path, const char *new_group_path)
{
	passwd_path = new_passwd_path ? new_passwd_path : DEFAULT_PASSWD;
	group_path = new_group_path ? new_group_path : DEFAULT_GROUP;
}

/* ---- what users write ---- */

/* Decimal digits, no sign, no leading zero, not "no change". */
static bool parse_id(const char *text, uint32_t *id)
{
	uint64_t value = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value >= ID_NONE)
			return false;
	}
	*id = (uint32_t)value;
	return true;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* As useradd takes names, so that nothing that begins like a number can be one. */
static bool is_name(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len >= sizeof(((struct passwd_user *)NULL)->name) || !is_letter(text[0]))
		return false;
	for (size_t i = 1; i < len; i++) {
		char c = text[i];

		if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '-' && c != '.' &&
		    !(c == '$' && i == len - 1))
			return false;
	}
	return true;
}

/* ---- the reader ---- */

struct table {
	int fd;
	int error; /* errno of a failed read */
	size_t at, filled;
	char buffer[2048];
};

struct field {
	char text[FIELD_SIZE];
	bool bad;
};

/* A missing file is an empty one (images without users). 0 or -errno. */
static int table_open(struct table *table, const char *path)
{
	struct stat st;

	table->error = 0;
	table->at = table->filled = 0;
	/* O_NONBLOCK: a FIFO at that path must not hold us */
	table->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (table->fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (fstat(table->fd, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	close(table->fd);
	return S_ISDIR(st.st_mode) ? -EISDIR : -ENXIO;
}

/* Gives back `result` unless reading failed. */
static int table_close(struct table *table, int result)
{
	if (table->fd >= 0)
		close(table->fd);
	return table->error ? -table->error : result;
}

/* The next byte, or -1 at the end. */
static int table_byte(struct table *table)
{
	if (table->at == table->filled) {
		unsigned tries = 0;
		ssize_t n;

		if (table->fd < 0 || table->error)
			return -1;
		do {
			n = read(table->fd, table->buffer, sizeof(table->buffer));
		} while (fd_again(n, &tries));
		if (n < 0)
			table->error = errno;
		if (n <= 0)
			return -1;
		table->at = 0;
		table->filled = (size_t)n;
	}
	return (unsigned char)table->buffer[table->at++];
}

/*
 * Reads up to the next ':', newline or, with `comma`, ','. Returns that delimiter ('\n' also for a
 * last line without one), or -1 when nothing is left.
 */
static int table_field(struct table *table, struct field *field, bool comma)
{
	size_t len = 0;
	int c = table_byte(table);

	field->bad = false;
	field->text[0] = '\0';
	if (c < 0)
		return -1;
	for (; c >= 0 && c != ':' && c != '\n' && !(comma && c == ','); c = table_byte(table)) {
		if (c == '\0' || len == FIELD_SIZE - 1)
			field->bad = true;
		else
			field->text[len++] = (char)c;
	}
	field->text[len] = '\0';
	return c < 0 ? '\n' : c;
}

static bool field_is(const struct field *field, const char *text)
{
	return !field->bad && strcmp(field->text, text) == 0;
}

static bool field_id(const struct field *field, uint32_t *id)
{
	return !field->bad && parse_id(field->text, id);
}

static int skip_line(struct table *table, struct field *field, int delimiter)
{
	while (delimiter >= 0 && delimiter != '\n')
		delimiter = table_field(table, field, false);
	return delimiter;
}

/* ---- passwd: name:password:uid:gid:comment:home:shell ---- */

enum { PASSWD_NAME, PASSWD_PASSWORD, PASSWD_UID, PASSWD_GID, PASSWD_COMMENT, PASSWD_HOME };

/* One line into *user. Returns the last delimiter; *valid tells whether it was a whole record. */
static int read_user(struct table *table, struct passwd_user *user, bool *valid)
{
	struct field field;
	int delimiter = ':';
	unsigned column;

	*valid = true;
	memset(user, 0, sizeof(*user));
	for (column = PASSWD_NAME; delimiter == ':'; column++) {
		delimiter = table_field(table, &field, false);
		if (delimiter < 0 && column > PASSWD_NAME)
			delimiter = '\n'; /* a last line that ends in a colon */
		if (column == PASSWD_NAME && !field.bad && is_name(field.text))
			memcpy(user->name, field.text, strlen(field.text) + 1);
		else if (column == PASSWD_UID)
			*valid = field_id(&field, &user->uid) && *valid;
		else if (column == PASSWD_GID)
			*valid = field_id(&field, &user->gid) && *valid;
		else if (column == PASSWD_HOME && !field.bad)
			memcpy(user->home, field.text, strlen(field.text) + 1);
	}
	*valid = *valid && column > PASSWD_GID && user->name[0] != '\0';
	return delimiter;
}

/* Finds a line by name, or with `name` NULL by uid. 0, -ENOENT or another -errno. */
static int find_user(const char *name, uid_t uid, struct passwd_user *out)
{
	struct passwd_user user;
	struct table table;
	int rc = table_open(&table, passwd_path);
	bool valid;

	if (rc < 0)
		return rc;
	rc = -ENOENT;
	while (rc == -ENOENT && read_user(&table, &user, &valid) >= 0) {
		if (!valid || (name ? strcmp(user.name, name) != 0 : user.uid != uid))
			continue;
		*out = user;
		rc = 0;
	}
	return table_close(&table, rc);
}

int passwd_user(const char *user, struct passwd_user *out)
{
	uint32_t id;
	int rc;

	if (!parse_id(user, &id))
		return is_name(user) ? find_user(user, 0, out) : -EINVAL;
	rc = find_user(NULL, id, out);
	if (rc != -ENOENT)
		return rc;
	memset(out, 0, sizeof(*out));
	out->uid = id;
	out->gid = id;
	return 0;
}

/* ---- group: name:password:gid:member,member ---- */

/* Reads name, password and gid; leaves the reader at the members. Returns the last delimiter. */
static int read_group(struct table *table, struct field *name, gid_t *gid, bool *valid)
{
	struct field field;
	int delimiter = table_field(table, name, false);

	*valid = false;
	if (delimiter == ':')
		delimiter = table_field(table, &field, false);
	if (delimiter == ':') {
		delimiter = table_field(table, &field, false);
		*valid = field_id(&field, gid);
	}
	return delimiter;
}

int passwd_group(const char *group, gid_t *gid)
{
	struct table table;
	struct field name, rest;
	uint32_t id;
	bool valid;
	int rc, delimiter;

	if (parse_id(group, &id)) {
		*gid = id;
		return 0;
	}
	if (!is_name(group))
		return -EINVAL;
	rc = table_open(&table, group_path);
	if (rc < 0)
		return rc;
	rc = -ENOENT;
	while (rc == -ENOENT && (delimiter = read_group(&table, &name, &id, &valid)) >= 0) {
		if (valid && field_is(&name, group)) {
			*gid = id;
			rc = 0;
		}
		skip_line(&table, &rest, delimiter);
	}
	return table_close(&table, rc);
}

/* Whether `name` is among the members that follow; reads to the end of the line. */
static bool read_members(struct table *table, const char *name, int delimiter)
{
	struct field member;
	bool found = false;

	while (delimiter >= 0 && delimiter != '\n') {
		delimiter = table_field(table, &member, true);
		found = found || field_is(&member, name);
	}
	return found;
}

/* Whether gid is among the first `count` (of which at most `max` are stored). */
static bool is_listed(const gid_t *groups, int count, size_t max, gid_t gid)
{
	for (int i = 0; i < count && (size_t)i < max; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

int passwd_groups(const char *name, gid_t primary, gid_t *groups, size_t max)
{
	struct table table;
	struct field field;
	gid_t gid;
	bool valid;
	int rc, delimiter, count = 1;

	if (max > 0)
		groups[0] = primary;
	if (!is_name(name))
		return count;
	rc = table_open(&table, group_path);
	if (rc < 0)
		return rc;
	while ((delimiter = read_group(&table, &field, &gid, &valid)) >= 0) {
		if (!read_members(&table, name, delimiter) || !valid || gid == primary ||
		    is_listed(groups, count, max, gid))
			continue;
		if ((size_t)count < max)
			groups[count] = gid;
		count++;
	}
	return table_close(&table, count);
}
