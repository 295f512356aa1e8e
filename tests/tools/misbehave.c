/* SPDX-License-Identifier: MIT */
/*
 * misbehave ACTION...: does what services do at their worst, one action after another, and exits 0
 * behind the last. Used by the tests in tests/run; `misbehave help` prints the actions.
 * [ ACTION... ] is a list of actions as one argument list, each bracket a word of its own.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sig.h"

#define NESTING_MAX 8

static void run_actions(char **words);
static void do_pid(char **words);

__attribute__((noreturn, format(printf, 1, 2))) static void give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "misbehave: ");
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(99);
}

static int number(const char *word)
{
	char *end;
	long value = strtol(word, &end, 10);

	if (*end || end == word)
		give_up("not a number: %s", word);
	return (int)value;
}

static int signal_number(const char *word)
{
	int signo = sig_parse(word);

	if (signo < 0)
		give_up("not a signal: %s", word);
	return signo;
}

static void pause_ms(int ms)
{
	struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* ---- endings ---- */

static void do_exit(char **words)
{
	fflush(stdout);
	_exit(number(words[0]));
}

static void do_die(char **words)
{
	int signo = signal_number(words[0]);
	struct rlimit no_core = {0, 0};
	sigset_t set;

	setrlimit(RLIMIT_CORE, &no_core);
	fflush(stdout);
	signal(signo, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	kill(getpid(), signo);
	pause_ms(5000);
	give_up("signal %s did not end this process", words[0]);
}

static void do_crash(char **words)
{
	struct rlimit no_core = {0, 0};
	volatile int *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)words;
	setrlimit(RLIMIT_CORE, &no_core);
	*nowhere = 1;
}

static void do_forever(char **words)
{
	(void)words;
	for (;;)
		pause();
}

static void do_sleep(char **words)
{
	pause_ms(number(words[0]));
}

static void do_exec(char **words)
{
	execvp(words[0], words);
	give_up("exec %s: %s", words[0], strerror(errno));
}

/* ---- signals ---- */

static char **on_signal[65];

static void handle(int signo)
{
	run_actions(on_signal[signo]);
}

static void do_ignore(char **words)
{
	signal(signal_number(words[0]), SIG_IGN);
}

static void do_on(char **words)
{
	int signo = signal_number(words[0]);
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_NODEFER};

	on_signal[signo] = words + 1;
	if (sigaction(signo, &action, NULL) < 0)
		give_up("on %s: %s", words[0], strerror(errno));
}

static void do_send(char **words)
{
	pid_t pid = strcmp(words[1], "self") == 0 ? getpid() : number(words[1]);

	if (pid <= 0 || kill(pid, signal_number(words[0])) < 0)
		give_up("send %s %s: %s", words[0], words[1], strerror(errno));
}

/* Takes signals without handlers, so that all 64 can be seen; a line each: number and value. */
static void do_record(char **words)
{
	int last = signal_number(words[1]), fd, signo;
	unsigned long long all = ~0ULL;
	siginfo_t info;

	/* first: who sees the file may send one */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
	fd = open(words[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		give_up("%s: %s", words[0], strerror(errno));
	dprintf(fd, "begin\n");
	do {
		signo = (int)syscall(SYS_rt_sigtimedwait, &all, &info, NULL, 8);
		if (signo > 0)
			dprintf(fd, "%d %d\n", signo,
				info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
	} while (signo != last);
	close(fd);
}

/* ---- processes ---- */

/* Forks; the child runs the bracketed actions and ends. */
static pid_t start_child(char **words)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	run_actions(words);
	fflush(stdout);
	_exit(0);
}

static void do_child(char **words)
{
	start_child(words);
}

/* A grandchild whose parent is gone before this goes on. */
static bool wait_for(pid_t pid)
{
	pid_t got;

	do
		got = waitpid(pid, NULL, 0);
	while (got < 0 && errno == EINTR);
	return got == pid;
}

static void do_orphan(char **words)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		start_child(words);
		_exit(0);
	}
	if (pid < 0 || !wait_for(pid))
		give_up("orphan: %s", strerror(errno));
}

static void do_orphans(char **words)
{
	char *nothing[] = {NULL};

	for (int i = number(words[0]); i > 0; i--)
		do_orphan(nothing);
}

/* So many orphans at once: their parent ends when it has made the last. */
static void do_backlog(char **words)
{
	int count = number(words[0]);
	pid_t pid = fork();

	for (int i = 0; pid == 0 && i < count; i++) {
		pid_t orphan = fork();

		if (orphan < 0)
			give_up("backlog: %s", strerror(errno));
		if (orphan == 0)
			_exit(0);
	}
	if (pid == 0)
		_exit(0);
	if (pid < 0 || !wait_for(pid))
		give_up("backlog: %s", strerror(errno));
}

/* The double fork of daemons: the first process exits 0, the rest happens in the grandchild. */
static void do_daemon(char **words)
{
	(void)words;
	fflush(stdout);
	if (fork() != 0)
		_exit(0);
	setsid();
	if (fork() != 0)
		_exit(0);
}

static void do_setsid(char **words)
{
	(void)words;
	if (setsid() < 0)
		give_up("setsid: %s", strerror(errno));
}

static void do_group(char **words)
{
	(void)words;
	if (setpgid(0, 0) < 0)
		give_up("setpgid: %s", strerror(errno));
}

static void do_wait(char **words)
{
	(void)words;
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

static void do_bomb(char **words)
{
	(void)words;
	for (;;) {
		if (fork() < 0)
			pause_ms(1);
	}
}

/* The same, out of reach of any group. */
static void do_scatter(char **words)
{
	(void)words;
	for (;;) {
		pid_t pid = fork();

		if (pid < 0)
			pause_ms(1);
		else if (pid == 0)
			setsid();
	}
}

static void do_times(char **words)
{
	for (int i = number(words[0]); i > 0; i--)
		run_actions(words + 1);
}

/* The child stands in a ptrace stop that its parent, which does not care for TERM, never ends. */
static void do_traced(char **words)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		do_pid(words);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	if (pid < 0 || !wait_for(pid))
		give_up("traced: %s", strerror(errno));
	signal(SIGTERM, SIG_IGN);
}

/* At real-time priority, on one processor, without end. */
static void do_spin(char **words)
{
	struct sched_param highest = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((unsigned)number(words[0]), &one);
	if (sched_setaffinity(0, sizeof(one), &one) < 0 ||
	    sched_setscheduler(0, SCHED_FIFO, &highest) < 0)
		give_up("spin: %s", strerror(errno));
	for (;;)
		;
}

/* ---- output and files ---- */

static void do_print(char **words)
{
	dprintf(STDOUT_FILENO, "%s\n", words[0]);
}

static void do_error(char **words)
{
	dprintf(STDERR_FILENO, "%s\n", words[0]);
}

static void do_lines(char **words)
{
	int count = number(words[0]);

	for (int i = 1; i <= count; i++)
		printf("line %d\n", i);
	fflush(stdout);
}

/*
 * Appends a line in one write, so that several processes may share the file. Who waits for the file
 * may end us as soon as it is there: a signal has to wait until it has its line.
 */
static void do_append(char **words)
{
	sigset_t all, before;
	int fd;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	fd = open(words[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0 || dprintf(fd, "%s\n", words[1]) < 0)
		give_up("%s: %s", words[0], strerror(errno));
	close(fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void do_pid(char **words)
{
	char text[16];
	char *append[] = {words[0], text};

	snprintf(text, sizeof(text), "%d", (int)getpid());
	do_append(append);
}

static void do_await(char **words)
{
	while (access(words[0], F_OK) < 0)
		pause_ms(2);
}

/* Until this process has ended, in whatever way, `held` says so of the file. */
static void do_hold(char **words)
{
	int fd = open(words[0], O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		give_up("hold %s: %s", words[0], strerror(errno));
}

static bool is_held(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;

	close(fd);
	return held;
}

static void do_held(char **words)
{
	if (is_held(words[0]))
		run_actions(words + 1);
}

static void do_free(char **words)
{
	if (!is_held(words[0]))
		run_actions(words + 1);
}

static void do_remove(char **words)
{
	unlink(words[0]);
}

static void do_close(char **words)
{
	close(number(words[0]));
}

/* ---- readiness ---- */

static void do_notify(char **words)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!path || strlen(path) >= sizeof(address.sun_path))
		give_up("no NOTIFY_SOCKET");
	strcpy(address.sun_path, path);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	if (sendto(fd, words[0], strlen(words[0]), 0, (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
		give_up("notify %s: %s", path, strerror(errno));
	close(fd);
}

static void do_ready_fd(char **words)
{
	int fd = number(words[0]);

	if (write(fd, "\n", 1) != 1)
		give_up("descriptor %d: %s", fd, strerror(errno));
	close(fd);
}

static int listen_on(struct sockaddr *address, socklen_t size, const char *name)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, address, size) < 0 || listen(fd, 64) < 0)
		give_up("listen on %s: %s", name, strerror(errno));
	return fd;
}

static int listen_tcp(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)number(port)),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return listen_on((struct sockaddr *)&address, sizeof(address), port);
}

static void do_tcp(char **words)
{
	listen_tcp(words[0]);
}

static void do_unix(char **words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", words[0]);
	unlink(words[0]);
	listen_on((struct sockaddr *)&address, sizeof(address), words[0]);
}

/* What the server answers is the content of a file, so that a test can change it. */
struct server {
	int fd;
	const char *status_file;
};

static void *serve(void *data)
{
	const struct server *server = data;

	for (;;) {
		int client = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
		char request[2048], status[64] = "200 OK";
		FILE *file = fopen(server->status_file, "re");

		if (file && fgets(status, sizeof(status), file))
			status[strcspn(status, "\n")] = '\0';
		if (file)
			fclose(file);
		if (read(client, request, sizeof(request)) > 0)
			dprintf(client,
				"HTTP/1.1 %s\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
				status);
		close(client);
	}
	return NULL;
}

static void do_http(char **words)
{
	static struct server server;
	pthread_t thread;
	sigset_t all, old;

	server.fd = listen_tcp(words[0]);
	server.status_file = words[1];
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, NULL, serve, &server))
		give_up("no thread");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* ---- identity, as JSON ---- */

static void print_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void print_list(FILE *out, const char *name, char *const *list)
{
	fprintf(out, ",\n \"%s\": [", name);
	for (int i = 0; list[i]; i++) {
		fputs(i ? ", " : "", out);
		print_text(out, list[i]);
	}
	fputc(']', out);
}

/* Lines of /proc/self/status, "Name: a b" as "name": "a b". */
static void print_status(FILE *out)
{
	char line[4096];
	FILE *file = fopen("/proc/self/status", "re");

	fprintf(out, ",\n \"status\": {\"-\": \"\"");
	while (file && fgets(line, sizeof(line), file)) {
		char *value = strchr(line, ':');

		if (!value)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = '\0';
		for (char *tab = value; *tab; tab++)
			*tab = *tab == '\t' ? ' ' : *tab;
		fprintf(out, ", \"%s\": ", line);
		print_text(out, value);
	}
	fputc('}', out);
	if (file)
		fclose(file);
}

static void print_descriptors(FILE *out)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	const char *comma = "";

	fprintf(out, ",\n \"fds\": {");
	while (dir && (entry = readdir(dir))) {
		char target[4096];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n < 0 || atoi(entry->d_name) == dirfd(dir) ||
		    atoi(entry->d_name) == fileno(out))
			continue;
		target[n] = '\0';
		fprintf(out, "%s\"%s\": ", comma, entry->d_name);
		print_text(out, target);
		comma = ", ";
	}
	fputc('}', out);
	if (dir)
		closedir(dir);
}

static void print_limits(FILE *out)
{
	fprintf(out, ",\n \"limits\": {");
	for (int resource = 0; resource < RLIM_NLIMITS; resource++) {
		struct rlimit limit;

		getrlimit((__rlimit_resource_t)resource, &limit);
		fprintf(out, "%s\"%d\": [%lld, %lld]", resource ? ", " : "", resource,
			(long long)limit.rlim_cur, (long long)limit.rlim_max);
	}
	fputc('}', out);
}

static char **own_arguments;

static void do_identity(char **words)
{
	extern char **environ;
	bool to_stdout = strcmp(words[0], "-") == 0;
	char path[4096];
	FILE *out;
	char cwd[4096] = "?", oom[32] = "";
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	FILE *oom_file = fopen("/proc/self/oom_score_adj", "re");
	mode_t mask = umask(0);

	snprintf(path, sizeof(path), "%s.new", words[0]);
	out = to_stdout ? stdout : fopen(path, "we");
	if (!out)
		give_up("%s: %s", path, strerror(errno));
	umask(mask);
	if (oom_file && fgets(oom, sizeof(oom), oom_file))
		oom[strcspn(oom, "\n")] = '\0';
	fprintf(out, "{\"pid\": %d, \"ppid\": %d, \"pgid\": %d, \"sid\": %d,\n", getpid(),
		getppid(), getpgid(0), getsid(0));
	fprintf(out,
		" \"umask\": %d, \"nice\": %d, \"oom_score_adj\": \"%s\", \"tty_group\": %d,\n",
		(int)mask, getpriority(PRIO_PROCESS, 0), oom, tty < 0 ? -1 : tcgetpgrp(tty));
	fprintf(out, " \"securebits\": %d,\n", prctl(PR_GET_SECUREBITS));
	fprintf(out, " \"cwd\": ");
	print_text(out, getcwd(cwd, sizeof(cwd)) ? cwd : strerror(errno));
	if (tty >= 0)
		close(tty);
	if (oom_file)
		fclose(oom_file);
	print_list(out, "argv", own_arguments);
	print_list(out, "environment", environ);
	print_descriptors(out);
	print_limits(out);
	print_status(out);
	fprintf(out, "}\n");
	fflush(out);
	if (to_stdout)
		return;
	fclose(out);
	if (rename(path, words[0]) < 0) /* whole, or not there */
		give_up("%s: %s", words[0], strerror(errno));
}

/* ---- the table ---- */

#define LIST (-1) /* a bracketed list */
#define REST (-2) /* everything that follows */

struct action {
	const char *name;
	void (*run)(char **words);
	int plain; /* how many words */
	int tail;  /* 0, LIST or REST: what follows them */
	const char *help;
};

static void do_help(char **words);

static const struct action actions[] = {
	{"exit", do_exit, 1, 0, "CODE"},
	{"die", do_die, 1, 0, "SIGNAL: send it to itself, default disposition"},
	{"crash", do_crash, 0, 0, "a real segmentation fault"},
	{"forever", do_forever, 0, 0, "wait for signals"},
	{"sleep", do_sleep, 1, 0, "MS"},
	{"exec", do_exec, 0, REST, "PROGRAM ARG..."},
	{"ignore", do_ignore, 1, 0, "SIGNAL"},
	{"on", do_on, 1, LIST, "SIGNAL [ ACTION... ]: run them when it comes"},
	{"send", do_send, 2, 0, "SIGNAL PID|self"},
	{"record", do_record, 2, 0, "FILE LAST: write down every signal until LAST comes"},
	{"child", do_child, 0, LIST, "[ ACTION... ]: in a child, not waited for"},
	{"orphan", do_orphan, 0, LIST, "[ ACTION... ]: in a process without a parent"},
	{"orphans", do_orphans, 1, 0, "N: so many that end at once"},
	{"backlog", do_backlog, 1, 0, "N: so many orphans at once, dead or dying"},
	{"daemon", do_daemon, 0, 0, "double fork; what follows happens in the daemon"},
	{"setsid", do_setsid, 0, 0, "a new session"},
	{"group", do_group, 0, 0, "a new process group"},
	{"wait", do_wait, 0, 0, "wait for all children"},
	{"bomb", do_bomb, 0, 0, "fork without end"},
	{"scatter", do_scatter, 0, 0, "fork without end, each in a session of its own"},
	{"times", do_times, 1, LIST, "N [ ACTION... ]: so often"},
	{"traced", do_traced, 1, 0,
	 "FILE: ignore TERM and hold a child, which writes its pid, in a ptrace stop"},
	{"spin", do_spin, 1, 0, "CPU: without end, at the highest real-time priority"},
	{"hold", do_hold, 1, 0, "FILE: have it held as long as this process lives"},
	{"held", do_held, 1, LIST, "FILE [ ACTION... ]: run them if somebody holds it"},
	{"free", do_free, 1, LIST, "FILE [ ACTION... ]: run them if nobody holds it"},
	{"print", do_print, 1, 0, "TEXT: a line on stdout"},
	{"error", do_error, 1, 0, "TEXT: a line on stderr"},
	{"lines", do_lines, 1, 0, "N: so many lines on stdout"},
	{"append", do_append, 2, 0, "FILE TEXT: a line"},
	{"pid", do_pid, 1, 0, "FILE: append its pid"},
	{"await", do_await, 1, 0, "FILE: wait until it exists"},
	{"remove", do_remove, 1, 0, "FILE"},
	{"close", do_close, 1, 0, "DESCRIPTOR"},
	{"notify", do_notify, 1, 0, "TEXT: to NOTIFY_SOCKET"},
	{"ready-fd", do_ready_fd, 1, 0, "N: a newline on that descriptor"},
	{"tcp", do_tcp, 1, 0, "PORT: listen on loopback"},
	{"unix", do_unix, 1, 0, "PATH: listen"},
	{"http", do_http, 2, 0, "PORT FILE: answer with the status in FILE, else 200 OK"},
	{"identity", do_identity, 1, 0, "FILE|-: what it is, as JSON"},
	{"help", do_help, 0, 0, ""},
};

static void do_help(char **words)
{
	(void)words;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		printf("%-9s %s\n", actions[i].name, actions[i].help);
}

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	give_up("no such action: %s", name);
}

/* The word behind the bracket that closes this one. */
static char **behind_list(char **word)
{
	int depth = 0;

	for (; *word; word++) {
		depth += strcmp(*word, "[") == 0;
		depth -= strcmp(*word, "]") == 0;
		if (depth == 0)
			return word + 1;
		if (depth > NESTING_MAX)
			give_up("too deep");
	}
	give_up("[ without ]");
}

/* Runs up to the end of the words or the closing bracket; nesting is bounded by behind_list. */
static void run_actions(char **words)
{
	if (*words && strcmp(*words, "[") == 0)
		words++;
	while (*words && strcmp(*words, "]") != 0) {
		const struct action *action = find_action(*words++);
		char **arguments = words;

		for (int i = 0; i < action->plain; i++)
			if (!*words++)
				give_up("%s: an argument is missing", action->name);
		if (action->tail == LIST) {
			if (!*words || strcmp(*words, "[") != 0)
				give_up("%s: [ is missing", action->name);
			words = behind_list(words);
		}
		action->run(arguments);
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	own_arguments = argv;
	run_actions(argv + 1);
	return 0;
}
