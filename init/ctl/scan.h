/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SCAN_H
#define MUSTER_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "endpoint.h"

/*
 * musterctl scan: hard-coded addresses in the files of a tree. What a file is (scan_kind.c) decides
 * what of it is a comment or a string (scan_marks.c); in the rest literals are found (scan_find.c)
 * and judged by what stands around them (scan_judge.c); the address book gives them names
 * (scan_book.c), and suggestions follow (scan_suggest.c). Time is linear in the text and memory
 * bounded by the largest file that is read.
 */
#define SCAN_FILE_MAX ((size_t)4 << 20)

/* ---- scan_kind.c ---- */

enum scan_kind {
	KIND_TEXT, /* nothing in particular */
	KIND_PYTHON,
	KIND_SCRIPT, /* JavaScript and TypeScript */
	KIND_C,
	KIND_GO,
	KIND_RUST,
	KIND_JAVA, /* and what runs beside it, C# and PHP too */
	KIND_RUBY,
	KIND_SHELL,
	KIND_ENV,
	KIND_YAML,
	KIND_COMPOSE,
	KIND_MANIFEST, /* YAML of Kubernetes */
	KIND_INI,
	KIND_MUSTER,
	KIND_SUPERVISORD,
	KIND_TOML,
	KIND_JSON,
	KIND_XML,
	KIND_DOCKERFILE,
	KIND_CONF, /* nginx, redis, haproxy, make: # begins a comment */
	KIND_SQL,
	KIND_PACKAGES, /* dependencies with their versions */
	KIND_PROSE,
	KIND_SKIPPED /* made by a program from another file: nothing to be changed by hand */
};

/* What begins a comment, and what a string. */
enum scan_syntax {
	SYNTAX_HASH = 1 << 0, /* # at the start of a line or behind a blank */
	SYNTAX_HASH_ANYWHERE = 1 << 1,
	SYNTAX_SLASHES = 1 << 2, /* two slashes, and slash star */
	SYNTAX_SEMICOLON = 1 << 3,
	SYNTAX_DASHES = 1 << 4,
	SYNTAX_MARKUP = 1 << 5,
	SYNTAX_TRIPLE = 1 << 6, /* """ and ''' */
	SYNTAX_BACKQUOTE = 1 << 7,
	SYNTAX_ALL = 1 << 8, /* all of it is prose */
	SYNTAX_CODE = 1 << 9 /* data stands in quotes */
};

/* By the path and the first bytes. */
enum scan_kind scan_kind_of(const char *path, const char *text, size_t size);
unsigned scan_syntax_of(enum scan_kind kind);
const char *scan_kind_name(enum scan_kind kind);
/* Whether a suggestion may be put into such a file by --fix. */
bool scan_kind_fixable(enum scan_kind kind);

/* ---- scan_marks.c ---- */

#define MARK_CODE    0
#define MARK_COMMENT 'c'
/* or the quote that a string stands in: ' " ` */

/* Marks each byte of the text; `marks` has room for `size`. */
void scan_marks(unsigned syntax, const char *text, size_t size, char *marks);

/* ---- scan_find.c ---- */

enum scan_class {
	SCAN_ADDRESS, /* to be replaced; all others are reported apart */
	SCAN_BIND,    /* listens on all addresses or on loopback */
	SCAN_LOOPBACK,
	SCAN_COMMENT,
	SCAN_DOCUMENTATION, /* ranges and names that are kept free for examples */
	SCAN_NETWORK,       /* a range of addresses, or a multicast group */
	SCAN_CLASSES
};
const char *scan_class_name(enum scan_class class);

#define SCAN_WORD_SIZE 64

struct scan_hit {
	size_t at, len;        /* in the text: host, brackets and port */
	size_t left;           /* where what it belongs to begins: a URL's scheme, else `at` */
	unsigned line, column; /* from 1; columns count bytes */
	enum scan_class class;
	char host[HOST_SIZE]; /* without brackets, as written */
	uint16_t port;        /* 0: none */
	bool number;          /* an address and not a name */
	bool bracketed;
	bool flow;                 /* YAML: within [ ] or { } */
	bool fixed_by_file;        /* what the file itself defines: not to be replaced */
	char quote;                /* that it stands in; 0: none */
	char scheme[16];           /* of the URL; empty */
	char word[SCAN_WORD_SIZE]; /* the identifier to its left, such as REDIS_HOST; empty */
};

struct scan_text {
	enum scan_kind kind;
	const char *bytes;
	size_t size;
	const char *marks;
	/* whether a name with this port is known to be an address (the book); may be NULL */
	bool (*known)(void *user, const char *host, uint16_t port);
	void *user;
};

/* Calls `found` for each literal in order of the text, until it returns false. */
void scan_find(const struct scan_text *text, bool (*found)(void *user, const struct scan_hit *hit),
	       void *user);

/* ---- scan_judge.c ---- */

/* A literal and the line around it, as the finder sees them. */
struct scan_place {
	const struct scan_text *text;
	size_t line_at, line_end;
	const char *carried; /* the word that opened the list that this line is an item of, or "" */
};

/* Sets the class and `word`. False: it is no address at all but a look-alike. */
bool scan_judge(const struct scan_place *place, struct scan_hit *hit);
/* The identifier that stands nearest before `at`, not before `from`; "" when there is none. */
void scan_word_before(const char *text, size_t from, size_t at, char out[SCAN_WORD_SIZE]);
/* Whether one of the word's parts, as in api_host or apiHost, is in the list " a b c ". */
bool scan_word_has(const char *word, const char *list);
#define SCAN_HOST_WORDS                                                                            \
	" host hosts hostname addr addrs address addresses ip ips ipaddr server servers url urls " \
	"uri uris endpoint endpoints broker brokers bootstrap upstream upstreams target targets "  \
	"seed seeds node nodes peer peers master replica proxy backend backends gateway dsn "      \
	"nameserver "

/* ---- scan_book.c ---- */

struct scan_book;
struct ctl;

struct scan_match {
	const char *name;           /* in the book; NULL: nothing there matches */
	const char *by;             /* "value", "port" or "name" */
	const char *mode;           /* by value: the mode whose entry it is; NULL */
	char guess[SCAN_WORD_SIZE]; /* a name that it could get; empty */
};

/* The addresses of all modes. NULL: the configuration cannot be read, which was said. An empty book
 * where there is no configuration. */
struct scan_book *scan_book_load(const struct ctl *ctl);
void scan_book_free(struct scan_book *book);
uint32_t scan_book_count(const struct scan_book *book);
void scan_book_match(const struct scan_book *book, const struct scan_hit *hit,
		     struct scan_match *match);
/* For scan_text.known. */
bool scan_book_knows(void *book, const char *host, uint16_t port);

/* ---- scan_suggest.c ---- */

#define SUGGESTION_SIZE 192

/* What to write in its place. */
void scan_suggest(enum scan_kind kind, const struct scan_hit *hit, const struct scan_match *match,
		  char out[SUGGESTION_SIZE]);
/* Whether the suggestion can be put in the place of the literal as it is. */
bool scan_can_fix(enum scan_kind kind, const struct scan_hit *hit, const struct scan_match *match);

/* ---- scan_walk.c ---- */

struct arg_list;

struct scan_walk {
	const struct arg_list *ignored; /* patterns */
	/* a regular file, open for reading; `folder` is open too. False: that is enough. */
	bool (*file)(void *user, int folder, const char *name, const char *path, int fd);
	void *user;
	unsigned unreadable; /* said on standard error */
};

/* A warning about a file, whose name may hold anything. */
void scan_say(const char *path, const char *why);
/* A file or a folder and all below it, in order of names. Symbolic links are not followed. */
bool scan_walk(struct scan_walk *walk, const char *path);

/* ---- scan_fix.c ---- */

struct scan_edit {
	size_t at, len;
	char text[SUGGESTION_SIZE];
};

/* The differences as a unified diff; no replacement holds a line break. */
void scan_diff(FILE *out, const char *path, const char *text, size_t size,
	       const struct scan_edit *edits, size_t count);
/*
 * Puts the new text in the file's place at once or not at all, with its mode and owner. `fd` is the
 * file as it was read. NULL, or why not.
 */
const char *scan_replace(int folder, const char *name, int fd, const char *text, size_t size,
			 const struct scan_edit *edits, size_t count);

#endif
