/* SPDX-License-Identifier: MIT */
#include "gpu_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "fd.h"
#include "gpu_link.h"
#include "gpu_reader.h"

#define LAST_WAIT_MS 1000 /* for a reader to die when the sidecar ends */

/* ---- confinement ---- */

/* What no version of the library can need: programs, other processes, the machine. */
static const char *const denied[] = {
	"execve",
	"execveat",
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"pidfd_getfd",
	"kcmp",
	"mount",
	"umount2",
	"move_mount",
	"open_tree",
	"fsopen",
	"fsmount",
	"pivot_root",
	"chroot",
	"unshare",
	"setns",
	"bpf",
	"perf_event_open",
	"userfaultfd",
	"io_uring_setup",
	"keyctl",
	"add_key",
	"request_key",
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"kexec_file_load",
	"reboot",
	"swapon",
	"swapoff",
	"settimeofday",
	"clock_settime",
	"clock_adjtime",
	"adjtimex",
	"sethostname",
	"setdomainname",
	"acct",
	"quotactl",
	"syslog",
	"iopl",
	"ioperm",
	"setuid",
	"setgid",
	"setreuid",
	"setregid",
	"setresuid",
	"setresgid",
	"setgroups",
	"setfsuid",
	"setfsgid",
	"unlink",
	"unlinkat",
	"rename",
	"renameat",
	"renameat2",
	"link",
	"linkat",
	"symlink",
	"symlinkat",
	"truncate",
	"chmod",
	"fchmod",
	"fchmodat",
	"chown",
	"lchown",
	"fchown",
	"fchownat",
};
/* Its own talk is over unix sockets at most. */
static const unsigned no_families[] = {AF_INET, AF_INET6, AF_PACKET};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int fill(scmp_filter_ctx filter)
{
	int rc = 0;

	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < COUNT(denied) && rc == 0; i++) {
		int number = seccomp_syscall_resolve_name(denied[i]);

		if (number >= 0) /* else another machine's, or newer than libseccomp */
			rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0);
	}
	for (size_t i = 0; i < COUNT(no_families) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
				      SCMP_A0_32(SCMP_CMP_EQ, no_families[i]));
	return rc;
}

/* Silent: the sidecar says the same of itself. */
static void limit_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter)
		return;
	if (fill(filter) == 0)
		(void)seccomp_load(filter);
	seccomp_release(filter);
}

static void lock_down(void)
{
	static const struct {
		int resource;
		rlim_t most;
	} limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_FSIZE, 0}, {RLIMIT_NOFILE, 1024}};

	for (size_t i = 0; i < COUNT(limits); i++) {
		struct rlimit limit;

		if (getrlimit((__rlimit_resource_t)limits[i].resource, &limit) < 0)
			continue;
		if (limit.rlim_max > limits[i].most)
			limit.rlim_max = limits[i].most;
		if (limit.rlim_cur > limit.rlim_max)
			limit.rlim_cur = limit.rlim_max;
		setrlimit((__rlimit_resource_t)limits[i].resource, &limit);
	}
	signal(SIGXFSZ, SIG_IGN);
	confine_capabilities();
	limit_calls();
}

/* ---- the keeper ---- */

struct keeper {
	int orders, talk, children;
	const char *library;
	pid_t self, reader; /* 0: none */
	uint32_t run;
};

/* The kernel ends this process with the one that forked it. */
static void end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent) /* it was faster */
		_exit(0);
}

static void tell_end(struct keeper *keeper, int status)
{
	struct gpu_ended ended = {.run = keeper->run, .status = status};

	keeper->reader = 0;
	(void)!send(keeper->orders, &ended, sizeof(ended), MSG_NOSIGNAL);
}

static void start_reader(struct keeper *keeper, uint32_t run)
{
	pid_t pid;

	if (keeper->reader)
		return;
	keeper->run = run;
	pid = fork();
	if (pid < 0) {
		tell_end(keeper, 0);
		return;
	}
	keeper->reader = pid;
	if (pid)
		return;
	end_with(keeper->self);
	close(keeper->orders);
	close(keeper->children);
	gpu_reader(keeper->talk, keeper->library, run);
}

/* False: the sidecar has ended. */
static bool take_order(struct keeper *keeper)
{
	struct gpu_order order;
	ssize_t n = recv(keeper->orders, &order, sizeof(order), 0);

	if (n < 0 && errno == EINTR)
		return true;
	if (n != sizeof(order))
		return false;
	if (order.type == GPU_ORDER_START)
		start_reader(keeper, order.run);
	else if (keeper->reader && order.run == keeper->run)
		kill(keeper->reader, SIGKILL);
	return true;
}

static void take_child(struct keeper *keeper)
{
	struct signalfd_siginfo info;
	int status;

	(void)!read(keeper->children, &info, sizeof(info));
	if (keeper->reader && waitpid(keeper->reader, &status, WNOHANG) == keeper->reader)
		tell_end(keeper, status);
}

/* A reader that hangs inside the driver dies when the driver lets it, not when we want. */
static _Noreturn void end_keeper(struct keeper *keeper)
{
	struct pollfd wait = {.fd = keeper->children, .events = POLLIN};

	if (keeper->reader) {
		kill(keeper->reader, SIGKILL);
		if (poll(&wait, 1, LAST_WAIT_MS) > 0)
			waitpid(keeper->reader, NULL, WNOHANG);
	}
	_exit(0);
}

static int watch_children(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGTERM, SIG_IGN); /* with the sidecar, not beside it */
	signal(SIGINT, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Nothing of what the sidecar has open is for others; the two ends become 3 and 4. */
static void keep_only(struct keeper *keeper, int orders, int talk)
{
	int high = fcntl(talk, F_DUPFD, 5), first = fcntl(orders, F_DUPFD, 5);

	keeper->orders = dup2(first, 3);
	keeper->talk = dup2(high, 4);
	fd_close_from(5);
}

void gpu_keep(int orders, int talk, const char *library, int parent)
{
	struct keeper keeper = {.library = library, .self = getpid()};

	end_with(parent);
	prctl(PR_SET_NAME, "muster-gpu", 0, 0, 0);
	keep_only(&keeper, orders, talk);
	keeper.children = watch_children();
	lock_down();
	if (keeper.orders != 3 || keeper.talk != 4 || keeper.children < 0)
		_exit(1);
	for (;;) {
		struct pollfd wait[] = {{.fd = keeper.orders, .events = POLLIN},
					{.fd = keeper.children, .events = POLLIN}};

		if (poll(wait, COUNT(wait), -1) < 0 && errno != EINTR)
			break;
		if (wait[1].revents)
			take_child(&keeper);
		if (wait[0].revents && !take_order(&keeper))
			break;
	}
	end_keeper(&keeper);
}
