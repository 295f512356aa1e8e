/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_KEYS_H
#define MUSTER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The one table of sections and keys. It drives parsing, the names of overrides in the
 * environment, defaults, the form named in an error, and "did you mean"; a test holds
 * muster.ini(5) against it.
 */
enum section_kind {
	SECTION_MUSTER,
	SECTION_SIDECAR,
	SECTION_SERVICE,
	SECTION_ADDRESS,
	SECTION_PEER,
	SECTION_KINDS
};

/* How a value is read, and into what field of the section's draft (config_load.h). */
enum key_form {
	KEY_TEXT,     /* const char * */
	KEY_NAME,     /* const char *, as services are named */
	KEY_PATH,     /* const char *, absolute */
	KEY_BOOL,     /* bool */
	KEY_DURATION, /* uint32_t, ms, min .. max */
	KEY_SIZE,     /* uint64_t, at least min */
	KEY_NUMBER,   /* int64_t, min .. max */
	KEY_CPUS,     /* cpu_set_t */
	KEY_CORES,    /* uint32_t, microseconds in each CPU_PERIOD */
	KEY_WORD,     /* uint8_t: the index in `words` */
	KEY_SIGNAL,   /* uint8_t */
	KEY_MASK,     /* int64_t, octal */
	KEY_COMMAND,  /* char *const * */
	KEY_LOG,      /* struct log_draft */
	KEY_PARALLEL, /* uint32_t */
	KEY_BACKOFF,  /* struct range_draft: MIN..MAX, ms */
	KEY_RATE,     /* struct range_draft: N/DURATION */
	KEY_CHANGE,   /* uint8_t: CHANGE_IGNORE, CHANGE_RESTART or a signal */
	KEY_HOSTS,    /* const char *: a path, NULL for no */
	KEY_GPU,      /* const char *: "any" or "8.9" */
	KEY_LIMIT,    /* entry of struct limits_draft; `min` is the RLIMIT_*, `max` 1 for bytes */
	/* read later, with the section as a whole: const struct entry * */
	KEY_LIST,
	KEY_LINES,
	KEY_PROBE,
	KEY_ADDRESS,
	KEY_URL
};

struct key {
	const char *name;
	uint8_t section; /* enum section_kind */
	uint8_t form;    /* enum key_form */
	bool no_parse;   /* `fallback` is a word of the manual, not a value */
	uint16_t offset;
	int64_t min, max;
	const char *const *words; /* NULL-ended */
	const char *fallback;     /* the default; NULL: none */
	const char *accepts;      /* replaces what the form says about itself in messages */
};

/* All of them, grouped by section. */
extern const struct key keys[];
extern const size_t key_count;

/* The words of `mode`, in the order of enum run_mode; then "auto". NULL-ended. */
extern const char *const key_modes[];
/* Those of `gpu`, in the order of enum gpu_mode. NULL-ended. */
extern const char *const key_gpus[];

/* The key, or NULL. */
const struct key *key_find(enum section_kind section, const char *name);

/* What the key accepts, for messages: "a duration such as 250ms, 10s, 2m or 1h". */
const char *key_accepts(const struct key *key, char *buffer, size_t size);

/* The word before the colon of a section's header, and whether a name follows. */
const char *section_word(enum section_kind kind);
bool section_is_named(enum section_kind kind);

/*
 * The name of an environment variable for a name in the configuration: upper case, and `_` for
 * whatever is no letter or digit. Cut at `size`.
 */
void key_variable(const char *name, char *buffer, size_t size);

#endif
