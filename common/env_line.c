/* SPDX-License-Identifier: MIT */
#include "env_line.h"

#include <string.h>

#define NAME_MAX_BYTES 255
#define LETTERS        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define BLANKS         " \t"

const char *env_name_problem(const char *name, size_t len)
{
	size_t good = strspn(name, LETTERS "0123456789.-");

	if (len == 0)
		return "there is no name before the =";
	if (len > NAME_MAX_BYTES)
		return "the name is longer than 255 characters";
	if (!strchr(LETTERS, *name))
		return "the name of a variable begins with a letter or _";
	return good < len ? "the name of a variable has letters, digits and _ only" : NULL;
}

static char escaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	default:
		return c;
	}
}

static const char *unquote(char *value)
{
	char mark = *value, *in = value + 1, *out = value;

	for (; *in && *in != mark; in++)
		*out++ = mark == '"' && *in == '\\' && in[1] ? escaped(*++in) : *in;
	if (!*in)
		return "the quote is not closed on this line";
	in += 1 + strspn(in + 1, BLANKS);
	if (*in && *in != '#')
		return "text behind the closing quote";
	*out = '\0';
	return NULL;
}

static void trim(char *value)
{
	char *end = value + strlen(value);

	for (char *at = value; *at; at++) {
		if (*at == '#' && at > value && strchr(BLANKS, at[-1])) {
			end = at;
			break;
		}
	}
	while (end > value && strchr(BLANKS, end[-1]))
		end--;
	*end = '\0';
}

const char *env_line_parse(char *line, char **name, char **value)
{
	const char *problem;
	size_t len;

	*name = NULL;
	line += strspn(line, BLANKS);
	if (strncmp(line, "export", 6) == 0 && line[6] && strchr(BLANKS, line[6]))
		line += 6 + strspn(line + 6, BLANKS);
	if (*line == '\0' || *line == '#')
		return NULL;
	len = strcspn(line, "=");
	if (line[len] == '\0')
		return "expected NAME=value";
	problem = env_name_problem(line, len);
	*value = line + len + 1;
	if (!problem && (**value == '"' || **value == '\''))
		problem = unquote(*value);
	else if (!problem)
		trim(*value);
	if (problem)
		return problem;
	line[len] = '\0';
	*name = line;
	return NULL;
}

char *env_text_begin(char *text)
{
	return strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
}

char *env_text_line(char **text)
{
	char *line = *text;
	size_t len = strcspn(line, "\n");

	if (*line == '\0')
		return NULL;
	*text = line + len + (line[len] == '\n');
	line[len] = '\0';
	if (len > 0 && line[len - 1] == '\r')
		line[len - 1] = '\0';
	return line;
}
