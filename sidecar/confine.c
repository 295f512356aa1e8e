/* SPDX-License-Identifier: MIT */
#include "confine.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "address.h"
#include "config.h"
#include "landlock.h"
#include "log.h"
#include "mem.h"
#include "sidecar.h"
#include "str.h"
#include "target.h"

/* ---- what it may use: here is where a new part of the sidecar adds what it needs ---- */

/* Files, besides the runtime directory, --proc-root, --cgroup-root, and where resolv.conf and the
 * hosts file really are. Directories, as most of these files are replaced by others while it runs.
 */
static const char *const readable[] = {
	"?/etc", /* resolv.conf, hosts, nsswitch.conf, ssl */
	"?/proc",
	"?/sys/fs/cgroup",
	"?/sys/devices/system/cpu",
	/* certificates: where the links in /etc/ssl lead, and where other distributions have them
	 */
	"?/usr/lib/ssl",
	"?/usr/share/ca-certificates",
	"?/usr/local/share/ca-certificates",
	"?/usr/share/pki",
	"?/usr/share/zoneinfo",
};
static const char *const linked[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"};
static const char *const named_by[] = {"SSL_CERT_FILE", "SSL_CERT_DIR"};
static const char *const writable[] = {NULL};

/* TCP ports that it may connect to besides those of its targets; and to listen on, now that its own
 * are open. */
static const uint16_t connects[] = {53};
static const uint16_t binds[] = {0 /* the end */};

/* System calls, those of the libraries on all versions of theirs included. */
static const char *const calls[] = {
	/* memory and life */
	"mmap",
	"munmap",
	"mremap",
	"mprotect",
	"madvise",
	"brk",
	"futex",
	"sched_yield",
	"getrandom",
	"exit",
	"exit_group",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"restart_syscall",
	"tgkill",
	"rseq",
	"membarrier",
	"getpid",
	"gettid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"uname",
	"sysinfo",
	"prlimit64",
	"getrlimit",
	"getrusage",
	"sched_getaffinity",
	/* time */
	"clock_gettime",
	"clock_getres",
	"clock_nanosleep",
	"nanosleep",
	"gettimeofday",
	"time",
	"timerfd_create",
	"timerfd_settime",
	/* files */
	"read",
	"readv",
	"pread64",
	"write",
	"writev",
	"lseek",
	"close",
	"fcntl",
	"dup",
	"openat",
	"open",
	"newfstatat",
	"fstatat64",
	"fstat",
	"stat",
	"lstat",
	"statx",
	"fstatfs",
	"statfs",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getdents64",
	"inotify_init1",
	"inotify_add_watch",
	"inotify_rm_watch",
	/* waiting */
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"poll",
	"ppoll",
	"select",
	"pselect6",
	"eventfd2",
	"pipe2",
	"splice",
	"signalfd4",
	/* the network; socket(2) has a rule of its own */
	"socketpair",
	"bind",
	"connect",
	"accept",
	"accept4",
	"shutdown",
	"getsockname",
	"getpeername",
	"getsockopt",
	"setsockopt",
	"sendto",
	"sendmsg",
	"sendmmsg",
	"recvfrom",
	"recvmsg",
	"recvmmsg",
};
static const unsigned families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- files and ports ---- */

/* Everything that the rules point to, for the moment they are made. */
struct list {
	char **items; /* NULL-ended, each malloc'ed */
	size_t count;
};

static void add(struct list *list, const char *path)
{
	if (!path || !*path)
		return;
	list->items = mem_resize(list->items, list->count + 2, sizeof(*list->items));
	list->items[list->count++] = mem_strdup(path);
	list->items[list->count] = NULL;
}

static void drop(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

/* The directory, or, as long as it does not exist, the one in which it will. */
static void add_directory(struct list *list, const char *path)
{
	char *copy = mem_strdup(path), *end;
	struct stat info;

	while (stat(copy, &info) < 0 && (end = strrchr(copy, '/')) && end != copy)
		*end = '\0';
	add(list, copy);
	free(copy);
}

/* Where a link leads, another file will lie one day: its directory. */
static void add_target(struct list *list, const char *path)
{
	char real[PATH_MAX], *end;

	if (!realpath(path, real) || strncmp(real, "/etc/", 5) == 0)
		return;
	end = strrchr(real, '/');
	if (end && end != real)
		*end = '\0';
	add(list, real);
}

static struct list list_readable(const struct sidecar *sidecar)
{
	const struct options *options = &sidecar->options;
	struct list list = {0};
	struct stat info;

	for (size_t i = 0; i < COUNT(readable); i++)
		add(&list, readable[i]);
	for (size_t i = 0; i < COUNT(linked); i++)
		add_target(&list, linked[i]);
	for (size_t i = 0; i < COUNT(named_by); i++)
		if (getenv(named_by[i]) && stat(getenv(named_by[i]), &info) == 0)
			add(&list, getenv(named_by[i]));
	if (options->run_dir && *options->run_dir)
		add_directory(&list, options->run_dir);
	add_directory(&list, options->proc_root);
	if (options->cgroup_root)
		add_directory(&list, options->cgroup_root);
	return list;
}

struct ports {
	uint16_t *list;
	size_t count;
	bool all; /* what more there will be only the DNS knows */
};

static void add_port(struct ports *ports, uint16_t port)
{
	ports->list = mem_resize(ports->list, ports->count + 1, sizeof(*ports->list));
	ports->list[ports->count++] = port;
}

static void add_probe(struct ports *ports, const struct probe_config *probe)
{
	struct target target;

	if (!probe_is_network(probe) || !target_parse(&target, probe->target))
		return;
	add_port(ports, target.port);
	target_free(&target);
}

static void add_candidates(struct ports *ports, const struct address_entry *entry)
{
	for (uint32_t i = 0; i < entry->count; i++) {
		add_port(ports, entry->candidates[i].port);
		ports->all |= entry->candidates[i].srv != NULL;
	}
}

static void add_upstream(struct ports *ports, const char *text)
{
	char host[256];
	uint16_t port;

	if (host_port_split(text, strlen(text), host, &port, connects[0]))
		add_port(ports, port);
}

/* What of it is ${address:...} is among the ports of addresses. */
static void add_url(struct ports *ports, const char *url)
{
	const char *authority = strstr(url, "://"), *colon;
	char text[8] = "";
	uint64_t port;

	if (!authority)
		return;
	authority += 3;
	colon = memrchr(authority, ':', strcspn(authority, "/"));
	if (colon)
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(colon + 1, "/"), colon + 1);
	if (parse_uint(text, UINT16_MAX, &port))
		add_port(ports, (uint16_t)port);
	else
		add_port(ports, authority[-4] == 's' ? 443 : 80); /* NAME= may stand before https */
}

static void add_peers(struct ports *ports, const struct sidecar *sidecar)
{
	for (uint32_t i = 0; i < sidecar->config->peer_count; i++)
		add_url(ports, sidecar->config->peers[i].url);
	for (unsigned i = 0; sidecar->options.peers[i]; i++)
		add_url(ports, sidecar->options.peers[i]);
}

/* Of all that the configuration has it connect to. */
static struct ports list_ports(const struct sidecar *sidecar)
{
	const struct config *config = sidecar->config;
	const char *const *upstream = sidecar->options.offers.upstream;
	struct ports ports = {0};

	for (size_t i = 0; i < COUNT(connects); i++)
		add_port(&ports, connects[i]);
	for (size_t i = 0; upstream[i]; i++)
		add_upstream(&ports, upstream[i]);
	for (uint32_t i = 0; i < config->count; i++)
		for (unsigned role = 0; role < ROLE_COUNT; role++)
			for (const struct probe_config *p = config->services[i].probes[role]; p;
			     p = p->next)
				add_probe(&ports, p);
	for (uint32_t i = 0; i < config->addresses->count; i++)
		add_candidates(&ports, &config->addresses->entries[i]);
	add_peers(&ports, sidecar);
	return ports;
}

static void limit_files_and_ports(const struct sidecar *sidecar)
{
	const struct config *config = sidecar->config;
	struct ports ports = config ? list_ports(sidecar) : (struct ports){0};
	struct list list = list_readable(sidecar);
	const struct landlock_config files = {.read_only = list.items,
					      .writable = (char *const *)(uintptr_t)writable};
	const struct landlock_rules rules = {
		.files = &files,
		.bind = {.list = binds, .count = COUNT(binds) - 1, .limited = true},
		/* alone it knows its targets for good; told by muster-init, they change */
		.connect = {.list = ports.list,
			    .count = ports.count,
			    .limited = config && !ports.all},
		.scope = true,
	};
	int rc = landlock_restrict(&rules);

	if (rc < 0)
		log_warning("cannot limit what files and ports this program can use: %s%s%s",
			    landlock_culprit() ? landlock_culprit() : "",
			    landlock_culprit() ? ": " : "", strerror(-rc));
	free(ports.list);
	drop(&list);
}

/* ---- system calls ---- */

static int allow(scmp_filter_ctx filter, const char *name)
{
	int number = seccomp_syscall_resolve_name(name), rc;

	if (number < 0) /* another machine's, or newer than the library */
		return 0;
	if (strcmp(name, "mmap") != 0 && strcmp(name, "mprotect") != 0)
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	/* all code has been loaded */
	rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
			      SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return rc;
}

static int fill(scmp_filter_ctx filter)
{
	int rc = 0;

	/* optional, as old libraries do not know it */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; i < COUNT(calls) && rc == 0; i++)
		rc = allow(filter, calls[i]);
	for (size_t i = 0; i < COUNT(families) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				      SCMP_A0_32(SCMP_CMP_EQ, families[i]));
	return rc;
}

/* A sanitizer makes calls of its own, at the end even with ptrace. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAN_FILTER false
#else
#define CAN_FILTER true
#endif

#define FILTER_SECONDS 2 /* it takes some milliseconds */

static int install(struct sock_filter *code, size_t count)
{
	struct sock_fprog program = {(unsigned short)count, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* denied calls are seen in the kernel's log, if it is new enough for that */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &program) == 0 ||
	    (errno == EINVAL && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0))
		return 0;
	return -errno;
}

/*
 * Not seccomp_load: libseccomp 2.5 leaves out what it had no memory for and says success, and with
 * such a filter a process may neither work nor end. So what it has made is looked at first; errno
 * was 0 when it began. How many instructions, or -errno.
 */
static int export(scmp_filter_ctx filter, struct sock_filter code[BPF_MAXINSNS])
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t size = 0;
	int rc;

	if (fd < 0)
		return -errno;
	rc = seccomp_export_bpf(filter, fd);
	if (rc == 0 && errno == ENOMEM)
		rc = -ENOMEM;
	if (rc == 0)
		size = pread(fd, code, BPF_MAXINSNS * sizeof(code[0]), 0);
	close(fd);
	if (rc == 0 && size <= 0)
		rc = -EIO;
	return rc < 0 ? rc : (int)((size_t)size / sizeof(code[0]));
}

/* Where libseccomp 2.5 has no memory it may also never return: then the kernel ends us, and
 * muster-init starts another. Processor time, so that a busy machine is no reason. */
static void limit_time(time_t seconds)
{
	const struct itimerval timer = {.it_value = {.tv_sec = seconds}};

	setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

static int make_filter(struct sock_filter code[BPF_MAXINSNS])
{
	scmp_filter_ctx filter;
	int rc;

	limit_time(FILTER_SECONDS);
	errno = 0;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	rc = filter ? fill(filter) : -ENOMEM;
	if (rc == 0)
		rc = export(filter, code);
	if (filter)
		seccomp_release(filter);
	limit_time(0);
	return rc;
}

static void limit_calls(void)
{
	static struct sock_filter code[BPF_MAXINSNS];
	int rc;

	if (!CAN_FILTER)
		return;
	rc = make_filter(code);
	if (rc > 0)
		rc = install(code, (size_t)rc);
	if (rc == -ENOMEM)
		mem_check(NULL);
	if (rc < 0)
		log_warning("cannot limit what system calls this program makes: %s", strerror(-rc));
}

/* ---- capabilities ---- */

/* Nothing is left of them where muster-init starts it; alone it may have been started by root. */
void confine_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct none[2] = {0};

	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, none) < 0)
		log_warning("cannot give up capabilities: %s", strerror(errno));
}

void confine(const struct sidecar *sidecar)
{
	confine_capabilities();
	limit_files_and_ports(sidecar);
	limit_calls();
}
