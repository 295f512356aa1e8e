/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_BOOK_H
#define SIDECAR_BOOK_H

#include <stdbool.h>

/*
 * The address book as muster-init tells it over the channel, step by step, put together to what
 * config_load makes of a configuration: a sidecar that cannot read the files knows all the same
 * where things are, and why.
 */
struct address_book;
struct link_book;
struct link_step;

struct book_draft; /* what has been told of a book that is not complete */

/* Takes a step. *draft is NULL before the first. */
void book_take_step(struct book_draft **draft, const struct link_step *step);
/* Makes the book; the draft is gone then. NULL: something is missing. */
struct address_book *book_finish(struct book_draft **draft, const struct link_book *end);
void book_draft_free(struct book_draft **draft);
/* Frees a book of book_finish. */
void book_free(struct address_book *book);

#endif
