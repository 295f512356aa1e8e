/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_VOICE_H
#define MUSTER_VOICE_H

#include <stdint.h>

/*
 * What wrap mode has to say, as events; the words belong to the name that the program was called by
 * (personality.h). A line goes out whole or, where its descriptor would block, not at all: nobody
 * may hold up an init.
 */
enum voice_event {
	VOICE_NO_BLOCKING, /* error: signals cannot be blocked */
	VOICE_NO_SUBREAPER,
	VOICE_NO_DEATH_SIGNAL,
	VOICE_EXEC_FAILED, /* what, detail, error */
	VOICE_STEP_FAILED, /* what, detail: the step, error */
	VOICE_LOST,        /* what, pid */
	VOICE_LEFT_FAILED, /* what, error */
	VOICE_UNKILLABLE,  /* what */
	VOICE_ERRORS_END,  /* those before are said always, those behind where asked for */
	VOICE_ADOPTED_EXITED = VOICE_ERRORS_END, /* pid, number: code */
	VOICE_ADOPTED_KILLED,                    /* pid, number: signal */
	VOICE_NOT_REAPER,
	VOICE_LOUD,   /* words are switched on by a variable */
	VOICE_SINGLE, /* no session, by a variable */
	VOICE_NO_TERMINAL,
	VOICE_DETACHED,
	VOICE_SESSION,
	VOICE_STARTED, /* what, pid */
	VOICE_CHILD_SIGNAL,
	VOICE_RECEIVED,    /* number */
	VOICE_HANDED_OVER, /* number: belongs to letting go of the terminal */
	VOICE_TRANSLATED,  /* number, other */
	VOICE_PASSING,     /* number, other: what is sent */
	VOICE_FORWARDED,   /* other */
	VOICE_DROPPED,     /* number */
	VOICE_SEND_FAILED, /* number, pid, error */
	VOICE_SUSPENDING,
	VOICE_CHILD_EXITED, /* any child, pid, number: code */
	VOICE_CHILD_KILLED, /* any child, pid, number: signal */
	VOICE_MAIN_EXITED,
	VOICE_MAIN_KILLED,
	VOICE_TERM_LEFT, /* what */
	VOICE_KILL_LEFT, /* what */
	VOICE_KILLED,    /* what, pid */
	VOICE_REAPED,    /* number: how many were adopted */
	VOICE_GOODBYE,   /* number: code */
	VOICE_EVENTS
};

/* Sets of events, a bit each. */
#define VOICE_BIT(event) (UINT64_C(1) << (event))
#define VOICE_ERRORS     (VOICE_BIT(VOICE_ERRORS_END) - 1)
#define VOICE_ADOPTED    (VOICE_BIT(VOICE_ADOPTED_EXITED) | VOICE_BIT(VOICE_ADOPTED_KILLED))
#define VOICE_ALL        (VOICE_BIT(VOICE_EVENTS) - 1)

#define VOICE_LEVELS 5

/*
 * In texts and prefixes: %p pid, %n number, %o other, %s and %t their names as signals ("TERM"),
 * %k the first one's description ("Terminated"), %w what, %d detail, %e error, %i this process.
 */
struct voice {
	uint8_t stdout_from; /* lines of this level and above go to stdout; 0: none */
	char prefix[VOICE_LEVELS][24];
	struct {
		uint8_t level;  /* 0: always said */
		char text[111]; /* "": never said */
	} lines[VOICE_EVENTS];
};

struct voice_words {
	int pid;
	int number;
	int other;
	int error; /* errno; 0: "not what was asked for" */
	const char *what;
	const char *detail;
};

/* The events that have a text at this level or below. */
uint64_t voice_events(const struct voice *voice, unsigned level);
/* Says it; voice NULL: in muster-init's own words. */
void voice_say(const struct voice *voice, enum voice_event event, const struct voice_words *words);

#endif
