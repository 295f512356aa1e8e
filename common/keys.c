/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "config_load.h"
#include "gpu_codes.h"
#include "seccomp_profile.h"
#include "str.h"

const char *const key_modes[] = {"development", "testing", "container", "kubernetes",
				 "production",  "auto",    NULL};
const char *const key_gpus[] = {"auto", "yes", "no", NULL};
static const char *const types[] = {"service", "oneshot", "external", NULL};
static const char *const restarts[] = {"no", "on-failure", "always", "unless-stopped", NULL};
static const char *const landlocks[] = {"best-effort", "require", "off", NULL};
static const char *const checks[] = {"auto", "connect", "dns", "no", NULL};
static const char *const starts[] = {"auto", "manual", "on-demand", NULL};

#define MUSTER(member)  .section = SECTION_MUSTER, .offset = offsetof(struct muster_draft, member)
#define SIDECAR(member) .section = SECTION_SIDECAR, .offset = offsetof(struct sidecar_draft, member)
#define SERVICE(member) .section = SECTION_SERVICE, .offset = offsetof(struct service_draft, member)
#define ADDRESS(member) .section = SECTION_ADDRESS, .offset = offsetof(struct address_draft, member)
#define PEER(member)    .section = SECTION_PEER, .offset = offsetof(struct peer_draft, member)

#define TIME(least)      .form = KEY_DURATION, .min = (least), .max = UINT32_MAX
#define NUMBER(from, to) .form = KEY_NUMBER, .min = (from), .max = (to)
#define WORD(list)       .form = KEY_WORD, .words = (list)

/* A probe and what belongs to it; thresholds of success may differ from 1 for readiness only. */
#define PROBE(word, role, most, accepted)                                                          \
	{word "_probe", SERVICE(probes[role].probe), .form = KEY_PROBE},                           \
		{word "_probe_period", SERVICE(probes[role].period), TIME(1), .fallback = "10s"},  \
		{word "_probe_timeout", SERVICE(probes[role].timeout), TIME(1), .fallback = "1s"}, \
		{word "_probe_failure_threshold", SERVICE(probes[role].failure_threshold),         \
		 NUMBER(1, 1000000), .fallback = "3"},                                             \
		{word "_probe_success_threshold", SERVICE(probes[role].success_threshold),         \
		 NUMBER(1, most), .fallback = "1", .accepts = accepted},                           \
	{                                                                                          \
		word "_probe_initial_delay", SERVICE(probes[role].initial_delay), TIME(0),         \
			.fallback = "0s"                                                           \
	}

#define LIMIT(word, limit, bytes)                                                                  \
	{                                                                                          \
		"ulimit_" word, SERVICE(limits), .form = KEY_LIMIT, .min = limit, .max = bytes     \
	}

const struct key keys[] = {
	{"name", MUSTER(name), .form = KEY_NAME, .fallback = "hostname", .no_parse = true},
	{"mode", MUSTER(mode), WORD(key_modes), .fallback = "auto"},
	{"start_parallel", MUSTER(start_parallel), .form = KEY_PARALLEL, .fallback = "auto"},
	{"start_timeout", MUSTER(start_timeout), TIME(1), .fallback = "5m"},
	{"stop_timeout", MUSTER(stop_timeout), TIME(0), .fallback = "9s"},
	{"drain", MUSTER(drain), TIME(0), .fallback = "0s"},
	{"log", MUSTER(log), .form = KEY_LOG, .fallback = "prefix",
	 .accepts = "inherit, prefix or json"},
	{"exit_code_from", MUSTER(exit_code_from), .form = KEY_NAME,
	 .accepts = "the name of a service"},
	{"state_dir", MUSTER(state_dir), .form = KEY_PATH},
	{"hosts", MUSTER(hosts), .form = KEY_HOSTS, .fallback = "no"},

	{"listen", SIDECAR(listen), .form = KEY_LIST, .fallback = "127.0.0.1:9180",
	 .no_parse = true},
	{"user", SIDECAR(user), .form = KEY_TEXT, .fallback = "muster", .no_parse = true},
	{"external", SIDECAR(external), .form = KEY_BOOL, .fallback = "no"},
	{"program", SIDECAR(program), .form = KEY_TEXT, .fallback = "muster-sidecar",
	 .no_parse = true},
	{"connections", SIDECAR(connections), NUMBER(1, CONNECTIONS_MAX), .fallback = "10"},
	{"connections_per_host", SIDECAR(connections_per_host), NUMBER(1, CONNECTIONS_MAX),
	 .fallback = "2"},
	{"dns", SIDECAR(dns), .form = KEY_LIST, .no_parse = true},
	{"dns_upstream", SIDECAR(dns_upstream), .form = KEY_LIST,
	 .fallback = "as /etc/resolv.conf says", .no_parse = true},
	{"dns_zone", SIDECAR(dns_zone), .form = KEY_NAME, .fallback = "muster"},
	{"dns_public", SIDECAR(dns_public), .form = KEY_BOOL, .fallback = "no"},
	{"gpu", SIDECAR(gpu), WORD(key_gpus), .fallback = "auto"},

	{"command", SERVICE(command), .form = KEY_COMMAND},
	{"type", SERVICE(type), WORD(types), .fallback = "service"},
	{"depends_on", SERVICE(depends_on), .form = KEY_LIST},
	PROBE("readiness", ROLE_READINESS, 1000000, NULL),
	PROBE("startup", ROLE_STARTUP, 1, "1, the only number that makes sense here"),
	PROBE("liveness", ROLE_LIVENESS, 1, "1, the only number that makes sense here"),
	{"ready_timeout", SERVICE(ready_timeout), TIME(1), .fallback = "60s"},
	{"watchdog", SERVICE(watchdog), TIME(1)},
	{"start_retries", SERVICE(start_retries), NUMBER(1, 1000000), .fallback = "3"},
	{"restart", SERVICE(restart), WORD(restarts), .fallback = "on-failure"},
	{"restart_backoff", SERVICE(backoff), .form = KEY_BACKOFF, .fallback = "100ms..30s"},
	{"restart_limit", SERVICE(limit), .form = KEY_RATE, .fallback = "10/60s"},
	{"essential", SERVICE(essential), .form = KEY_BOOL, .fallback = "yes"},
	{"stop_signal", SERVICE(stop_signal), .form = KEY_SIGNAL, .fallback = "SIGTERM"},
	{"stop_grace_period", SERVICE(stop_grace), TIME(0), .fallback = "8s"},
	{"stop_command", SERVICE(stop_command), .form = KEY_COMMAND},
	{"pre_start", SERVICE(pre_start), .form = KEY_COMMAND},
	{"post_stop", SERVICE(post_stop), .form = KEY_COMMAND},
	{"user", SERVICE(user), .form = KEY_TEXT},
	{"group", SERVICE(group), .form = KEY_TEXT},
	{"group_add", SERVICE(group_add), .form = KEY_LIST},
	{"cap_add", SERVICE(cap_add), .form = KEY_LIST},
	{"cap_drop", SERVICE(cap_drop), .form = KEY_LIST},
	{"seccomp", SERVICE(seccomp), .form = KEY_TEXT, .fallback = "default",
	 .accepts = FORM_SECCOMP},
	{"no_new_privileges", SERVICE(no_new_privileges), .form = KEY_BOOL, .fallback = "yes"},
	{"read_only", SERVICE(read_only), .form = KEY_LIST, .accepts = "absolute paths"},
	{"writable", SERVICE(writable), .form = KEY_LIST, .accepts = "absolute paths"},
	{"landlock", SERVICE(landlock), WORD(landlocks), .fallback = "best-effort"},
	LIMIT("as", RLIMIT_AS, 1),
	LIMIT("core", RLIMIT_CORE, 1),
	LIMIT("cpu", RLIMIT_CPU, 0),
	LIMIT("data", RLIMIT_DATA, 1),
	LIMIT("fsize", RLIMIT_FSIZE, 1),
	LIMIT("locks", RLIMIT_LOCKS, 0),
	LIMIT("memlock", RLIMIT_MEMLOCK, 1),
	LIMIT("msgqueue", RLIMIT_MSGQUEUE, 1),
	LIMIT("nice", RLIMIT_NICE, 0),
	LIMIT("nofile", RLIMIT_NOFILE, 0),
	LIMIT("nproc", RLIMIT_NPROC, 0),
	LIMIT("rss", RLIMIT_RSS, 1),
	LIMIT("rtprio", RLIMIT_RTPRIO, 0),
	LIMIT("rttime", RLIMIT_RTTIME, 0),
	LIMIT("sigpending", RLIMIT_SIGPENDING, 0),
	LIMIT("stack", RLIMIT_STACK, 1),
	{"umask", SERVICE(umask), .form = KEY_MASK},
	{"working_dir", SERVICE(working_dir), .form = KEY_PATH},
	{"nice", SERVICE(nice), NUMBER(-20, 19)},
	{"oom_score_adj", SERVICE(oom_score_adj), NUMBER(-1000, 1000)},
	{"cpuset", SERVICE(cpuset), .form = KEY_CPUS},
	{"memory_max", SERVICE(memory_max), .form = KEY_SIZE, .min = 1,
	 .accepts = FORM_SIZE ", more than 0"},
	{"cpu_max", SERVICE(cpu_max), .form = KEY_CORES},
	{"pids_max", SERVICE(pids_max), NUMBER(1, 4194304)},
	{"environment", SERVICE(environment), .form = KEY_LINES},
	{"env_file", SERVICE(env_file), .form = KEY_LIST},
	{"secrets", SERVICE(secrets), .form = KEY_LIST},
	{"listen", SERVICE(listen), .form = KEY_LIST,
	 .accepts = "tcp:host:port, udp:host:port or unix:/path"},
	{"start", SERVICE(start), WORD(starts), .fallback = "auto"},
	{"idle_stop", SERVICE(idle_stop), TIME(100), .accepts = "a duration of at least 100ms"},
	{"log", SERVICE(log), .form = KEY_LOG, .fallback = "that of [muster]", .no_parse = true,
	 .accepts = "inherit, prefix, json, none or file:/path"},
	{"log_max_size", SERVICE(log_max_size), .form = KEY_SIZE, .fallback = "10M"},
	{"log_keep", SERVICE(log_keep), NUMBER(0, 99), .fallback = "3"},
	{"require_gpu", SERVICE(require_gpu), .form = KEY_GPU},
	{"profiles", SERVICE(profiles), .form = KEY_LIST},
	{"replicas", SERVICE(replicas), .form = KEY_LIST, .fallback = "1", .no_parse = true,
	 .accepts = FORM_REPLICAS},
	{"on_address_change", SERVICE(on_address_change), .form = KEY_CHANGE, .fallback = "ignore"},

	{"port", ADDRESS(port), .form = KEY_LIST,
	 .accepts = "a number from 1 to 65535 or the name of a port"},
	{"development", ADDRESS(modes[MODE_DEVELOPMENT]), .form = KEY_ADDRESS},
	{"testing", ADDRESS(modes[MODE_TESTING]), .form = KEY_ADDRESS},
	{"container", ADDRESS(modes[MODE_CONTAINER]), .form = KEY_ADDRESS},
	{"kubernetes", ADDRESS(modes[MODE_KUBERNETES]), .form = KEY_ADDRESS},
	{"production", ADDRESS(modes[MODE_PRODUCTION]), .form = KEY_ADDRESS},
	{"fallback", ADDRESS(fallback), .form = KEY_ADDRESS},
	{"export", ADDRESS(export), .form = KEY_LIST},
	{"check", ADDRESS(check), WORD(checks), .fallback = "auto"},
	{"check_period", ADDRESS(check_period), TIME(100), .fallback = "10s"},
	{"hosts", ADDRESS(hosts), .form = KEY_LIST, .fallback = "its name", .no_parse = true},
	{"forward", ADDRESS(forward), .form = KEY_LIST},

	{"url", PEER(url), .form = KEY_URL},
	{"period", PEER(period), TIME(100), .fallback = "10s",
	 .accepts = "a duration of at least 100ms"},
};

const size_t key_count = sizeof(keys) / sizeof(keys[0]);

const struct key *key_find(enum section_kind section, const char *name)
{
	for (size_t i = 0; i < key_count; i++)
		if (keys[i].section == section && keys[i].name[0] == name[0] &&
		    strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/* "a, b or c" */
static void join_words(const char *const *words, char *buffer, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; words[i] && len < size; i++) {
		const char *before = i == 0 ? "" : words[i + 1] ? ", " : " or ";
		int n = snprintf(buffer + len, size - len, "%s%s", before, words[i]);

		len += n > 0 ? (size_t)n : 0;
	}
}

static const char *form_accepts(enum key_form form)
{
	switch (form) {
	case KEY_NAME:
		return "letters, digits, - _ . (at most 63)";
	case KEY_PATH:
		return "an absolute path";
	case KEY_BOOL:
		return FORM_BOOL;
	case KEY_SIZE:
		return FORM_SIZE;
	case KEY_CPUS:
		return "numbers of CPUs such as 0-1,3";
	case KEY_CORES:
		return "a number of CPUs such as 0.5 or 2, at least 0.01";
	case KEY_SIGNAL:
		return "a signal such as SIGTERM, HUP, 15 or RTMIN+3";
	case KEY_MASK:
		return "an octal mask such as 022";
	case KEY_COMMAND:
		return "a program and its arguments";
	case KEY_PARALLEL:
		return "auto, unlimited or a number from 1 to 100000";
	case KEY_BACKOFF:
		return "two durations such as 100ms..30s";
	case KEY_CHANGE:
		return "restart, ignore or signal:NAME, as in signal:HUP";
	case KEY_HOSTS:
		return "yes, no or the path of a hosts file";
	case KEY_GPU:
		return GPU_ANY ", or a compute capability such as 8.9";
	case KEY_RATE:
		return "a number of restarts in a time such as 10/60s, or unlimited";
	case KEY_PROBE:
		return "notify, fd:N, tcp://host:port, http://..., https://..., grpc://host:port, "
		       "exec:COMMAND, file:/path, unix:/path or log:REGEX";
	case KEY_ADDRESS:
		return "host or host:port";
	case KEY_URL:
		return "http://host:port/ or https://host:port/";
	case KEY_LIST:
	case KEY_LINES:
		return "a list";
	default:
		return "text";
	}
}

const char *key_accepts(const struct key *key, char *buffer, size_t size)
{
	if (key->accepts)
		return key->accepts;
	if (key->form == KEY_WORD)
		join_words(key->words, buffer, size);
	else if (key->form == KEY_NUMBER)
		snprintf(buffer, size, "a number from %lld to %lld", (long long)key->min,
			 (long long)key->max);
	else if (key->form == KEY_DURATION)
		snprintf(buffer, size, "%s%s", FORM_DURATION, key->min > 0 ? ", more than 0" : "");
	else if (key->form == KEY_LIMIT)
		snprintf(buffer, size, "N, SOFT:HARD or unlimited%s",
			 key->max ? ", in bytes or as 64K, 512M or 2G" : "");
	else
		return form_accepts(key->form);
	return buffer;
}

const char *section_word(enum section_kind kind)
{
	static const char words[SECTION_KINDS][8] = {"muster", "sidecar", "service", "address",
						     "peer"};

	return words[kind];
}

bool section_is_named(enum section_kind kind)
{
	return kind != SECTION_MUSTER && kind != SECTION_SIDECAR;
}

void key_variable(const char *name, char *buffer, size_t size)
{
	size_t i;

	for (i = 0; name[i] && i + 1 < size; i++) {
		char c = name[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		else if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
			c = '_';
		buffer[i] = c;
	}
	buffer[i] = '\0';
}
