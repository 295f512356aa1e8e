/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <stdio.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static const char *program_name = "muster";
static enum log_level most_level = LOG_INFO;

static void write_stderr(const char *line, size_t len)
{
	ssize_t n = write(STDERR_FILENO, line, len);

	(void)n; /* nobody is left to tell */
}

static log_sink *sink = write_stderr;

void log_open(const char *program, enum log_level most)
{
	program_name = program;
	most_level = most;
}

void log_set_sink(log_sink *new_sink)
{
	sink = new_sink ? new_sink : write_stderr;
}

__attribute__((format(printf, 2, 0))) static void emit(enum log_level level, const char *format,
						       va_list args)
{
	char line[LINE_MAX_BYTES];
	int len, more;

	if (level > most_level)
		return;
	len = snprintf(line, sizeof(line), "%s: %s", program_name,
		       level == LOG_ERROR     ? "error: "
		       : level == LOG_WARNING ? "warning: "
					      : "");
	if (len < 0 || (size_t)len >= sizeof(line) - 1)
		return;
	more = vsnprintf(line + len, sizeof(line) - (size_t)len - 1, format, args);
	if (more < 0)
		return;
	len += more;
	if ((size_t)len > sizeof(line) - 2)
		len = (int)sizeof(line) - 2; /* the line was cut */
	line[len++] = '\n';
	sink(line, (size_t)len);
}

#define LOG_FUNCTION(name, level)                                                                  \
	void name(const char *format, ...)                                                         \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, format);                                                            \
		emit(level, format, args);                                                         \
		va_end(args);                                                                      \
	}

LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warning, LOG_WARNING)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)
