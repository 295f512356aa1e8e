/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SECURITY_H
#define MUSTER_SECURITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What a running process can do, from /proc, and what that means. security_read.c reads,
 * security_rate.c judges, security_asked.c compares with the configuration, security.c shows.
 */
struct service_config;

#define FACTS_GROUPS_MAX 64

enum sharing { SHARING_UNKNOWN, SHARING_NO, SHARING_YES };

/* proc_pid_status(5) and its neighbours. */
struct facts {
	pid_t pid;
	uid_t uid; /* effective */
	gid_t gid;
	bool same_ids; /* real, effective, saved and of the file system are one */
	gid_t groups[FACTS_GROUPS_MAX];
	unsigned group_count;
	uint64_t inheritable, permitted, effective, bounding, ambient;
	unsigned umask;
	unsigned no_new_privileges, seccomp, filters;
	pid_t tracer;
	bool terminal;
	uint64_t max_core, max_processes; /* hard limits; UINT64_MAX: unlimited */
	uint64_t max_files;
	int oom_score_adj;
	int descriptors; /* open ones; -1: cannot be seen */
	/* with muster-init */
	enum sharing network, mounts, processes;
};

/* 0, or -errno: what must be readable is not. `init`: its pid in our PID namespace. */
int facts_read(struct facts *facts, pid_t pid, pid_t init);

/* ---- the rating ---- */

struct subject {
	const struct facts *facts;
	const struct facts *init;
	const struct service_config *config; /* NULL: not known */
	bool shares_user;                    /* with another service */
	bool landlock;                       /* this kernel has it */
};

#define FOUND_SIZE 96

struct check {
	const char *name;
	unsigned weight;
	/* How much of the weight counts as exposure, 0 to 100; -1: cannot be seen, does not count.
	 */
	int (*judge)(const struct subject *subject, char found[FOUND_SIZE]);
};

extern const struct check security_checks[];
extern const unsigned security_check_count;

#define CHECKS_MAX 32
struct rating {
	int percent[CHECKS_MAX]; /* by check, as judged */
	char found[CHECKS_MAX][FOUND_SIZE];
	unsigned weight;   /* of all that could be seen */
	unsigned exposure; /* hundredths, 0 to 1000 */
};

void security_rate(const struct subject *subject, struct rating *rating);
/* "low", "medium", "high" */
const char *security_level(unsigned exposure);
/* What a check adds to the exposure, in hundredths. */
unsigned security_share(const struct rating *rating, unsigned check);

/* ---- asked and found ---- */

#define DIFFERENCES_MAX 16
struct difference {
	char key[24];
	char asked[64], found[64];
};

/* Returns how many there are. */
unsigned security_compare(const struct facts *facts, const struct service_config *config,
			  struct difference list[DIFFERENCES_MAX]);

#endif
