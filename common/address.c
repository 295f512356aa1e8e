/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <stddef.h>
#include <string.h>

const struct address *address_find(const struct address_book *book, const char *name)
{
	for (uint32_t i = 0; i < book->count; i++)
		if (strcmp(book->entries[i].name, name) == 0)
			return &book->entries[i];
	return NULL;
}
