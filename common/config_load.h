/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CONFIG_LOAD_H
#define MUSTER_CONFIG_LOAD_H

#include <sched.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "config.h"
#include "keys.h"

/*
 * What the config_*.c files share while a configuration is being loaded; nobody else includes
 * this. The way of the data: files -> sections of entries (config_files, config_sections), entries
 * from the environment (config_override), drafts of typed values (config_values), and from these
 * the configuration (config_main, config_address, config_service, config_probe, config_identity,
 * config_environ, config_depend).
 *
 * Memory: `arena` is the result, `scratch` is dropped at the end. The load_* allocators do not
 * return without memory but leave the whole load (longjmp to config_load), so no descriptor may
 * be open across them.
 */
struct arena;
struct table;

/* Files are numbered in the order of reading; problems are sorted by number and line. */
#define FILE_PROGRAM     (UINT32_MAX - 1) /* the command line: the service `main` */
#define FILE_ENVIRONMENT UINT32_MAX

/* A key as it was written. */
struct entry {
	const struct key *key;
	struct section *section;
	const char *value; /* lines joined by '\n'; not expanded */
	size_t len;
	const char *variable; /* its name, when it comes from the environment */
	uint32_t file, line;
	bool ignored; /* expands to nothing: as if it were not there */
	struct entry *next;
};

struct section {
	enum section_kind kind;
	const char *name;    /* behind the colon; "" */
	const char *header;  /* as in the file, without brackets */
	uint32_t file, line; /* where it was defined first */
	uint32_t last_file, last_line;
	struct entry *entries, **tail;
	const char *replica_of; /* the name as written, when this is one of its replicas, */
	const char *replica;    /* and which: "0", "1" ... */
};

/* A part of a list, or a line. */
struct item {
	const char *text;
	uint32_t line;
};

struct items {
	struct item *list;
	size_t count;
};

struct names {
	const char **list;
	uint32_t count;
};

/* ---- drafts: typed values of one section ---- */

struct log_draft {
	uint8_t mode;
	const char *path;
};

struct range_draft {
	uint32_t first, second;
};

#define LIMITS_MAX 16

struct limits_draft {
	struct rlimit value[LIMITS_MAX];
	bool set[LIMITS_MAX];
};

struct probe_draft {
	const struct entry *probe;
	uint32_t period, timeout, initial_delay;
	int64_t failure_threshold, success_threshold;
};

/* Numbers that are absent unless given. */
#define NUMBER_NONE INT64_MIN

struct service_draft {
	char *const *command;
	uint8_t type;
	const struct entry *depends_on;
	struct probe_draft probes[ROLE_COUNT];
	uint32_t ready_timeout, watchdog;
	int64_t start_retries;
	uint8_t restart;
	struct range_draft backoff;
	struct range_draft limit;
	bool essential;
	uint8_t stop_signal;
	uint32_t stop_grace;
	char *const *stop_command, *const *pre_start, *const *post_stop;
	const char *require_gpu;
	const char *user, *group;
	const struct entry *group_add, *cap_add, *cap_drop;
	bool no_new_privileges;
	const char *seccomp;
	const struct entry *read_only, *writable;
	uint8_t landlock;
	struct limits_draft limits;
	int64_t umask, nice, oom_score_adj;
	cpu_set_t cpuset; /* empty: not given */
	uint64_t memory_max;
	uint32_t cpu_max;
	int64_t pids_max;
	const char *working_dir;
	const struct entry *environment, *env_file, *secrets;
	const struct entry *listen;
	uint8_t start;
	uint32_t idle_stop;
	struct log_draft log;
	uint64_t log_max_size;
	int64_t log_keep;
	const struct entry *profiles, *replicas;
	uint8_t on_address_change; /* as in struct service_config */
};

struct muster_draft {
	const char *name;
	uint8_t mode; /* index in key_modes: enum run_mode, or MODE_COUNT for auto */
	uint32_t start_parallel;
	uint32_t start_timeout, stop_timeout, drain;
	struct log_draft log;
	const char *exit_code_from;
	const char *hosts, *state_dir;
};

struct sidecar_draft {
	const struct entry *listen, *dns, *dns_upstream;
	int64_t connections, connections_per_host;
	const char *user, *program, *dns_zone;
	bool external, dns_public;
	uint8_t gpu;
};

struct address_draft {
	const struct entry *port;
	uint8_t check;
	uint32_t check_period;
	const struct entry *modes[MODE_COUNT];
	const struct entry *fallback;
	const struct entry *export;
	const struct entry *hosts, *forward;
};

struct peer_draft {
	const struct entry *url;
	uint32_t period;
};

/* A service on its way into config.services, at the same index. */
struct service_load {
	struct section *section;
	struct service_draft draft;
	uint16_t *mentions; /* addresses, by index */
	uint32_t mention_count;
};

/* A problem's place in the order. */
struct problem_order {
	uint32_t file, line;
};

struct load {
	const struct config_source *source;
	struct config *config;
	struct arena *arena, *scratch;
	jmp_buf no_memory;

	struct config_errors *errors;
	struct problem_order error_order[CONFIG_ERRORS_MAX];
	struct problem_order warning_order[CONFIG_ERRORS_MAX];

	const char **files; /* paths by number */
	uint32_t file_count, file_room;
	uint32_t network_probes;
	struct section **sections; /* in the order of their first definition */
	uint32_t section_count, section_room;
	struct table *by_header; /* header -> index in `sections` */

	struct table *environment; /* name -> index in source->environment */
	struct table *blocks;      /* interned memory */
	struct table *strings;     /* interned strings */
	struct table *accounts;    /* config_identity: what was asked -> index */
	struct account *account_list;
	uint32_t account_count, account_room;
	struct table *by_address;           /* address -> index in the address book */
	struct address_book *book;          /* config->addresses while it is being made, */
	struct address_entry *address_list; /* its entries, */
	struct address_text *texts;         /* and what is to become its texts */
	uint32_t text_count, text_room;
	bool follows;       /* what is being expanded is to follow its addresses, */
	bool keeps;         /* or keeps ${address:...} as it is written */
	uint16_t *mentions; /* addresses that the service being read mentions */
	uint32_t mention_count, mention_room;
	const char *mode_source;
	struct table *patterns; /* config_probe: regular expression -> index */
	const struct match **pattern_list;
	uint32_t pattern_count, pattern_room;
	struct table *profiles;  /* config_seccomp: paths of those that were read */
	struct table *var_files; /* config_secrets: path -> index */
	struct var_file **var_file_list;
	uint32_t var_file_count, var_file_room;
	size_t expanded; /* bytes so far, in all */

	struct muster_draft muster;
	struct service_draft defaults; /* of a service */
	struct service_load *services; /* by index in config.services */
	uint32_t service_room;
	struct listen_config *listens; /* what is to become config.listens */
	uint32_t listen_room;
	struct table *ports;      /* config_listen: kind and port, or path, of all of these */
	struct table *by_name;    /* service -> index in config.services */
	struct table *left_out;   /* services left out by their profiles */
	struct table *replicated; /* services with replicas -> index of the first of them */
	const char *replica;      /* ${MUSTER_REPLICA} of the service being read, or NULL */
	struct section *program;  /* made from the command line, or NULL */
	uint32_t peer_services;   /* services of other hosts that are waited for */
};

/* ---- config_report.c ---- */

/* Memory that is there: see above. load_alloc is scratch and zeroed. */
void *load_check(struct load *load, void *memory);
void *load_alloc(struct load *load, size_t count, size_t size);
char *load_strndup(struct load *load, const char *text, size_t len);
char *load_format(struct load *load, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A larger copy of an array once `count` has reached *room. */
void *load_grow(struct load *load, void *array, uint32_t count, uint32_t *room, size_t size);
/* Memory of the result, shared by all who ask for the same bytes. */
const char *load_intern(struct load *load, const char *text);
const void *load_intern_block(struct load *load, const void *bytes, size_t size);
/* argv of `count` words, each interned as well. */
char *const *load_intern_list(struct load *load, char *const *words, size_t count);

/*
 * Problems. The message says what is wrong; place, section and key are put before it. `entry` may
 * be one from the environment.
 */
void report_file(struct load *load, uint32_t file, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void report_section(struct load *load, const struct section *section, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void report_entry(struct load *load, const struct entry *entry, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void report_line(struct load *load, const struct entry *entry, uint32_t line, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));
void warn_file(struct load *load, uint32_t file, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void warn_section(struct load *load, const struct section *section, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void warn_line(struct load *load, const struct entry *entry, uint32_t line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* FILE:LINE: [section] key, interned, for what can only be told once init runs. */
const char *report_place(struct load *load, const struct entry *entry, uint32_t line);
/* Whether an error at this place would be kept: worth the search for what was meant. */
bool report_wanted(const struct load *load, uint32_t file, uint32_t line);

/* The text in quotes, control characters escaped, cut to about 60 characters; in a URL without
 * user, password and query. Returns buffer. */
#define QUOTE_SIZE 80
const char *quote(char buffer[QUOTE_SIZE], const char *text);
const char *quote_n(char buffer[QUOTE_SIZE], const char *text, size_t len);

/* "Did you mean": offer all there is, then take the text ("" or `; did you mean "x"?`). */
struct suggestion {
	const char *word;
	const char *best;
	unsigned distance;
};
struct suggestion suggest_begin(const char *word);
void suggest_offer(struct suggestion *suggestion, const char *candidate);
#define SUGGEST_SIZE 128
const char *suggest_text(const struct suggestion *suggestion, char buffer[SUGGEST_SIZE]);

/* ---- config_files.c ---- */

void load_files(struct load *load);
/* Numbers a file, for reports. */
uint32_t load_add_file(struct load *load, const char *path);
/*
 * The names in a directory, sorted, without those that begin with a dot; with `suffix` only those
 * that end so. False with errno.
 */
bool load_directory(struct load *load, const char *path, const char *suffix, struct names *names);

/* ---- config_sections.c ---- */

/* Reads the file's text into sections. */
struct reader_text;
void load_sections(struct load *load, uint32_t file, struct reader_text *text);
struct section *section_find(const struct load *load, const char *header);
struct section *section_add(struct load *load, enum section_kind kind, const char *header,
			    uint32_t file, uint32_t line);
/* Adds the entry, or changes the one with the same key. */
struct entry *section_put(struct load *load, struct section *section, const struct key *key);
/* The entry, or NULL: not given, or empty after expansion. */
struct entry *section_get(const struct section *section, const char *key);
/* NULL, or what is wrong with it as a name of a service, address or peer. */
const char *name_problem(const char *name);

/* ---- config_dead.c ---- */

/* Warns of what a service will not find on this machine; for source->find_dead. */
void load_dead(struct load *load);

/* ---- config_override.c ---- */

void load_environment(struct load *load);
/* The value of a variable of the environment, or NULL. */
const char *load_variable(const struct load *load, const char *name, size_t len);
/* The same, for a name made by key_variable; NULL also when it is empty. */
const char *load_set_variable(const struct load *load, const char *name);
void load_overrides(struct load *load);

/* ---- config_values.c ---- */

/* Fills a zeroed draft with the table's defaults. */
void values_defaults(struct load *load, enum section_kind kind, void *draft);
/* Reads every entry of the section into its field; problems are reported. */
void values_read(struct load *load, struct section *section, void *draft);
/* The value on one line, quotes taken off, expanded. False: reported, or it is empty. */
bool value_scalar(struct load *load, struct entry *entry, const char **text);
/* Expanded text of a part of the entry's value, which follows the addresses it mentions: an
 * argument, a variable. NULL: reported. */
const char *value_expand_following(struct load *load, const struct entry *entry, uint32_t line,
				   const char *text);
/* argv of a command line in the arena, or NULL: reported. */
char *const *value_command(struct load *load, const struct entry *entry, const char *text,
			   bool expands);
/* The parts of a list, expanded; of lines, as they were written. Entry may be NULL: none. */
struct items value_items(struct load *load, const struct entry *entry);
struct items value_lines(struct load *load, const struct entry *entry);
/* The same in two steps, for a value that may do without a variable: NULL with *error. */
const char *value_expand_quietly(struct load *load, const char *text, const char **error);
struct items value_items_of(struct load *load, const char *text, uint32_t line);

/* ---- config_main.c ---- */

void load_muster(struct load *load); /* name and mode: what others need first */
void load_sidecar(struct load *load);
/* `forward` of an address whose candidates are known: where to listen. */
char *const *load_forward(struct load *load, const struct section *section,
			  const struct address_entry *address);

/* ---- config_peer.c ---- */

void load_peers(struct load *load);
/* The peer with this name, or NULL. */
const struct peer_config *load_peer(const struct load *load, const char *name);
/* Why there is no such peer, to stand behind its name. */
const char *load_no_peer(struct load *load, const char *name);

/* ---- config_address.c ---- */

struct address_entry;
void load_entry(struct load *load, struct section *section, struct address_entry *out);

/* ---- config_book.c ---- */

void load_addresses(struct load *load);
/* What an expansion of ${address:TEXT} gives, or NULL with *error. While load->follows is set it is
 * a reference, for a value that becomes a text of the book (load_intern sees to that). */
const char *load_address(struct load *load, const char *text, size_t len, const char **error);
/* Why there is no such address, to stand behind its name. */
const char *load_no_address(struct load *load, const char *name);
void load_mention(struct load *load, uint32_t index);
/* A text of the book for this template, in the arena. */
const char *load_text(struct load *load, const char *template);
/* At the end: which addresses are checked, and the list of texts. */
void load_address_checks(struct load *load);
void load_address_texts(struct load *load);

/* ---- config_service.c ---- */

void load_services(struct load *load);
/* How many there may be in the end, with those that stand for what is outside. */
uint32_t load_most_services(const struct load *load);
/* The service that stands for an address with depends_on = address:NAME; made once. Its index. */
uint32_t load_address_service(struct load *load, uint32_t address);
/* The same for depends_on = PEER/NAME, the name being all of that. */
#define NO_PEER_SERVICE UINT32_MAX /* there are too many */
uint32_t load_peer_service(struct load *load, const struct peer_config *peer, const char *name);

/* ---- config_replicas.c ---- */

#define REPLICAS_MAX  1000
#define FORM_REPLICAS "a number from 1 to 1000"

/* How many replicas are asked for; 0: the service is a single one (or the number is wrong, and that
 * is reported). */
uint32_t replicas_asked(struct load *load, const struct section *section);
/* A section of its own for one of them; NULL: reported. */
struct section *replicas_make(struct load *load, const struct section *section, uint32_t number);

/* ---- config_probe.c ---- */

void load_probes(struct load *load, struct service_load *service, struct service_config *out);

/* ---- config_listen.c ---- */

/* Reads the sockets of a service; `index` is its own. Its probes are known by then. */
void load_listen(struct load *load, struct service_load *service, uint32_t index);
/* At the end: the list of all. */
void load_listens(struct load *load);

/* ---- config_identity.c ---- */

const struct identity_config *load_identity(struct load *load, struct service_load *service);
/* Reports a user that does not exist or, with `become`, that muster may not become. */
void identity_check_user(struct load *load, const struct entry *entry, const char *name,
			 bool become);

/* ---- config_capability.c ---- */

/* Fills in what cap_add and cap_drop say. */
void load_capabilities(struct load *load, const struct service_draft *draft,
		       struct identity_config *identity);

/* ---- config_seccomp.c ---- */

/* Fills in what seccomp says; who it is and what it may have are known by then. */
void load_seccomp(struct load *load, const struct service_load *service,
		  struct identity_config *identity);

/* ---- config_secrets.c ---- */

/* Variables, "NAME=value" each, from files or lines. */
struct variables {
	const char **list;
	uint32_t count, room;
};
void variables_add(struct load *load, struct variables *variables, const char *name,
		   size_t name_len, const char *value);
/* What the files of env_file and secrets say, in order. Entries may be NULL. */
void load_env_files(struct load *load, const struct entry *entry, struct variables *variables);
void load_secrets(struct load *load, const struct entry *entry, struct variables *variables);

/* ---- config_environ.c ---- */

void load_common_environment(struct load *load);
void load_service_environment(struct load *load, struct service_load *service,
			      struct service_config *out);

/* ---- config_depend.c ---- */

void load_dependencies(struct load *load);
/* Why there is no service of this name, which the entry gives; to stand behind it. */
const char *no_service(struct load *load, const struct entry *entry, const char *name);

#endif
