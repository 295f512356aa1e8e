/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_LOG_H
#define MUSTER_LOG_H

#include <stdarg.h>
#include <stddef.h>

/*
 * What a program itself has to say, one line each: "muster-init: web: cannot start: not found".
 * Library code returns errors and stays silent; main and the edges of the loop speak.
 */
enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* The program's name before each line, and the most talkative level that is printed. */
void log_open(const char *program, enum log_level most);

/*
 * Where lines go: by default one write(2) to descriptor 2. A sink gets the whole line, newline
 * included; muster-init sets one that can never block.
 */
typedef void log_sink(const char *line, size_t len);
void log_set_sink(log_sink *sink);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
