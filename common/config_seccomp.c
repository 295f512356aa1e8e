/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "capability.h"
#include "config_load.h"
#include "seccomp_profile.h"
#include "table.h"

struct checking {
	struct load *load;
	const struct entry *entry;
	const char *path;
	uint32_t file;
};

static void report_profile(void *user, uint32_t line, uint32_t column, const char *text)
{
	const struct checking *c = user;
	char q[QUOTE_SIZE];

	if (line)
		report_file(c->load, c->file, line, "column %u: %s", column, text);
	else
		report_entry(c->load, c->entry, "%s: %s", quote(q, c->path), text);
}

/* For --check, each profile once. */
static void check_profile(struct load *load, const struct entry *entry, const char *path)
{
	struct table_entry *seen = load_check(load, table_add(load->profiles, path, strlen(path)));
	struct checking checking = {load, entry, path, 0};
	const struct seccomp_report report = {&checking, report_profile, NULL};

	if (seen->value != TABLE_NEW)
		return;
	seen->value = 0;
	checking.file = load_add_file(load, path);
	seccomp_profile_read(load->scratch, path, &report);
}

static void report_word(struct load *load, const struct entry *entry, const char *text)
{
	struct suggestion suggestion = suggest_begin(text);
	char q[QUOTE_SIZE], hint[SUGGEST_SIZE];

	suggest_offer(&suggestion, "default");
	suggest_offer(&suggestion, "unconfined");
	suggest_offer(&suggestion, "audit");
	report_entry(load, entry, "%s: expected " FORM_SECCOMP "%s", quote(q, text),
		     suggest_text(&suggestion, hint));
}

/* What the kernel would refuse is better refused here, with the reason. */
static void check_right(struct load *load, const struct entry *entry,
			const struct identity_config *identity)
{
	struct capability_sets own;

	if (!load->source->lenient_users && capability_read(&own, true) == 0 &&
	    !capability_may_filter(identity, &own))
		report_entry(load, entry,
			     "without no_new_privileges the kernel takes a filter only from who "
			     "has CAP_SYS_ADMIN, which this service has not: it needs "
			     "no_new_privileges = yes, or seccomp = unconfined");
}

void load_seccomp(struct load *load, const struct service_load *service,
		  struct identity_config *identity)
{
	const struct entry *entry = section_get(service->section, "seccomp");
	struct seccomp_config found;

	if (!seccomp_parse(service->draft.seccomp, &found) ||
	    (found.path && found.path[0] != '/')) {
		report_word(load, entry, service->draft.seccomp);
		return;
	}
	identity->seccomp.mode = found.mode;
	identity->seccomp.audit = found.audit;
	identity->seccomp.asked = entry != NULL;
	if (found.path)
		identity->seccomp.path = load_intern(load, found.path);
	if (entry && found.mode != SECCOMP_UNCONFINED)
		check_right(load, entry, identity);
	if (found.path && load->source->read_profiles)
		check_profile(load, entry, found.path);
}
