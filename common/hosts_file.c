/* SPDX-License-Identifier: MIT */
#include "hosts_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "str.h"

#define TRIES 3 /* somebody else may write at the same time */

/* ---- lines ---- */

/* The length of the line with its newline. */
static size_t line_length(const char *line)
{
	size_t len = strcspn(line, "\n");

	return len + (line[len] == '\n');
}

static bool is_ours(const char *line, size_t len)
{
	size_t mark = strlen(HOSTS_MARK);

	while (len && strchr("\n\r \t", line[len - 1]))
		len--;
	return len > mark && strncmp(line + len - mark, HOSTS_MARK, mark) == 0;
}

/* The next word of the line before its end or a comment; NULL: there is none. */
static const char *next_word(const char **at, const char *end, size_t *len)
{
	const char *word = *at;

	while (word < end && strchr(" \t\r\n", *word))
		word++;
	if (word == end || *word == '#')
		return NULL;
	for (*len = 0; word + *len < end && !strchr(" \t\r\n#", word[*len]);)
		++*len;
	*at = word + *len;
	return word;
}

static bool line_names(const char *line, size_t size, const char *name, size_t name_len)
{
	const char *at = line, *word;
	size_t len;

	next_word(&at, line + size, &len); /* the address */
	while ((word = next_word(&at, line + size, &len)))
		if (len == name_len && strncasecmp(word, name, len) == 0)
			return true;
	return false;
}

/* Whether a line has the name: one of ours, or one of somebody else's. */
static bool text_names(const char *text, bool ours, const char *name, size_t name_len)
{
	for (size_t len; *text; text += len) {
		len = line_length(text);
		if (is_ours(text, len) == ours && line_names(text, len, name, name_len))
			return true;
	}
	return false;
}

bool hosts_has_ours(const char *text, const char *name)
{
	return text_names(text, true, name, strlen(name));
}

/* ---- the new text ---- */

static char *put(char *out, const char *text, size_t len)
{
	memcpy(out, text, len);
	return out + len;
}

/* One of our lines, less the names that others have. */
static char *put_line(char *out, const char *old, const char *line, size_t size)
{
	const char *at = line, *word;
	char *begin = out, *first;
	size_t len;

	word = next_word(&at, line + size, &len);
	if (!word)
		return begin;
	first = out = put(out, word, len);
	while ((word = next_word(&at, line + size, &len))) {
		if (text_names(old, false, word, len))
			continue;
		out = put(out, out == first ? "\t" : " ", 1);
		out = put(out, word, len);
	}
	if (out == first)
		return begin;
	out = put(out, "\t", 1);
	out = put(out, HOSTS_MARK, strlen(HOSTS_MARK));
	return put(out, "\n", 1);
}

char *hosts_edit(const char *text, const char *lines)
{
	size_t size = strlen(lines);
	size_t room = strlen(text) + size + 2 + count_lines(lines, size) * (strlen(HOSTS_MARK) + 2);
	char *result = malloc(room), *out = result;
	size_t len;

	if (!result)
		return NULL;
	for (const char *line = text; *line; line += len) {
		len = line_length(line);
		if (!is_ours(line, len))
			out = put(out, line, len);
	}
	if (out > result && out[-1] != '\n' && *lines)
		*out++ = '\n';
	for (const char *line = lines; *line; line += len) {
		len = line_length(line);
		out = put_line(out, text, line, len);
	}
	*out = '\0';
	return result;
}

/* ---- the file ---- */

/* A new file with the text takes the old one's place. */
static int replace(const char *path, const struct stat *old, const char *text)
{
	char name[PATH_MAX];
	int fd, rc;

	if ((size_t)snprintf(name, sizeof(name), "%s.muster", path) >= sizeof(name))
		return -ENAMETOOLONG;
	unlink(name); /* of one that was killed */
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	rc = fd_write_all(fd, text, strlen(text));
	if (!rc && fchown(fd, old->st_uid, old->st_gid) < 0)
		rc = -errno;
	if (!rc && fchmod(fd, old->st_mode & 07777) < 0)
		rc = -errno;
	if (!rc && fsync(fd) < 0)
		rc = -errno;
	close(fd);
	if (!rc && rename(name, path) < 0)
		rc = -errno;
	if (rc)
		unlink(name);
	return rc;
}

/* Writes from the first byte that differs: what stands before it is never gone, and the file is cut
 * only when all is written. */
static int overwrite(const char *path, const char *old, const char *text)
{
	size_t same = 0, size = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	while (old[same] && old[same] == text[same])
		same++;
	if (lseek(fd, (off_t)same, SEEK_SET) < 0)
		rc = -errno;
	if (!rc)
		rc = fd_write_all(fd, text + same, size - same);
	if (!rc && ftruncate(fd, (off_t)size) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static bool is_unchanged(const char *path, const struct stat *before)
{
	struct stat now;

	return stat(path, &now) == 0 && now.st_ino == before->st_ino &&
	       now.st_size == before->st_size && now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

/* 1: somebody else wrote meanwhile. */
static int write_once(const char *path, const char *lines, char *old)
{
	struct stat before, link;
	long size = stat(path, &before) == 0 ? fd_read_file(path, old, HOSTS_MAX) : -errno;
	char *text = size < 0 ? NULL : hosts_edit(old, lines);
	int rc;

	if (!text)
		return size < 0 ? (int)size : -ENOMEM;
	if (strlen(old) != (size_t)size) {
		rc = -EILSEQ; /* a NUL byte: not a hosts file */
	} else if (strcmp(old, text) == 0) {
		rc = 0;
	} else if (!is_unchanged(path, &before)) {
		rc = 1;
	} else {
		rc = lstat(path, &link) == 0 && S_ISREG(link.st_mode) && link.st_nlink == 1
			     ? replace(path, &before, text)
			     : -EBUSY;
		if (rc < 0)
			rc = overwrite(path, old, text);
	}
	free(text);
	return rc;
}

int hosts_write(const char *path, const char *lines)
{
	char *old = malloc(HOSTS_MAX);
	int rc = old ? 1 : -ENOMEM;

	for (int i = 0; i < TRIES && rc == 1; i++)
		rc = write_once(path, lines, old);
	free(old);
	return rc == 1 ? -EBUSY : rc;
}
