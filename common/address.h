/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_ADDRESS_H
#define MUSTER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "endpoint.h"

/*
 * The address book: what the [address:NAME] sections and the environment say about where things
 * are, for the mode in force. Nothing is looked up in the DNS and nothing is connected to: that is
 * the sidecar's. Built by config_load, in config.addresses.
 *
 * For an address NAME (upper case in variables) these are tried in order:
 *   1. NAME_URL, NAME_ADDR, or NAME_HOST with NAME_PORT, in the environment: it alone counts, with
 *      what stands in the entry of the mode behind a part that mentions it
 *   2. the entry of the mode: one or several hosts
 *   3. NAME_SERVICE_HOST with NAME_SERVICE_PORT (Kubernetes), NAME_PORT=tcp://host:port (links)
 *   4. `fallback`
 *   5. in mode kubernetes, without an entry for it: NAME itself as a name in the DNS
 */
struct address_candidate {
	const char *host; /* no brackets */
	const char *srv; /* the SRV record that says more than host and port; NULL: there is none */
	uint16_t port;
	const char *source; /* "environment REDIS_URL", "muster.ini:12 container" */
};

/* One place that was looked at. */
struct address_step {
	const char *source;
	const char *note;  /* why it gave nothing; NULL: it gave this candidate */
	int32_t candidate; /* -1: none */
};

/* Whether the sidecar looks after an address, and how. */
enum address_check {
	ADDRESS_AUTO, /* as with connect where there is a choice, or somebody waits or wants to know
		       */
	ADDRESS_CONNECT,
	ADDRESS_DNS, /* the name is looked up, nothing is connected to */
	ADDRESS_UNCHECKED
};

/* What is in force, by what the sidecar found last; at first the first candidate. */
struct address_now {
	char host[HOST_SIZE];
	char number[48]; /* the numeric address behind it; empty: not known */
	uint16_t port;
	uint16_t candidate;
};

struct address_entry {
	const char *name;
	/* in order of preference; the first is what services get while nothing else is known */
	const struct address_candidate *candidates;
	uint32_t count;    /* 0: it has no address here */
	const char *tried; /* the steps in one line when all of them gave nothing; else NULL */
	const struct address_step *steps; /* all places, in order */
	uint32_t step_count;
	uint32_t check_period; /* ms */
	char *const *hosts; /* names for the hosts file, NULL-ended; NULL: not loaded from files */
	/* where the sidecar listens to pass connections on, numeric host:port, NULL-ended; likewise
	 */
	char *const *forward;
	uint8_t check; /* enum address_check; in a book that is loaded never ADDRESS_AUTO */
	bool asked;    /* somebody waits for it, or wants to know when it changes */
	struct address_now *now; /* NULL in a book without candidates */
};

/* A text that mentions addresses and follows them: the values of services. */
struct address_text {
	const char *template;
	char *text; /* with room for whatever the addresses become */
};

struct table;
struct address_book {
	const struct address_entry *entries; /* in the order of the configuration */
	const struct table *index;           /* name -> number of the entry */
	uint32_t count;
	const char *mode;        /* in force, */
	const char *mode_source; /* and who says so */
	struct address_text *texts;
	uint32_t text_count;
};

#define ADDRESS_MAX 10000

/* The address with this name, or NULL. */
const struct address_entry *address_find(const struct address_book *book, const char *name);

/*
 * Puts another answer in force: a candidate, or for one with an SRV record the host and port that
 * DNS says (host NULL or empty: the candidate's own). Fills all texts of the book that mention the
 * address again; allocates nothing. False: it was in force already, as far as texts can tell.
 */
bool address_choose(const struct address_book *book, uint32_t index, uint32_t candidate,
		    const char *host, uint16_t port);
/* Carries what is in force in an older book over to addresses that still have that candidate. */
void address_adopt(const struct address_book *book, const struct address_book *old);

/* Whether the bytes are a host and nothing else: terminated, and only of characters that names and
 * numbers have. For what comes from another process. */
bool address_host_valid(const char *host, size_t size);

/*
 * References in templates, made while a configuration is loaded: a few bytes that no text in UTF-8
 * has, the part, and the number of the address.
 */
enum address_part {
	PART_WHOLE = 'a',     /* host:port */
	PART_HOST = 'h',      /* without brackets */
	PART_BRACKETED = 'b', /* the host as it stands before :port */
	PART_PORT = 'p'
};
#define ADDRESS_MARK      "\xff\xfe"
#define ADDRESS_REFERENCE 8 /* bytes with the NUL */
char *address_reference(char buffer[ADDRESS_REFERENCE], enum address_part part, uint32_t index);
/* The number of references, each of which takes at most ENDPOINT_SIZE bytes. */
size_t address_text_references(const struct address_book *book, const char *template);
/* False: it does not fit. */
bool address_text_fill(const struct address_book *book, const char *template, char *out,
		       size_t size);

#endif
