/* SPDX-License-Identifier: MIT */
/*
 * What comes over the channel from muster-init about addresses, in a short form: a byte with the
 * address, one with what is known of the step, and texts that end in NUL; then the end of the book.
 * What is put together of it can be used as any book.
 */
#include "book.h"

#include <stdio.h>

#include "address.h"
#include "probe_link.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_field(struct take *take, char *field, size_t size, bool full)
{
	char *text = take_text(take);

	/* one that is not terminated must do no harm */
	if (full)
		memset(field, 'x', size);
	else
		snprintf(field, size, "%s", text);
	free(text);
}

static void take_step(struct take *take, struct book_draft **draft)
{
	struct link_step step = {.type = LINK_STEP};
	uint8_t bits;

	step.address = take_byte(take) & 7;
	bits = take_byte(take);
	step.serial = bits >> 6 == 3;
	step.found = bits & 1;
	step.check = bits >> 1 & 3;
	step.port = take_byte(take);
	take_field(take, step.name, sizeof(step.name), bits & 8);
	take_field(take, step.host, sizeof(step.host), bits & 16);
	take_field(take, step.srv, sizeof(step.srv), bits & 32);
	take_field(take, step.source, sizeof(step.source), bits & 32);
	take_field(take, step.note, sizeof(step.note), bits & 16);
	book_take_step(draft, &step);
}

static void look_at(const struct address_book *book)
{
	volatile size_t letters; /* all of it can be read */

	for (uint32_t i = 0; i < book->count; i++) {
		const struct address_entry *entry = &book->entries[i];

		if (!address_find(book, entry->name) || entry->count > entry->step_count ||
		    !entry->now != !entry->count || !entry->tried != (entry->count > 0))
			abort();
		for (uint32_t n = 0; n < entry->count; n++) {
			letters = strlen(entry->candidates[n].host) +
				  strlen(entry->candidates[n].source);
			address_choose(book, i, n, NULL, 0);
		}
		for (uint32_t n = 0; n < entry->step_count; n++)
			if (entry->steps[n].candidate >= (int32_t)entry->count)
				abort();
	}
	(void)letters;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	struct link_book end = {.type = LINK_BOOK, .mode = "container"};
	struct book_draft *draft = NULL;
	struct address_book *book;

	end.addresses = take_byte(&take) % 9;
	while (take_left(&take))
		take_step(&take, &draft);
	book = book_finish(&draft, &end);
	if (draft)
		abort();
	if (book)
		look_at(book);
	book_free(book);
	return 0;
}
