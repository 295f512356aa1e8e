/* SPDX-License-Identifier: MIT */
#include "process_stat.h"

#include <string.h>

#include "str.h"

/* A number up to a blank or the end of the line; NULL: there is none. */
static const char *read_number(const char *at, uint64_t *number)
{
	const char *begin = at;

	*number = 0;
	for (; is_digit(*at); at++)
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, (uint64_t)(*at - '0'), number))
			return NULL;
	return at > begin && (*at == ' ' || *at == '\n') ? at : NULL;
}

bool process_stat_read(struct process_stat *process, const char *text)
{
	const char *at = read_number(text, &process->pid), *end = strrchr(text, ')');

	if (!at || at[1] != '(' || !end || end < at + 2 || end[1] != ' ' || !end[2])
		return false;
	process->name = at + 2;
	process->name_len = (size_t)(end - process->name);
	process->state = end[2];
	at = end + 3;
	for (unsigned i = STAT_PARENT; i < STAT_END; i++) {
		bool negative = at[0] == ' ' && at[1] == '-';

		if (*at != ' ')
			return false;
		at = read_number(at + 1 + negative, &process->field[i]);
		if (!at)
			return false;
		if (negative)
			process->field[i] = 0;
	}
	return true;
}
