/* SPDX-License-Identifier: MIT */
#include "../../sidecar/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "address.h"
#include "config.h"
#include "landlock.h"
#include "sidecar.h"

#define ABI_NEEDED 6

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FILTERED false
#else
#define FILTERED true
#endif

static char directory[] = "/tmp/muster-confine-XXXXXX";
static uint16_t known_port, other_port; /* somebody listens on both */
static char abstract_name[64];
static pid_t parent;

/* ---- what it tries: 0 or the errno ---- */

static int outcome(long rc)
{
	return rc < 0 ? errno : 0;
}

static int read_file(const char *name)
{
	char path[128];
	int fd;

	if (name[0] == '/')
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return outcome(fd);
}

static int read_page(void)
{
	return read_file("run/status");
}

static int read_hosts(void)
{
	return read_file("/etc/hosts");
}

static int read_proc(void)
{
	return read_file("/proc/self/stat");
}

static int read_elsewhere(void)
{
	return read_file("secret");
}

static int write_page(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/run/status", directory);
	return outcome(open(path, O_WRONLY | O_CLOEXEC));
}

static int create_file(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/run/new", directory);
	return outcome(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int reach(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? errno : outcome(connect(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int connect_known(void)
{
	return reach(known_port);
}

static int connect_other(void)
{
	return reach(other_port);
}

static int bind_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return outcome(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static socklen_t abstract_address(struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path + 1, abstract_name, strlen(abstract_name));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(abstract_name));
}

static int connect_abstract(void)
{
	struct sockaddr_un address;
	socklen_t size = abstract_address(&address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return outcome(connect(fd, (struct sockaddr *)&address, size));
}

static int signal_parent(void)
{
	return outcome(kill(parent, 0));
}

static int execute(void)
{
	char *const argv[] = {(char[]){"true"}, NULL};

	execve("/bin/true", argv, argv + 1);
	return errno;
}

static int make_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int trace_parent(void)
{
	return outcome(ptrace(PTRACE_SEIZE, parent, NULL, NULL));
}

static int packet_socket(void)
{
	return outcome(socket(AF_PACKET, SOCK_RAW, 0));
}

static int executable_memory(void)
{
	void *map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return map == MAP_FAILED ? errno : 0;
}

static int memory(void)
{
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return map == MAP_FAILED ? errno : 0;
}

static int rename_file(void)
{
	return outcome(rename("/nonexistent", "/nonexistent2"));
}

static const struct attempt {
	const char *name;
	int (*function)(void);
	int before, after; /* errno */
	bool filtered;     /* refused by the filter */
} attempts[] = {
	{"read the status page", read_page, 0, 0, false},
	{"read /etc/hosts", read_hosts, 0, 0, false},
	{"read /proc", read_proc, 0, 0, false},
	{"read a file elsewhere", read_elsewhere, 0, EACCES, false},
	{"write the status page", write_page, 0, EACCES, false},
	{"create a file", create_file, 0, EACCES, false},
	{"connect to a target", connect_known, 0, 0, false},
	{"connect elsewhere", connect_other, 0, EACCES, false},
	{"bind a port", bind_port, 0, EACCES, false},
	{"connect to an abstract socket", connect_abstract, 0, EPERM, false},
	{"signal muster-init", signal_parent, 0, EPERM, false},
	{"allocate", memory, 0, 0, false},
	{"execute a program", execute, -1, EPERM, true},
	{"make a process", make_process, 0, EPERM, true},
	{"trace muster-init", trace_parent, -1, EPERM, true},
	{"open a packet socket", packet_socket, -1, EPERM, true},
	{"map memory to execute", executable_memory, 0, EPERM, true},
	{"rename a file", rename_file, ENOENT, EPERM, true},
};
#define ATTEMPTS (sizeof(attempts) / sizeof(attempts[0]))

/* ---- the child that is confined ---- */

static int compare(const struct attempt *attempt, int wanted, const char *when)
{
	int found = wanted < 0 ? wanted : attempt->function();

	if (found == wanted)
		return 0;
	fprintf(stderr, "%s %s: %s instead of %s\n", attempt->name, when, strerror(found),
		strerror(wanted));
	return 1;
}

static int confined(const struct sidecar *sidecar, bool (*is_meant)(const struct attempt *))
{
	int wrong = 0;

	for (size_t i = 0; i < ATTEMPTS; i++)
		if (is_meant(&attempts[i]))
			wrong += compare(&attempts[i], attempts[i].before, "before");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	confine(sidecar);
	for (size_t i = 0; i < ATTEMPTS; i++)
		if (is_meant(&attempts[i]) && (FILTERED || !attempts[i].filtered))
			wrong += compare(&attempts[i], attempts[i].after, "after");
	return wrong;
}

static void run(const struct sidecar *sidecar, bool (*is_meant)(const struct attempt *))
{
	pid_t pid;
	int status;

	parent = getpid();
	pid = fork();
	if (pid == 0)
		_exit(confined(sidecar, is_meant));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- surroundings ---- */

static void make_file(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static uint16_t listen_somewhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static int setup(void **state)
{
	struct sockaddr_un address;
	socklen_t size;
	char path[128];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/run", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	make_file("run/status");
	make_file("secret");
	known_port = listen_somewhere();
	other_port = listen_somewhere();
	snprintf(abstract_name, sizeof(abstract_name), "muster-confine-%d", (int)getpid());
	size = abstract_address(&address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 16), 0);
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {"run/status", "run/new", "secret"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/run", directory);
	rmdir(path);
	return rmdir(directory);
}

static struct sidecar make_sidecar(struct config *config)
{
	static char run_dir[128];

	snprintf(run_dir, sizeof(run_dir), "%s/run", directory);
	return (struct sidecar){.options = {.run_dir = run_dir, .proc_root = "/proc"},
				.config = config};
}

/* ---- tests ---- */

static bool any(const struct attempt *attempt)
{
	(void)attempt;
	return true;
}

static void alone_nothing_is_left_but_what_it_needs(void **state)
{
	char target[64];
	struct probe_config probe = {.kind = PROBE_TCP, .target = target};
	struct service_config service = {.probes[ROLE_READINESS] = &probe};
	struct address_book book = {0};
	struct config config = {.services = &service, .count = 1, .addresses = &book};
	struct sidecar sidecar = make_sidecar(&config);

	(void)state;
	if (landlock_abi() < ABI_NEEDED)
		skip();
	snprintf(target, sizeof(target), "tcp://127.0.0.1:%u", known_port);
	run(&sidecar, any);
}

static bool but_not_elsewhere(const struct attempt *attempt)
{
	return attempt->function != connect_other;
}

/* muster-init tells it where to connect to. */
static void beside_init_it_may_connect_everywhere(void **state)
{
	static const struct attempt everywhere = {"connect elsewhere", connect_other, 0, 0, false};
	struct sidecar sidecar = make_sidecar(NULL);
	int status;
	pid_t pid;

	(void)state;
	if (landlock_abi() < ABI_NEEDED)
		skip();
	run(&sidecar, but_not_elsewhere);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		confine(&sidecar);
		_exit(compare(&everywhere, 0, "beside init"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Checks of addresses connect, too; where an SRV record has a say the port is not known before. */
static void alone_it_may_connect_to_addresses(void **state)
{
	struct address_candidate candidate = {.host = "127.0.0.1", .port = other_port};
	struct address_entry entry = {.name = "db", .candidates = &candidate, .count = 1};
	struct address_book book = {.entries = &entry, .count = 1};
	struct config config = {.addresses = &book};
	struct sidecar sidecar = make_sidecar(&config);
	int status;

	(void)state;
	if (landlock_abi() < ABI_NEEDED)
		skip();
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			confine(&sidecar);
			_exit(connect_other() != 0 || connect_known() != (i ? 0 : EACCES));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		candidate.srv = "_db._tcp.example.com";
	}
}

static int capabilities_left(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long long set, all = 0;
	char line[256];
	int lines = 0;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Cap%*3c: %llx", &set) == 1) {
			lines++;
			all |= set;
		}
	return lines != 5 || all != 0;
}

static void no_capability_is_left(void **state)
{
	struct sidecar sidecar = make_sidecar(NULL);
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(capabilities_left());
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		confine(&sidecar);
		_exit(capabilities_left());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone_nothing_is_left_but_what_it_needs),
		cmocka_unit_test(beside_init_it_may_connect_everywhere),
		cmocka_unit_test(alone_it_may_connect_to_addresses),
		cmocka_unit_test(no_capability_is_left),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
