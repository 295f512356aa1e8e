/* SPDX-License-Identifier: MIT */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"

/* Not from <linux/landlock.h>, which is older on the systems that this is built on than the kernels
 * that it runs on. The numbers are the same for all machines. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif
#define QUERY_VERSION 1
#define RULE_PATH     1
#define RULE_PORT     2

/* Rights on files; by version of Landlock. */
#define FS_EXECUTE    (1ULL << 0)
#define FS_WRITE_FILE (1ULL << 1)
#define FS_READ_FILE  (1ULL << 2)
#define FS_READ_DIR   (1ULL << 3)
#define FS_CHANGE_DIR (0x1ff0ULL)  /* remove and make entries of every kind */
#define FS_REFER      (1ULL << 13) /* 2: move and link between directories */
#define FS_TRUNCATE   (1ULL << 14) /* 3 */
#define FS_IOCTL_DEV  (1ULL << 15) /* 5 */

#define FS_READ  (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR)
#define FS_WRITE (FS_WRITE_FILE | FS_CHANGE_DIR | FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV)
/* what can be said of something that is no directory */
#define FS_OF_FILE (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

#define NET_BIND    (1ULL << 0) /* 4 */
#define NET_CONNECT (1ULL << 1) /* 4 */

#define SCOPE_ABSTRACT (1ULL << 0) /* 6 */
#define SCOPE_SIGNAL   (1ULL << 1) /* 6 */

struct attributes {
	uint64_t files, net, scope;
};

struct path_rule {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

struct port_rule {
	uint64_t rights, port;
};

/* What came after version 1, the newest last. */
static const struct {
	int abi;
	struct attributes bits;
} additions[] = {
	{2, {.files = FS_REFER}},     {3, {.files = FS_TRUNCATE}},  {4, {.net = NET_BIND}},
	{4, {.net = NET_CONNECT}},    {5, {.files = FS_IOCTL_DEV}}, {6, {.scope = SCOPE_ABSTRACT}},
	{6, {.scope = SCOPE_SIGNAL}},
};
#define ADDITIONS (sizeof(additions) / sizeof(additions[0]))

static const char *culprit;

static int result_of(long rc)
{
	return rc < 0 ? -errno : (int)rc;
}

static int create_ruleset(const struct attributes *attributes, size_t size, unsigned flags)
{
	return result_of(syscall(SYS_landlock_create_ruleset, attributes, size, flags));
}

int landlock_abi(void)
{
	int abi = create_ruleset(NULL, 0, QUERY_VERSION);

	return abi < 0 ? 0 : abi;
}

const char *landlock_culprit(void)
{
	return culprit;
}

const char *landlock_shortfall(int abi)
{
	switch (abi) {
	case 0:
		return "this kernel offers no Landlock: read_only and writable are not enforced";
	case 1:
		return "Landlock of this kernel (version 1) cannot keep files from being "
		       "truncated, nor devices from ioctl, and refuses to move files between "
		       "directories everywhere";
	case 2:
		return "Landlock of this kernel (version 2) cannot keep files from being "
		       "truncated, nor devices from ioctl";
	case 3:
	case 4:
		return "Landlock of this kernel (version 3 or 4) cannot keep devices from ioctl";
	default:
		return NULL;
	}
}

/* ---- the ruleset ---- */

static struct attributes wanted(const struct landlock_rules *rules)
{
	const struct landlock_config *files = rules->files;
	struct attributes all = {0};

	if (files && files->mode != LANDLOCK_OFF && (files->read_only || files->writable))
		all.files = files->read_only ? FS_READ | FS_WRITE : FS_WRITE;
	if (rules->bind.limited)
		all.net |= NET_BIND;
	if (rules->connect.limited)
		all.net |= NET_CONNECT;
	if (rules->scope)
		all.scope = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return all;
}

static void strip(struct attributes *a, size_t addition)
{
	a->files &= ~additions[addition].bits.files;
	a->net &= ~additions[addition].bits.net;
	a->scope &= ~additions[addition].bits.scope;
}

/*
 * The version is only a first guess: a kernel may lack a part of what its version stands for, and
 * then answers EINVAL (E2BIG where it does not even know the field); the newest part goes first.
 * Returns the descriptor, or -errno; -ENOMSG: nothing is left to ask for.
 */
static int make_ruleset(struct attributes *a, int abi)
{
	size_t left = ADDITIONS;
	int fd;

	if (abi == 0)
		*a = (struct attributes){0};
	for (;;) {
		while (left > 0 && additions[left - 1].abi > abi)
			strip(a, --left);
		fd = a->files | a->net | a->scope ? create_ruleset(a, sizeof(*a), 0) : -ENOMSG;
		if ((fd != -EINVAL && fd != -E2BIG) || left == 0)
			return fd;
		strip(a, --left);
	}
}

static int add_rule(int ruleset, int type, const void *rule)
{
	return result_of(syscall(SYS_landlock_add_rule, ruleset, type, rule, 0));
}

static int add_open_path(int ruleset, int fd, uint64_t rights)
{
	struct path_rule rule = {.rights = rights, .fd = fd};
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.rights &= FS_OF_FILE;
	return rule.rights ? add_rule(ruleset, RULE_PATH, &rule) : 0;
}

static int add_path(int ruleset, const char *path, uint64_t rights)
{
	int fd = open(path, O_PATH | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = add_open_path(ruleset, fd, rights);
	close(fd);
	return rc;
}

/* With `?` before it a path may be missing. */
static int add_paths(int ruleset, char *const *paths, uint64_t rights)
{
	for (; paths && *paths; paths++) {
		bool optional = **paths == '?';
		int rc = add_path(ruleset, *paths + optional, rights);

		if (rc < 0 && !(optional && rc == -ENOENT)) {
			culprit = *paths + optional;
			return rc;
		}
	}
	return 0;
}

/* Nearly every program needs these, and nothing is kept in them. */
static void add_devices(int ruleset, uint64_t rights)
{
	static const char *const devices[] = {"/dev/null",   "/dev/zero",    "/dev/full",
					      "/dev/random", "/dev/urandom", "/dev/tty"};

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		add_path(ruleset, devices[i], rights);
}

static int add_ports(int ruleset, const struct landlock_ports *ports, uint64_t right)
{
	struct port_rule rule = {.rights = right};
	int rc = 0;

	for (size_t i = 0; right && i < ports->count && rc == 0; i++) {
		rule.port = ports->list[i];
		rc = add_rule(ruleset, RULE_PORT, &rule);
	}
	return rc;
}

static int fill_ruleset(int ruleset, const struct landlock_rules *rules, const struct attributes *a)
{
	int rc = 0;

	if (a->files) {
		add_devices(ruleset, a->files & FS_OF_FILE & ~FS_EXECUTE);
		rc = add_paths(ruleset, rules->files->read_only, a->files & FS_READ);
	}
	if (a->files && rc == 0)
		rc = add_paths(ruleset, rules->files->writable, a->files);
	if (rc == 0)
		rc = add_ports(ruleset, &rules->bind, a->net & NET_BIND);
	if (rc == 0)
		rc = add_ports(ruleset, &rules->connect, a->net & NET_CONNECT);
	return rc;
}

/* A filter, or somebody who plays root, may answer 0 and do nothing: then it does so for this, too,
 * which cannot be done. */
static int enforce(int ruleset)
{
	if (syscall(SYS_landlock_restrict_self, -1, 0) >= 0)
		return -ENOSYS;
	return result_of(syscall(SYS_landlock_restrict_self, ruleset, 0));
}

int landlock_restrict(const struct landlock_rules *rules)
{
	struct attributes asked = wanted(rules), given = asked;
	bool required = asked.files && rules->files->mode == LANDLOCK_REQUIRE;
	int ruleset, rc;

	culprit = NULL;
	ruleset = make_ruleset(&given, landlock_abi());
	if (required && (given.files | FS_IOCTL_DEV) != (asked.files | FS_IOCTL_DEV))
		rc = -EOPNOTSUPP;
	else if (ruleset == -ENOMSG)
		return 0;
	else if (ruleset < 0)
		return ruleset;
	else
		rc = fill_ruleset(ruleset, rules, &given);
	if (rc == 0)
		rc = enforce(ruleset);
	if (ruleset >= 0)
		close(ruleset);
	return rc;
}

int landlock_apply(const struct landlock_config *config)
{
	return landlock_restrict(&(struct landlock_rules){.files = config});
}
