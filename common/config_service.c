/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "arena.h"
#include "table.h"

/* ---- profiles ---- */

static bool is_listed(const struct items *items, const char *word)
{
	for (size_t i = 0; i < items->count; i++)
		if (strcmp(items->list[i].text, word) == 0)
			return true;
	return false;
}

/* Whether the service has profiles and none of them is asked for. */
static bool is_left_out(struct load *load, const struct section *section,
			const struct items *active)
{
	const struct entry *entry = section_get(section, "profiles");
	struct items profiles = value_items(load, entry);
	bool found = profiles.count == 0;
	char q[QUOTE_SIZE];

	for (size_t i = 0; i < profiles.count; i++) {
		const char *problem = name_problem(profiles.list[i].text);

		if (problem)
			report_line(load, entry, profiles.list[i].line, "%s: the name %s",
				    quote(q, profiles.list[i].text), problem);
		found |= is_listed(active, profiles.list[i].text);
	}
	return !found;
}

static struct items active_profiles(struct load *load)
{
	const char *text = load_set_variable(load, "MUSTER_PROFILES");

	return value_items_of(load, text ? text : "", 0);
}

/* ---- checks across keys ---- */

static void report_key(struct load *load, const struct section *section, const char *key,
		       const char *problem)
{
	const struct entry *entry = section_get(section, key);

	if (entry)
		report_entry(load, entry, "%s", problem);
}

static void check_external(struct load *load, const struct service_load *service,
			   const struct service_config *out)
{
	static const char *const hooks[] = {"command", "require_gpu", "pre_start", "stop_command",
					    "post_stop"};

	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		report_key(load, service->section, hooks[i],
			   "a service of type external is not started here and has none");
	if (!out->probes[ROLE_READINESS] && !section_get(service->section, "readiness_probe"))
		report_section(
			load, service->section,
			"readiness_probe: missing; it is all that a service of type external "
			"is for");
}

static void check_type(struct load *load, const struct service_load *service,
		       const struct service_config *out)
{
	const struct service_draft *draft = &service->draft;

	if (draft->type == TYPE_EXTERNAL)
		check_external(load, service, out);
	else if (!draft->command && !section_get(service->section, "command"))
		report_section(load, service->section,
			       "command: missing; expected a program and its arguments");
	if (draft->type == TYPE_ONESHOT &&
	    (draft->restart == RESTART_ALWAYS || draft->restart == RESTART_UNLESS_STOPPED))
		report_key(load, service->section, "restart",
			   "a oneshot is done when it exits with 0: expected no or on-failure");
}

static void check_start(struct load *load, const struct service_load *service,
			const struct service_config *out)
{
	const struct service_draft *draft = &service->draft;

	if (draft->start == START_ON_DEMAND && !out->listen_count &&
	    !section_get(service->section, "listen"))
		report_key(load, service->section, "start",
			   "on-demand needs the sockets that it is to wait for: listen = "
			   "tcp:host:port, udp:host:port or unix:/path");
	if (draft->start != START_ON_DEMAND)
		report_key(load, service->section, "idle_stop",
			   "only a service with start = on-demand is stopped when idle");
}

static void check_watchdog(struct load *load, const struct service_load *service)
{
	if (service->draft.watchdog && service->draft.type != TYPE_SERVICE)
		report_key(load, service->section, "watchdog",
			   "only a service of type service has one: it says by sd_notify that it "
			   "lives");
}

static void warn_key(struct load *load, const struct section *section, const char *key,
		     const char *text)
{
	const struct entry *entry = section_get(section, key);

	if (entry)
		warn_line(load, entry, entry->line, "%s", text);
}

static void check_times(struct load *load, const struct service_load *service)
{
	const struct service_draft *draft = &service->draft;

	if (draft->stop_grace > load->config->stop_timeout)
		warn_key(load, service->section, "stop_grace_period",
			 "longer than stop_timeout of [muster], which ends it when everything is "
			 "stopped");
	if (draft->ready_timeout > load->config->start_timeout)
		warn_key(load, service->section, "ready_timeout",
			 "longer than start_timeout of [muster], which ends it before");
	if (draft->log.mode != LOG_FILE) {
		warn_key(load, service->section, "log_max_size",
			 "has no effect without log = file:/path");
		warn_key(load, service->section, "log_keep",
			 "has no effect without log = file:/path");
	}
}

/* ---- one service ---- */

/* How long a oneshot may take is known to nobody but its author: it has the time that is asked for,
 * or as long as it needs. */
static uint32_t ready_timeout_of(struct load *load, const struct service_load *service)
{
	const struct service_draft *draft = &service->draft;
	bool given = section_get(service->section, "ready_timeout") ||
		     draft->ready_timeout != load->defaults.ready_timeout;

	return draft->type == TYPE_ONESHOT && !given ? 0 : draft->ready_timeout;
}

static const struct cgroup_config *make_cgroup(struct load *load, const struct service_draft *draft)
{
	struct cgroup_config cgroup;

	memset(&cgroup, 0, sizeof(cgroup));
	cgroup.memory_max = draft->memory_max;
	cgroup.cpu_max = draft->cpu_max;
	cgroup.pids_max = draft->pids_max == NUMBER_NONE ? 0 : (uint32_t)draft->pids_max;
	if (!cgroup.memory_max && !cgroup.cpu_max && !cgroup.pids_max)
		return NULL;
	return load_intern_block(load, &cgroup, sizeof(cgroup));
}

/* Beside this program, as it is installed; else in the service's PATH. */
static char *const *make_gpu_check(struct load *load, const struct service_draft *draft)
{
	static const char name[] = "gpu-check";
	char path[PATH_MAX + sizeof(name)];
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX);
	const char *argv[] = {name, "--require", draft->require_gpu};

	if (!draft->require_gpu)
		return NULL;
	while (len > 0 && path[len - 1] != '/')
		len--;
	if (len > 0) {
		memcpy(path + len, name, sizeof(name));
		if (access(path, X_OK) == 0)
			argv[0] = path;
	}
	return load_intern_list(load, (char *const *)(uintptr_t)argv, 3);
}

static const struct policy_config *make_policy(struct load *load, struct service_load *service)
{
	const struct service_draft *draft = &service->draft;
	struct policy_config policy;

	memset(&policy, 0, sizeof(policy));
	policy.ready_timeout = ready_timeout_of(load, service);
	policy.watchdog = draft->watchdog;
	policy.start_retries = (uint32_t)draft->start_retries;
	policy.restart = draft->restart;
	policy.log = draft->log.mode;
	policy.stop_signal = draft->stop_signal;
	policy.log_keep = (uint8_t)draft->log_keep;
	policy.backoff_min = draft->backoff.first;
	policy.backoff_max = draft->backoff.second;
	policy.restart_limit = draft->limit.first;
	policy.restart_window = draft->limit.second;
	policy.stop_grace = draft->stop_grace;
	policy.log_max_size = draft->log_max_size;
	if (draft->log.path)
		policy.log_path = load_intern(load, draft->log.path);
	policy.gpu_check = make_gpu_check(load, draft);
	policy.pre_start = draft->pre_start;
	policy.stop_command = draft->stop_command;
	policy.post_stop = draft->post_stop;
	policy.cgroup = make_cgroup(load, draft);
	policy.identity = load_identity(load, service);
	return load_intern_block(load, &policy, sizeof(policy));
}

/* The PROGRAM of the command line: whatever the defaults of other services are. */
static void preset_program(struct load *load, struct service_draft *draft)
{
	char *const *program = load->source->program;
	size_t count = 0;

	while (program[count])
		count++;
	draft->command = load_intern_list(load, program, count);
	draft->restart = RESTART_NO;
}

static void load_service(struct load *load, uint32_t index)
{
	struct service_load *service = &load->services[index];
	struct service_config *out = &load->config->services[index];
	struct section *section = service->section;
	struct service_draft *draft = &service->draft;

	load->mention_count = 0;
	load->replica = section->replica;
	*draft = load->defaults;
	if (section == load->program)
		preset_program(load, draft);
	values_read(load, section, draft);
	out->name = load_intern(load, section->name);
	out->replica_of = section->replica_of ? load_intern(load, section->replica_of) : NULL;
	out->argv = draft->type == TYPE_EXTERNAL ? NULL : draft->command;
	out->type = draft->type;
	out->start = draft->start;
	out->idle_stop = draft->start == START_ON_DEMAND ? draft->idle_stop : 0;
	out->essential = draft->essential;
	out->on_address_change = draft->on_address_change;
	out->line = section->line;
	load_probes(load, service, out);
	load_listen(load, service, index);
	check_type(load, service, out);
	check_start(load, service, out);
	check_watchdog(load, service);
	check_times(load, service);
	out->policy = make_policy(load, service);
	load_service_environment(load, service, out);
	service->mentions = load_alloc(load, load->mention_count, sizeof(*service->mentions));
	service->mention_count = load->mention_count;
	if (load->mention_count)
		memcpy(service->mentions, load->mentions,
		       load->mention_count * sizeof(*service->mentions));
}

/* ---- what is waited for outside ---- */

/* It is met when the sidecar says so; how long that may take is start_timeout's business. */
static const struct probe_config *outside_probe(struct load *load, const char *target,
						uint32_t period)
{
	struct probe_config probe;

	memset(&probe, 0, sizeof(probe));
	probe.kind = PROBE_TCP;
	probe.fd = -1;
	probe.period = period;
	probe.timeout = load->defaults.probes[ROLE_READINESS].timeout;
	probe.failure_threshold = probe.success_threshold = 1;
	probe.target = target;
	return load_intern_block(load, &probe, sizeof(probe));
}

/* What stands for something that is not a service of this host; made once. Its index. */
static uint32_t outside_service(struct load *load, const char *name, const char *target,
				uint32_t period)
{
	struct table_entry *found = load_check(load, table_add(load->by_name, name, strlen(name)));
	struct section nothing = {.name = name, .header = name};
	struct service_load service = {.section = &nothing, .draft = load->defaults};
	struct config *config = load->config;
	struct service_config *out;

	if (found->value != TABLE_NEW)
		return found->value;
	found->value = config->count++;
	out = &config->services[found->value];
	service.draft.type = TYPE_EXTERNAL;
	service.draft.ready_timeout = 0;
	out->name = name;
	out->type = TYPE_EXTERNAL;
	out->policy = make_policy(load, &service);
	out->probes[ROLE_READINESS] = outside_probe(load, target, period);
	load_service_environment(load, &service, out);
	config->sidecar.present = true;
	return found->value;
}

uint32_t load_address_service(struct load *load, uint32_t index)
{
	struct address_entry *address = &load->address_list[index];
	const char *name = load_intern(load, load_format(load, ADDRESS_PREFIX "%s", address->name));

	address->asked = true;
	return outside_service(load, name, name, address->check_period);
}

uint32_t load_peer_service(struct load *load, const struct peer_config *peer, const char *name)
{
	const char *target = load_intern(load, load_format(load, PEER_PREFIX "%s", name));

	name = target + strlen(PEER_PREFIX);
	if (!table_find(load->by_name, name, strlen(name)) &&
	    load->peer_services++ == PEER_SERVICES_MAX)
		return NO_PEER_SERVICE;
	return outside_service(load, name, target, peer->period);
}

/* ---- all of them ---- */

static void note_name(struct load *load, struct table *table, const char *name, uint32_t value)
{
	struct table_entry *entry = load_check(load, table_add(table, name, strlen(name)));

	entry->value = value;
}

static bool add_service(struct load *load, struct section *section)
{
	uint32_t *count = &load->config->count;

	if (*count == CONFIG_SERVICES_MAX) {
		report_section(load, section, "more than %d services", CONFIG_SERVICES_MAX);
		return false;
	}
	if (section->replica_of && *section->replica == '0')
		note_name(load, load->replicated, section->replica_of, *count);
	load->services = load_grow(load, load->services, *count, &load->service_room,
				   sizeof(*load->services));
	load->services[*count].section = section;
	note_name(load, load->by_name, section->name, (*count)++);
	return true;
}

/* The service, or its replicas. False: there is no place for it. */
static bool add_services(struct load *load, struct section *section)
{
	uint32_t replicas = replicas_asked(load, section);
	struct section *replica;

	for (uint32_t i = 0; i < replicas; i++) {
		replica = replicas_make(load, section, i);
		if (!replica || !add_service(load, replica))
			return !replica;
	}
	return replicas || add_service(load, section);
}

/* The sections that are services of this run, in order. */
static void choose_services(struct load *load)
{
	struct items active = active_profiles(load);
	bool some_left_out = false;

	for (uint32_t i = 0; i < load->section_count; i++) {
		struct section *section = load->sections[i];

		if (section->kind != SECTION_SERVICE)
			continue;
		if (is_left_out(load, section, &active)) {
			note_name(load, load->left_out, section->name, 0);
			some_left_out = true;
		} else if (!add_services(load, section)) {
			return;
		}
	}
	if (load->config->count == 0 && load->errors->total == 0 && load->file_count > 0)
		warn_file(load, 0, 0, "no service is defined%s",
			  some_left_out ? " for the profiles in force" : "");
}

static void find_exit_code(struct load *load)
{
	struct section *section = section_find(load, section_word(SECTION_MUSTER));
	const struct entry *entry = section ? section_get(section, "exit_code_from") : NULL;
	const char *name = load->muster.exit_code_from;
	const struct table_entry *found;
	char q[QUOTE_SIZE];

	if (!name && load->program)
		name = load->program->name;
	if (!name)
		return;
	found = table_find(load->by_name, name, strlen(name));
	if (table_find(load->replicated, name, strlen(name)))
		report_entry(load, entry, "%s has replicas; expected one of them, such as %s.0",
			     quote(q, name), name);
	else if (found)
		load->config->exit_code_from = (int)found->value;
	else if (entry)
		report_entry(load, entry, "%s: %s", quote(q, name), no_service(load, entry, name));
}

uint32_t load_most_services(const struct load *load)
{
	uint32_t peers = load->config->peer_count ? PEER_SERVICES_MAX : 0;

	return load->config->count + load->book->count + peers + 1;
}

void load_services(struct load *load)
{
	struct config *config = load->config;

	values_defaults(load, SECTION_SERVICE, &load->defaults);
	load->defaults.log = load->muster.log;
	choose_services(load);
	config->services =
		/* and one for whatever is waited for outside */
		load_check(load, arena_array(load->arena, load_most_services(load),
					     sizeof(*config->services)));
	for (uint32_t i = 0; i < config->count; i++)
		load_service(load, i);
	load->replica = NULL;
	load_listens(load);
	find_exit_code(load);
}
