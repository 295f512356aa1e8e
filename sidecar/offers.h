/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_OFFERS_H
#define SIDECAR_OFFERS_H

#include <stdbool.h>

/*
 * What the sidecar offers programs beside it that know nothing of muster: answers to names, and
 * ports at which addresses are found. Where, it is told by options, as muster-init does, or by the
 * configuration when it is alone.
 */
struct config;
struct sidecar;

#define OFFER_DNS_MAX      16
#define OFFER_UPSTREAM_MAX 8
#define OFFER_FORWARD_MAX  64
#define OFFER_ZONE         "muster"

/* As dns.h and forward.h have them; each list has a NULL at its end. */
struct offers {
	const char *dns[OFFER_DNS_MAX + 1];
	const char *upstream[OFFER_UPSTREAM_MAX + 1];
	const char *forward[OFFER_FORWARD_MAX + 1];
	const char *zone;
};

/* Puts a text, borrowed, at the end of a list that has a NULL there. False, said: it has as many as
 * there may be of `what`. */
bool offers_add(const char **list, unsigned most, const char *text, const char *what);
/* What the configuration says, besides what options say. False: there is too much of it. */
bool offers_read(struct offers *offers, const struct config *config);

/* Opens the ports. False: it cannot be, and the log says why. */
bool offers_open(struct sidecar *sidecar);
/* Begins as soon as there is a book. */
void offers_start(struct sidecar *sidecar);
void offers_close(struct sidecar *sidecar);

#endif
