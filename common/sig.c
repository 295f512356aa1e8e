/* SPDX-License-Identifier: MIT */
#include "sig.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "str.h"

static const char names[][8] = {
	[SIGHUP] = "HUP",   [SIGINT] = "INT",       [SIGQUIT] = "QUIT", [SIGILL] = "ILL",
	[SIGTRAP] = "TRAP", [SIGABRT] = "ABRT",     [SIGBUS] = "BUS",   [SIGFPE] = "FPE",
	[SIGKILL] = "KILL", [SIGUSR1] = "USR1",     [SIGSEGV] = "SEGV", [SIGUSR2] = "USR2",
	[SIGPIPE] = "PIPE", [SIGALRM] = "ALRM",     [SIGTERM] = "TERM", [SIGSTKFLT] = "STKFLT",
	[SIGCHLD] = "CHLD", [SIGCONT] = "CONT",     [SIGSTOP] = "STOP", [SIGTSTP] = "TSTP",
	[SIGTTIN] = "TTIN", [SIGTTOU] = "TTOU",     [SIGURG] = "URG",   [SIGXCPU] = "XCPU",
	[SIGXFSZ] = "XFSZ", [SIGVTALRM] = "VTALRM", [SIGPROF] = "PROF", [SIGWINCH] = "WINCH",
	[SIGIO] = "IO",     [SIGPWR] = "PWR",       [SIGSYS] = "SYS",
};
#define NAMED ((int)(sizeof(names) / sizeof(names[0])))

/* RTMIN, RTMIN+n, RTMAX, RTMAX-n. */
static int parse_realtime(const char *text)
{
	uint64_t offset = 0;
	int base, sign;

	if (strncasecmp(text, "RTMIN", 5) == 0) {
		base = SIG_FIRST_RT;
		sign = 1;
	} else if (strncasecmp(text, "RTMAX", 5) == 0) {
		base = SIG_LAST_RT;
		sign = -1;
	} else {
		return -1;
	}
	text += 5;
	if (*text == '\0')
		return base;
	if (*text != (sign > 0 ? '+' : '-') ||
	    !parse_uint(text + 1, SIG_LAST_RT - SIG_FIRST_RT, &offset))
		return -1;
	return base + sign * (int)offset;
}

int sig_parse(const char *text)
{
	uint64_t number;
	int i;

	if (parse_uint(text, SIG_LAST_RT, &number))
		return number > 0 ? (int)number : -1;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (i = 1; i < NAMED; i++)
		if (names[i][0] && strcasecmp(names[i], text) == 0)
			return i;
	if (strcasecmp(text, "POLL") == 0)
		return SIGIO;
	if (strcasecmp(text, "CLD") == 0)
		return SIGCHLD;
	if (strcasecmp(text, "IOT") == 0)
		return SIGABRT;
	return parse_realtime(text);
}

const char *sig_name(int signal, char *buffer, size_t size)
{
	if (signal > 0 && signal < NAMED && names[signal][0])
		return names[signal];
	if (signal == SIG_FIRST_RT)
		return "RTMIN";
	if (signal == SIG_LAST_RT)
		return "RTMAX";
	if (signal > SIG_FIRST_RT && signal < SIG_LAST_RT) {
		snprintf(buffer, size, "RTMIN+%d", signal - SIG_FIRST_RT);
		return buffer;
	}
	if (signal > 0 && signal <= SIG_LAST_RT) {
		snprintf(buffer, size, "%d", signal);
		return buffer;
	}
	return "?";
}
