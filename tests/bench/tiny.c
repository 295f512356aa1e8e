/* SPDX-License-Identifier: MIT */
/*
 * tiny FILE NUMBER DELAY FD: the service of the benchmark. Becomes ready after DELAY milliseconds,
 * says so with a newline on descriptor FD (-1: it does not say so), then waits for SIGTERM and
 * exits 0. Its record in FILE tells when it started, was ready and was told to stop, so that times
 * come from the services and not from what an init believes.
 *
 * The four words may also come as one, with something after it: so the kernel calls an interpreter,
 * and `#!/path/tiny FILE NUMBER DELAY FD` is a run script for s6 and runit without a shell in
 * between.
 */
#include "record.h"
#include "sys.h"

#define WORDS         4
#define EAGAIN_RESULT (-11)

static long parse_number(const char *text)
{
	long value = 0;
	int negative = *text == '-';

	for (text += negative; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (*text - '0');
	return negative ? -value : value;
}

/* Cuts `line` at blanks into `words`; returns how many there were. */
static int split_words(char *line, char **words)
{
	int count = 0;

	while (count < WORDS) {
		while (*line == ' ')
			line++;
		if (!*line)
			break;
		words[count++] = line;
		while (*line && *line != ' ')
			line++;
		if (*line)
			*line++ = '\0';
	}
	return count;
}

/* Waits until the service is ready (0), or 1 when it is told to stop before. */
static int wait_delay(long milliseconds)
{
	struct sys_time delay = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	if (milliseconds == 0)
		return 0;
	return sys_wait_signal(SYS_BIT(SYS_SIGTERM), &delay) != EAGAIN_RESULT;
}

static void tell_ready(long fd)
{
	if (fd < 0)
		return;
	sys4(__NR_write, fd, (long)"\n", 1, 0);
	sys4(__NR_close, fd, 0, 0, 0);
}

int run(int argc, char **argv, char **envp)
{
	struct service_record record;
	char *words[WORDS];
	long file, place, size = sizeof(record);

	(void)envp;
	record.start = sys_now();
	sys_mask(SYS_BLOCK, SYS_BIT(SYS_SIGTERM));
	if (argc > WORDS)
		for (int i = 0; i < WORDS; i++)
			words[i] = argv[i + 1];
	else if (argc < 2 || split_words(argv[1], words) != WORDS)
		return 2;
	file = sys4(__NR_openat, SYS_AT_FDCWD, (long)words[0], SYS_WRITE_ONLY | SYS_CLOEXEC, 0);
	if (file < 0)
		return 1;
	place = parse_number(words[1]) * size;

	record.ready = 0;
	record.pid = sys4(__NR_getpid, 0, 0, 0, 0);
	record.term = 0;
	if (wait_delay(parse_number(words[2])) == 0) {
		record.ready = sys_now();
		tell_ready(parse_number(words[3]));
		sys4(__NR_pwrite64, file, (long)&record, size, place);
		while (sys_wait_signal(SYS_BIT(SYS_SIGTERM), 0) != SYS_SIGTERM)
			;
	}
	record.term = sys_now();
	sys4(__NR_pwrite64, file, (long)&record, size, place);
	return 0;
}
