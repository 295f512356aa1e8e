/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- [muster] ---- */

/* What ENV_TYPE and people call the modes. MODE_COUNT: none of them. */
static uint8_t mode_of(const char *word)
{
	static const struct {
		const char *word;
		uint8_t mode;
	} also[] = {
		{"dev", MODE_DEVELOPMENT}, {"test", MODE_TESTING},    {"docker", MODE_CONTAINER},
		{"k8s", MODE_KUBERNETES},  {"prod", MODE_PRODUCTION},
	};

	for (uint8_t mode = 0; mode < MODE_COUNT; mode++)
		if (strcasecmp(word, key_modes[mode]) == 0)
			return mode;
	for (size_t i = 0; i < sizeof(also) / sizeof(also[0]); i++)
		if (strcasecmp(word, also[i].word) == 0)
			return also[i].mode;
	return MODE_COUNT;
}

/* What says that this is a container; NULL: nothing does. */
static const char *container_mark(const struct load *load)
{
	static const char *const marks[] = {"/.dockerenv", "/run/.containerenv"};

	if (load_set_variable(load, "container"))
		return "environment container";
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (access(marks[i], F_OK) == 0)
			return marks[i];
	return NULL;
}

static enum run_mode detect_mode(struct load *load)
{
	const char *word = load_set_variable(load, "ENV_TYPE");
	uint8_t mode = word ? mode_of(word) : MODE_COUNT;
	char q[QUOTE_SIZE];

	load->mode_source = "environment ENV_TYPE";
	if (mode != MODE_COUNT)
		return mode;
	if (word)
		warn_file(load, FILE_ENVIRONMENT, 0,
			  "ENV_TYPE: %s is none of development, testing, container, kubernetes and "
			  "production: ignored",
			  quote(q, word));
	load->mode_source = "environment KUBERNETES_SERVICE_HOST";
	if (load_set_variable(load, "KUBERNETES_SERVICE_HOST"))
		return MODE_KUBERNETES;
	load->mode_source = container_mark(load);
	if (load->mode_source)
		return MODE_CONTAINER;
	load->mode_source = "nothing says otherwise";
	return MODE_DEVELOPMENT;
}

/* The host's name, with whatever is not allowed in a name made a dash. */
static const char *host_name(struct load *load)
{
	char name[CONFIG_NAME_MAX + 1] = "";

	if (gethostname(name, sizeof(name)) != 0 && name[0] == '\0')
		snprintf(name, sizeof(name), "localhost");
	name[sizeof(name) - 1] = '\0';
	for (char *p = name; *p; p++) {
		char one[2] = {*p, '\0'};

		if (name_problem(one) && (p == name || (*p != '-' && *p != '.')))
			*p = '_';
	}
	return load_intern(load, name[0] ? name : "localhost");
}

/* Who sets the mode in the configuration. */
static const char *mode_place(struct load *load, const struct section *section)
{
	const struct entry *entry = section_get(section, "mode");

	if (!entry)
		return "";
	if (entry->file == FILE_ENVIRONMENT)
		return "environment MUSTER_MODE";
	return load_intern(load,
			   load_format(load, "%s:%u mode", load->files[entry->file], entry->line));
}

void load_muster(struct load *load)
{
	struct section *section = section_find(load, section_word(SECTION_MUSTER));
	struct muster_draft *draft = &load->muster;
	struct config *config = load->config;

	values_defaults(load, SECTION_MUSTER, draft);
	if (section)
		values_read(load, section, draft);
	config->name = draft->name ? load_intern(load, draft->name) : host_name(load);
	load->mode_source = section ? mode_place(load, section) : "";
	config->mode = draft->mode < MODE_COUNT ? draft->mode : detect_mode(load);
	config->start_parallel = draft->start_parallel;
	config->start_timeout = draft->start_timeout;
	config->stop_timeout = draft->stop_timeout;
	config->drain = draft->drain;
	config->log = draft->log.mode;
	config->hosts = draft->hosts ? load_intern(load, draft->hosts) : NULL;
	config->state_dir = draft->state_dir ? load_intern(load, draft->state_dir) : NULL;
	config->exit_code_from = -1;
}
