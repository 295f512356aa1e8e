/* SPDX-License-Identifier: MIT */
#include "creds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "becoming.h"
#include "config.h"
#include "decimal.h"
#include "spawn.h"

/* ---- session, terminal, descriptors ---- */

static int take_session(const struct becoming *b)
{
	if (b->request->new_session)
		return result_of(setsid());
	if (b->request->new_group)
		return result_of(setpgid(0, 0));
	return 0;
}

/* A terminal that has gone away in the meantime is no reason not to run. */
static int take_terminal(const struct becoming *b)
{
	int tty = b->request->foreground_tty;
	pid_t group;
	int rc;

	if (tty < 0)
		return 0;
	if (b->request->new_session) {
		rc = ioctl(tty, TIOCSCTTY, 0);
	} else {
		group = getpgrp();
		rc = ioctl(tty, TIOCSPGRP, &group);
	}
	if (rc == 0 || errno == ENOTTY || errno == ENXIO || errno == EIO || errno == EBADF)
		return 0;
	return -errno;
}

static bool is_target_of_other(const struct spawn_fd *fds, unsigned count, unsigned self)
{
	for (unsigned i = 0; i < count; i++)
		if (i != self && fds[i].target == fds[self].source)
			return true;
	return false;
}

/*
 * First every source that some other entry is going to overwrite moves out of the way, above all
 * targets; then each goes to its place.
 */
static int place_descriptors(const struct becoming *b)
{
	const struct spawn_fd *fds = b->request->fds;
	unsigned count = b->request->fd_count;
	int sources[SPAWN_FDS_MAX], above = 3;

	if (count > SPAWN_FDS_MAX)
		return -E2BIG;
	for (unsigned i = 0; i < count; i++)
		if (fds[i].target >= above)
			above = fds[i].target + 1;
	for (unsigned i = 0; i < count; i++) {
		sources[i] = fds[i].source;
		if (is_target_of_other(fds, count, i))
			sources[i] = fcntl(fds[i].source, F_DUPFD_CLOEXEC, above);
		if (sources[i] < 0)
			return -errno;
	}
	for (unsigned i = 0; i < count; i++) {
		/* dup2 onto itself would leave close-on-exec as it is */
		int rc = sources[i] == fds[i].target ? fcntl(sources[i], F_SETFD, 0)
						     : dup2(sources[i], fds[i].target);

		if (rc < 0)
			return -errno;
	}
	return 0;
}

/* ---- oom score, limits, nice, directory ---- */

static int set_oom_score(const struct becoming *b)
{
	int score = b->id->oom_score_adj;
	char text[16], *begin;
	struct statfs fs;
	int fd, rc = -EPERM;
	ssize_t n;

	if (!b->id->has_oom)
		return 0;
	begin = decimal_before(text + sizeof(text), (unsigned)(score < 0 ? -score : score));
	if (score < 0)
		*--begin = '-';
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	/* never through something that only looks like /proc */
	if (fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) {
		n = write(fd, begin, (size_t)(text + sizeof(text) - begin));
		rc = result_of(n);
	}
	close(fd);
	return rc;
}

/* While root still may, and before there is anything to be charged for. */
static int join_cgroup(const struct becoming *b)
{
	return b->request->cgroup > 0 ? result_of(write(b->request->cgroup, "0", 1)) : 0;
}

static int set_cpus(const struct becoming *b)
{
	cpu_set_t now;

	if (!b->id->cpus)
		return 0;
	if (sched_setaffinity(0, sizeof(*b->id->cpus), b->id->cpus) < 0 ||
	    sched_getaffinity(0, sizeof(now), &now) < 0)
		return -errno;
	return CPU_EQUAL(&now, b->id->cpus) ? 0 : MISMATCH;
}

static int set_limits(const struct becoming *b)
{
	const struct limit_config *limit = b->id->limits;
	const struct rlimit *nofile = b->request->nofile;

	if (nofile && syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nofile, NULL) < 0)
		return -errno;
	for (; limit && limit->resource != -1; limit++)
		if (syscall(SYS_prlimit64, 0, limit->resource, &limit->value, NULL) < 0)
			return -errno;
	return 0;
}

static int set_nice_and_umask(const struct becoming *b)
{
	if (b->id->has_umask)
		umask(b->id->umask);
	return b->id->has_nice ? result_of(setpriority(PRIO_PROCESS, 0, b->id->nice)) : 0;
}

/* A directory that cannot be reached from the root is the sign of a descriptor that leads out. */
static int change_directory(const char *path)
{
	static char where[PATH_MAX];
	struct stat asked, here;

	if (stat(path, &asked) < 0 || chdir(path) < 0 || stat(".", &here) < 0)
		return -errno;
	if (asked.st_dev != here.st_dev || asked.st_ino != here.st_ino)
		return MISMATCH;
	if (syscall(SYS_getcwd, where, sizeof(where)) < 0)
		return -errno;
	return where[0] == '/' ? 0 : -EXDEV;
}

/* Before the user changes: root may enter what the user may not, as a container runtime does. */
static int enter_directory(struct becoming *b)
{
	int rc = b->id->working_dir ? change_directory(b->id->working_dir) : 0;

	/* and the other way round: on NFS and FUSE the user may enter what root may not */
	b->directory_late = rc == -EACCES && b->id->change_user;
	return b->directory_late ? 0 : rc;
}

static int enter_directory_late(const struct becoming *b)
{
	return b->directory_late ? change_directory(b->id->working_dir) : 0;
}

/* After the last change of credentials, which would clear it again. */
static int set_death_signal(const struct becoming *b)
{
	if (!b->request->die_with_parent)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return getppid() == b->parent ? 0 : -ESRCH; /* init ended before it took effect */
}

/* ---- the filter of system calls ---- */

#define MARK       0x6d757374
#define MARK_ERRNO 1999

const struct sock_filter creds_filter_mark[CREDS_FILTER_MARK] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 3),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARK, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | MARK_ERRNO),
};

/* Both ways: seccomp(2) is younger, and some filters from outside know only one of them. */
static int install_filter(const struct spawn_request *request)
{
	unsigned flags = request->identity->seccomp.audit ? SECCOMP_FILTER_FLAG_LOG : 0;

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, request->filter) < 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, request->filter, 0, 0) < 0)
		return -errno;
	return syscall(SYS_getppid, MARK) < 0 && errno == MARK_ERRNO ? 0 : MISMATCH;
}

/*
 * ---- the order ----
 *
 * Limits are raised, and the bounding set is trimmed, while root still may; groups are set before
 * the gid and the gid before the uid, as each takes the right to the one before; securebits are
 * locked with the last right that is left for it; the death signal is cleared by a change of
 * credentials, so it comes behind; Landlock and the filter need no_new_privileges; and the filter
 * comes behind the verification, so that it need not allow what either takes.
 */

static bool done(struct spawn_error *error, enum spawn_step step, int rc)
{
	if (rc == 0)
		return true;
	error->step = step;
	error->error = rc == MISMATCH ? 0 : -rc;
	return false;
}

static bool apply_privileges(struct becoming *b, struct spawn_error *e)
{
	return done(e, STEP_CAPABILITIES, privileges_plan(b)) &&
	       done(e, STEP_BOUNDING_SET, privileges_trim_bounding_set(b)) &&
	       done(e, STEP_CAPABILITIES, privileges_keep_capabilities(b)) &&
	       done(e, STEP_GROUPS, privileges_set_groups(b)) &&
	       done(e, STEP_GID, privileges_set_gid(b)) &&
	       done(e, STEP_UID, privileges_set_uid(b)) &&
	       done(e, STEP_CAPABILITIES, privileges_raise_ambient(b)) &&
	       done(e, STEP_SECUREBITS, privileges_lock_securebits(b)) &&
	       done(e, STEP_CAPABILITIES, privileges_set_capabilities(b));
}

bool creds_apply(const struct spawn_request *request, pid_t parent, struct spawn_error *e)
{
	struct becoming b = {.request = request, .id = request->identity, .parent = parent};

	if (!done(e, STEP_SESSION, take_session(&b)) ||
	    !done(e, STEP_TERMINAL, take_terminal(&b)) ||
	    !done(e, STEP_DESCRIPTORS, place_descriptors(&b)))
		return false;
	if (!b.id)
		return done(e, STEP_DEATH_SIGNAL, set_death_signal(&b));
	privileges_join_keyring(&b);
	return done(e, STEP_OOM_SCORE, set_oom_score(&b)) &&
	       done(e, STEP_CGROUP, join_cgroup(&b)) && done(e, STEP_CPUSET, set_cpus(&b)) &&
	       done(e, STEP_LIMITS, set_limits(&b)) && done(e, STEP_NICE, set_nice_and_umask(&b)) &&
	       done(e, STEP_DIRECTORY, enter_directory(&b)) && apply_privileges(&b, e) &&
	       done(e, STEP_DIRECTORY, enter_directory_late(&b)) &&
	       done(e, STEP_DEATH_SIGNAL, set_death_signal(&b)) &&
	       done(e, STEP_NO_NEW_PRIVILEGES, privileges_set_no_new(&b)) &&
	       done(e, STEP_LANDLOCK, privileges_set_landlock(&b)) &&
	       done(e, STEP_VERIFY, verify_identity(&b));
}

bool creds_confine(const struct spawn_request *request, struct spawn_error *e)
{
	return !request->filter || done(e, STEP_SECCOMP, install_filter(request));
}
