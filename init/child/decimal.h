/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_DECIMAL_H
#define MUSTER_DECIMAL_H

/* Writes the number so that its last digit stands before `end`; returns where it begins. For where
 * stdio must not be: between fork and exec, and after a fault. */
static inline char *decimal_before(char *end, unsigned number)
{
	do {
		*--end = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return end;
}

#endif
