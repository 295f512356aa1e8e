/* SPDX-License-Identifier: MIT */
#include "mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

#define EXIT_FAULT 70

void *mem_check(void *memory)
{
	if (!memory) {
		log_error("out of memory");
		_exit(EXIT_FAULT);
	}
	return memory;
}

void *mem_alloc(size_t size)
{
	return mem_check(calloc(1, size ? size : 1));
}

void *mem_resize(void *old, size_t count, size_t size)
{
	return mem_check(reallocarray(old, count ? count : 1, size));
}

char *mem_strdup(const char *text)
{
	return mem_check(strdup(text));
}
