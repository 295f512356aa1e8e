/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_ADDRESSES_H
#define MUSTER_ADDRESSES_H

#include <stdbool.h>

/* Init's side of addresses that change: the sidecar is told the book, and says what it found. */
struct link_answer;
struct supervisor;

/* Tells the sidecar what of the book it does not know yet. False: it does not take more now. */
bool addresses_send(struct supervisor *sup);
/* Everything has to be said again: another sidecar, or another book. */
void addresses_renew(struct supervisor *sup);
/* Puts an answer in force and tells the services that asked. `answer` may hold anything. */
void addresses_take(struct supervisor *sup, const struct link_answer *answer);

#endif
