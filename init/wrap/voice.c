/* SPDX-License-Identifier: MIT */
#include "voice.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sig.h"

static const struct voice own = {
	.prefix = {"muster-init: ", "muster-init: "},
	.lines =
		{
			[VOICE_NO_BLOCKING] = {0, "cannot block signals: %e"},
			[VOICE_NO_SUBREAPER] = {0, "cannot become a subreaper: %e"},
			[VOICE_NO_DEATH_SIGNAL] =
				{0, "cannot ask for signal %n at the parent's death: %e"},
			[VOICE_EXEC_FAILED] = {0, "cannot start %w: %d%e"},
			[VOICE_STEP_FAILED] = {0, "cannot start %w: %d: %e"},
			[VOICE_LOST] = {0, "lost track of %w, process %p"},
			[VOICE_LEFT_FAILED] = {0, "cannot end what %w left behind: %e"},
			[VOICE_UNKILLABLE] =
				{0, "something that %w left behind has not ended after KILL: it is "
				    "frozen, or in a call that nothing interrupts"},
			[VOICE_ADOPTED_EXITED] = {1, "reaped adopted process %p: code %n"},
			[VOICE_ADOPTED_KILLED] = {1, "reaped adopted process %p: signal %s"},
			[VOICE_STARTED] = {1, "started %w, process %p"},
			[VOICE_PASSING] = {1, "signal %s: passed on as %t"},
			[VOICE_DROPPED] = {1, "signal %s: dropped"},
			[VOICE_SEND_FAILED] = {1, "cannot send signal %n to %p: %e"},
			[VOICE_MAIN_EXITED] = {1, "the program has ended, process %p: code %n"},
			[VOICE_MAIN_KILLED] = {1, "the program has ended, process %p: signal %s"},
			[VOICE_TERM_LEFT] = {1, "TERM to what %w left behind"},
			[VOICE_KILL_LEFT] = {1, "KILL to what %w left behind"},
			[VOICE_KILLED] = {1, "KILL to %w, process %p"},
			[VOICE_REAPED] = {1, "adopted processes reaped: %n"},
		},
};

uint64_t voice_events(const struct voice *voice, unsigned level)
{
	uint64_t events = 0;

	for (int i = 0; i < VOICE_EVENTS; i++)
		if (voice->lines[i].text[0] && voice->lines[i].level <= level)
			events |= VOICE_BIT(i);
	return events;
}

/* What a letter stands for; numbers and names are written into `buffer`. */
static const char *expand(char letter, const struct voice_words *words, char *buffer, size_t size)
{
	int number = letter == 'p'   ? words->pid
		     : letter == 'o' ? words->other
		     : letter == 'i' ? (int)getpid()
				     : words->number;

	switch (letter) {
	case 'w':
		return words->what;
	case 'd':
		return words->detail ? words->detail : "";
	case 'e':
		return words->error ? strerror(words->error) : "not what was asked for";
	case 'k':
		return strsignal(words->number);
	case 's':
		return sig_name(words->number, buffer, size);
	case 't':
		return sig_name(words->other, buffer, size);
	default:
		snprintf(buffer, size, "%d", number);
		return buffer;
	}
}

/* Appends the text to `line`, as much as fits; returns the new length. */
static size_t write_text(char *line, size_t len, size_t size, const char *text,
			 const struct voice_words *words)
{
	for (; *text && len < size; text++) {
		char buffer[16], single[2] = {*text, '\0'};
		const char *part = single;
		size_t part_len;

		if (*text == '%')
			part = expand(*++text, words, buffer, sizeof(buffer));
		part_len = strnlen(part, size - len);
		memcpy(line + len, part, part_len);
		len += part_len;
	}
	return len;
}

void voice_say(const struct voice *voice, enum voice_event event, const struct voice_words *words)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	unsigned level;
	char line[512];
	ssize_t written;
	size_t len;

	if (!voice)
		voice = &own;
	level = voice->lines[event].level;
	if (!voice->lines[event].text[0])
		return;
	if (voice->stdout_from && level >= voice->stdout_from)
		out.fd = STDOUT_FILENO;
	len = write_text(line, 0, sizeof(line) - 1, voice->prefix[level], words);
	len = write_text(line, len, sizeof(line) - 1, voice->lines[event].text, words);
	line[len++] = '\n';
	if (poll(&out, 1, 0) != 1 || out.revents != POLLOUT)
		return;
	written = write(out.fd, line, len);
	(void)written;
}
