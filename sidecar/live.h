/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_LIVE_H
#define SIDECAR_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "probe.h"

/*
 * Addresses as they are found: the places of each address of the book are checked as probes are, in
 * order of preference; the first that answers is in force. A place is down when it has failed twice
 * in a row and for LIVE_DOWN_MS; one that comes back must succeed twice. While a better place has
 * not been judged yet, nothing is decided; when all are down, the last one that was in force stays.
 */
#define LIVE_DOWN_MS 1000

struct address_book;
struct link_answer;
struct live;
struct loop;
struct resolver;

/* Told of each address whose place, number or state has changed. False: it could not be passed on;
 * it is offered again at live_resume. NULL: nobody is told. */
typedef bool live_report(void *data, const struct link_answer *answer);

struct live *live_create(struct loop *loop, struct resolver *resolver, struct prober *beside,
			 live_report *report, void *data);
void live_destroy(struct live *live);

/*
 * Another book in place of the last; what is known of places that are in both stays known. It is
 * borrowed until the next call. `serial` goes into answers. `all`: check every address, whatever
 * the book says.
 */
void live_set_book(struct live *live, const struct address_book *book, uint32_t serial, bool all);
const struct address_book *live_book(const struct live *live);
/* `call` comes once, when there is a book for the first time. */
typedef void live_begun(void *data);
void live_on_book(struct live *live, live_begun *call, void *data);
/* Another number with each book; 0: there is none yet. */
uint32_t live_generation(const struct live *live);

/*
 * A probe of address:NAME, in place of the one in the same slot: `report` is called as a prober
 * would, when it is known whether the address answers and whenever that changes.
 */
void live_watch(struct live *live, const struct probe_spec *spec, const char *name,
		probe_report *report, void *data);
/* False: there is no such watch here. */
bool live_drop(struct live *live, uint16_t slot, uint32_t serial);
void live_drop_all(struct live *live);
void live_resume(struct live *live);

/* 1: the address with this number answers; 0: it does not; -1: not known yet. */
int live_state(const struct live *live, uint32_t index);

/* Calls back with the explanation of the address; looks names up that nobody has looked up yet, so
 * that a later call knows more. */
struct explanation;
typedef void live_tell(void *data, const struct explanation *what);
void live_explain(struct live *live, uint32_t index, live_tell *tell, void *data);

#endif
