/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CONFIG_H
#define MUSTER_CONFIG_H

#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/un.h>

#include "states.h"

/*
 * The configuration as plain values: what muster.ini(5) says, defaults filled in, variables
 * expanded, users looked up, dependencies as indices. Everything lives in one arena and is read
 * only once config_load has returned. muster-init, musterctl and muster-sidecar read the same
 * files by the same rules through this one header.
 */

struct arena;
struct match;

#define CONFIG_NAME_MAX     63
#define CONFIG_NAME_CHARS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
#define CONFIG_SERVICES_MAX 20000

enum run_mode {
	MODE_DEVELOPMENT,
	MODE_TESTING,
	MODE_CONTAINER,
	MODE_KUBERNETES,
	MODE_PRODUCTION,
	MODE_COUNT
};
const char *mode_name(unsigned mode);

enum restart_policy { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_UNLESS_STOPPED };

enum log_mode { LOG_INHERIT, LOG_PREFIX, LOG_JSON, LOG_NONE, LOG_FILE };

enum start_mode { START_AUTO, START_MANUAL, START_ON_DEMAND };

/* A socket that init opens and keeps for a service. */
enum listen_kind { LISTEN_TCP, LISTEN_UDP, LISTEN_UNIX };

#define SOCKETS_MAX     64 /* of one service */
#define LISTEN_FIRST_FD 3  /* where the service finds them, in order: sd_listen_fds(3) */

struct listen_config {
	const char *text;  /* as written, expanded: with the same text it is the same socket */
	const char *place; /* FILE:LINE: [section] key, for messages */
	uint8_t kind;      /* enum listen_kind */
	bool both;         /* no host: IPv6 and IPv4; `address` is then [::] */
	bool shared;       /* with other replicas, which have entries of their own for it */
	uint16_t service;  /* index */
	socklen_t size;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} address;
};

#define PARALLEL_AUTO      0
#define PARALLEL_UNLIMITED UINT32_MAX

#define PROBES_MAX         8     /* of one role */
#define NETWORK_PROBES_MAX 30000 /* of all services: probe_link.h numbers them */

/* One probe of a service. Times in milliseconds. */
struct probe_config {
	const struct probe_config *next; /* of the same role: all have to succeed; NULL */
	uint8_t kind;                    /* enum probe_kind */
	int16_t fd;                      /* PROBE_FD: the descriptor's number in the service */
	uint32_t period;
	uint32_t timeout;
	uint32_t initial_delay;
	uint32_t failure_threshold;
	uint32_t success_threshold;
	const char *
		target; /* as the user wrote it after expansion, a host filled in for http://:80/ */
	const char *path;          /* PROBE_FILE, PROBE_UNIX */
	char *const *argv;         /* PROBE_EXEC */
	const struct match *match; /* PROBE_LOG */
};

/* A resource limit to set; a list of them ends with resource -1. RLIM_INFINITY: unlimited. */
struct limit_config {
	int resource; /* RLIMIT_* */
	struct rlimit value;
};

/* Which system calls it may make (seccomp(2)). */
enum seccomp_mode {
	SECCOMP_UNCONFINED,
	SECCOMP_DEFAULT, /* the rules that Docker applies by default */
	SECCOMP_PROFILE  /* a Docker/OCI profile in JSON */
};

struct seccomp_config {
	uint8_t mode;     /* enum seccomp_mode */
	bool audit;       /* what would be refused is logged by the kernel and let pass */
	bool asked;       /* by the user: then it is an error where the kernel cannot do it */
	const char *path; /* SECCOMP_PROFILE */
};

/* What of the file system it may use (landlock(7)). */
enum landlock_mode { LANDLOCK_BEST_EFFORT, LANDLOCK_REQUIRE, LANDLOCK_OFF };

/*
 * With `writable` alone everything may be read and executed, and changed only below these paths;
 * with `read_only` reading and executing, too, is possible only below the paths of both lists.
 */
struct landlock_config {
	uint8_t mode;           /* enum landlock_mode */
	char *const *read_only; /* NULL-ended; NULL: not given */
	char *const *writable;
};

/* Who the service is. Shared between services that ask for the same. */
struct identity_config {
	bool change_user; /* uid, gid and groups below are to be set */
	bool no_new_privileges;
	bool has_umask;
	bool has_nice;
	bool has_oom;
	uid_t uid;
	gid_t gid;
	uint32_t group_count;
	const gid_t *groups;   /* the whole list, primary gid included */
	const char *user_name; /* as written, for messages; NULL */
	mode_t umask;
	int nice;
	int oom_score_adj;
	/* sets as in capability.h: all of cap_drop are taken from what init has, then cap_add
	 * given; where cap_add is ALL, it is the other way round */
	uint64_t cap_drop, cap_add;
	bool change_caps; /* cap_drop or cap_add is given */
	struct seccomp_config seccomp;
	const struct landlock_config *landlock; /* NULL: no paths are given */
	const char *working_dir;                /* NULL: init's own at start */
	const struct limit_config *limits;      /* NULL: none */
	const cpu_set_t *cpus;                  /* that it may run on; NULL: those of init */
};

/* What all of its processes together may use, as cgroup v2 has it. 0: no limit. */
#define CPU_PERIOD 100000 /* microseconds */

struct cgroup_config {
	uint64_t memory_max; /* bytes */
	uint32_t cpu_max;    /* microseconds in each CPU_PERIOD */
	uint32_t pids_max;
};

/* Timing, restarts, logs: mostly defaults, so shared between services that are alike. */
struct policy_config {
	uint32_t ready_timeout; /* ms; 0: no limit */
	uint32_t watchdog;      /* ms; 0: none */
	uint32_t start_retries;
	uint8_t restart; /* enum restart_policy */
	uint8_t log;     /* enum log_mode */
	uint8_t stop_signal;
	uint8_t log_keep;
	uint32_t backoff_min, backoff_max; /* ms */
	uint32_t restart_limit;            /* so many restarts ... */
	uint32_t restart_window;           /* ... in so many ms; limit 0: no limit */
	uint32_t stop_grace;               /* ms */
	uint64_t log_max_size;             /* bytes; 0: no limit */
	const char *log_path;              /* LOG_FILE */
	char *const
		*gpu_check; /* before pre_start: gpu-check and its arguments; NULL: no GPU needed */
	char *const *pre_start;
	char *const *stop_command;
	char *const *post_stop;
	const struct cgroup_config *cgroup; /* NULL: none of these limits */
	const struct identity_config *identity;
};

struct dep_config {
	uint16_t service;  /* index of the dependency */
	uint8_t condition; /* enum dep_condition */
	bool optional : 1;
	bool restart : 1; /* when the dependency is started again, so is the one that depends on it
			   */
	bool whole : 1;   /* it is meant as one of all replicas of its name */
};

struct service_config {
	const char *name;
	/* the name of its section, when it is one of the replicas of that; the same pointer for all
	 * of them. NULL: it is not */
	const char *replica_of;
	char *const *argv; /* NULL for TYPE_EXTERNAL */
	/* what only this service gets, "K=V", each name once, NULL-ended; it comes over
	 * config.common_environment, and that over init's own (config_environment joins the
	 * three) */
	char *const *environment;
	const struct dep_config *deps;
	const struct probe_config *probes[ROLE_COUNT]; /* the first; NULL: none */
	const struct policy_config *policy;
	const char *listen_names;  /* LISTEN_FDNAMES=...; NULL: it has no sockets */
	const char *listen_number; /* LISTEN_FDS=N */
	uint32_t idle_stop;        /* ms; 0: never. START_ON_DEMAND */
	uint32_t listen_first;     /* of config.listens */
	uint16_t listen_count;
	uint16_t dep_count;
	uint8_t type;  /* enum service_type */
	uint8_t start; /* enum start_mode */
	bool essential;
	bool internal;             /* muster's own sidecar */
	uint8_t on_address_change; /* CHANGE_IGNORE, CHANGE_RESTART, or the signal to send */
	/* the addresses that it mentions or waits for; none: a change of any concerns it */
	uint16_t address_count;
	const uint16_t *addresses;
	uint32_t line; /* where its section starts, in `file` of the first definition */
};

#define CHANGE_IGNORE  0
#define CHANGE_RESTART 255

/* What stands in the graph for depends_on = address:NAME: a service of type external with this
 * before its name, which is ready when the sidecar says that the address answers. */
#define ADDRESS_PREFIX "address:"
/* And for depends_on = PEER/NAME: one that is called as it is written, ready when the sidecar says
 * that the service of that host is so far. This stands before the name in the target of its probe.
 */
#define PEER_PREFIX "peer:"
#define PEERS_MAX   256
/* of different ones that are waited for */
#define PEER_SERVICES_MAX 512

/* How muster-init tells the sidecar of a peer: NAME/PERIOD=URL. */
#define PEER_OPTION      "%s/%ums=%s"
#define PEER_URL_MAX     1023
#define PEER_OPTION_SIZE (CONFIG_NAME_MAX + PEER_URL_MAX + 32)

/* [peer:NAME], another host */
struct peer_config {
	const char *name;
	const char *url; /* without a / at its end; ${address:...} stands for what is in force */
	uint32_t period; /* ms */
};

/* `gpu`: whether the sidecar looks for NVIDIA GPUs; in the order of key_gpus. */
enum gpu_mode { GPU_AUTO, GPU_YES, GPU_NO };

/* Connections of checks at a time, and how many of them to one port of one host. */
#define CONNECTIONS_MAX          64
#define CONNECTIONS_DEFAULT      10
#define CONNECTIONS_HOST_DEFAULT 2

#define NO_UID ((uid_t)-1) /* the kernel's word for "no change": nobody has it */

/* [sidecar] */
struct sidecar_config {
	bool present;        /* the section exists, or a network probe needs it */
	bool external;       /* runs elsewhere: PID 1 does not start it */
	const char *program; /* NULL: muster-sidecar beside this program, else in PATH */
	const char *user;    /* NULL: `muster` when there is such a user, else 65532 */
	uid_t uid;           /* that of `user`; NO_UID: there is no such key */
	char *const *listen; /* host:port, NULL-ended; default 127.0.0.1:9180 */
	/* the name server: all numeric host:port, NULL-ended */
	char *const *dns;          /* where it answers; NULL: there is none */
	char *const *dns_upstream; /* whom it asks; NULL: as resolv.conf says; empty: nobody */
	const char *dns_zone;      /* below which names of addresses stand, too */
	uint8_t gpu;               /* enum gpu_mode */
	uint8_t connections, connections_per_host;
};

struct config {
	struct arena *arena;
	const char *name; /* of this host */
	enum run_mode mode;
	uint32_t start_parallel; /* a number, PARALLEL_AUTO or PARALLEL_UNLIMITED */
	uint64_t start_timeout;  /* ms */
	uint64_t stop_timeout;   /* ms */
	uint64_t drain;          /* ms */
	uint8_t log;             /* enum log_mode */
	int exit_code_from;      /* index of a service, or -1 */
	struct sidecar_config sidecar;
	struct service_config *services; /* in the order of the files */
	uint32_t count;
	/* what every service gets besides init's own environment: MUSTER_HOST, MUSTER_MODE,
	 * MUSTER_RUN_DIR, MUSTER_ADDRESS_*, exports of addresses; "K=V", NULL-ended */
	char *const *common_environment;
	/* address.h; never NULL. The texts above that mention an address follow it (address_choose)
	 */
	const struct address_book *addresses;
	const char *state_dir;           /* what is to outlast the container; NULL: nothing */
	const char *hosts;               /* the hosts file that names addresses; NULL: none */
	const struct peer_config *peers; /* without this host itself */
	uint32_t peer_count;
	const struct listen_config *listens; /* of all services */
	uint32_t listen_count;
	struct filters *filters;     /* init's own (init/start/filters.h); NULL until then */
	struct held_socket *sockets; /* init's own (init/sockets.h); NULL until then */
};

/* Where to read and from what surroundings. All pointers are borrowed for the call. */
struct config_source {
	const char *const *files; /* NULL-ended; NULL: $MUSTER_CONFIG, else the default path */
	char *const *environment; /* the environment to expand from */
	char *const *program;     /* a PROGRAM on the command line: becomes the service `main` */
	/* musterctl, sidecar: users are not looked up, and the files of env_file and secrets are
	 * not read (nor missed), since this process may neither know nor see them */
	bool lenient_users;
	/* for --check: profiles of `seccomp` are read, too. A running init has that done by a
	 * child (init/start/filters.h). */
	bool read_profiles;
	/* for --check: warns of programs and directories that are not on this machine, and of what
	 * a service may not use */
	bool find_dead;
};
#define CONFIG_DEFAULT_FILE "/etc/muster/muster.ini"
/* Of the status page and the control socket, unless MUSTER_RUN_DIR names another. */
#define RUN_DIR_DEFAULT "/run/muster"

/*
 * Problems found, in the order of files and lines. At most CONFIG_ERRORS_MAX are kept; `total`
 * counts all. Each text is complete: FILE:LINE: [section] key: what is wrong.
 */
#define CONFIG_ERRORS_MAX 100
struct config_errors {
	char *text[CONFIG_ERRORS_MAX]; /* malloc'ed */
	unsigned kept;
	unsigned total;
	char *warning[CONFIG_ERRORS_MAX];
	unsigned warnings;
};
void config_errors_free(struct config_errors *errors);

/*
 * Reads, merges, expands, checks. Returns the configuration, or NULL with at least one error.
 * Allocates (an arena, and errors with malloc); reads regular files only and never waits for a
 * FIFO. config_free drops all of it.
 */
struct config *config_load(const struct config_source *source, struct config_errors *errors);
void config_free(struct config *config);

/*
 * The whole environment of a service: `base` (init's own), then what all get, then its own; a
 * later entry takes the place of an earlier one with the same name. Stores at most `max` pointers,
 * the NULL at the end included, and allocates nothing. Returns how many it takes (NULL included);
 * more than `max`: `out` is too small and cut. Extra entries of the caller (NOTIFY_SOCKET ...) may
 * be appended by the caller.
 */
size_t config_environment(const struct config *config, const struct service_config *service,
			  char *const *base, char **out, size_t max);

/* Index of the service with this name, or -1. */
int config_find(const struct config *config, const char *name);

/* Whether a probe is checked by the sidecar (a network) or by init itself. */
bool probe_is_network(const struct probe_config *probe);

/*
 * Whether two services would run the same way (names of dependencies, not indices, compared). The
 * common environment is not looked at: an address that changes restarts those that mention it.
 */
bool service_config_equal(const struct config *a, const struct service_config *x,
			  const struct config *b, const struct service_config *y);
/* How many keys of the two differ; the names of up to `max` are stored. The same comparison. */
unsigned service_config_compare(const struct config *a, const struct service_config *x,
				const struct config *b, const struct service_config *y,
				const char **keys, unsigned max);

#endif
