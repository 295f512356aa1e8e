/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_MATCH_H
#define MUSTER_MATCH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Regular expressions for log: probes, matched inside PID 1: linear time whatever the text, no
 * allocation while matching (regexec(3) allocates and backtracks). The syntax is the part of POSIX
 * extended regular expressions (regex(7)) that people use on log lines: literals, `.`, `[set]`,
 * `*`, `+`, `?`, `|`, `( )`, `^`, `$`, and \d \w \s and escaped punctuation. No back-references,
 * no {m,n}. At most MATCH_POSITIONS characters of pattern (operators not counted).
 */
#define MATCH_POSITIONS 63

struct arena;
struct match;

/* Compiles into the arena. NULL with a reason in *error (static text). */
const struct match *match_compile(struct arena *arena, const char *pattern, const char **error);

/* Whether the expression matches anywhere in the line. */
bool match_line(const struct match *match, const char *line, size_t len);

#endif
