/* SPDX-License-Identifier: MIT */
/*
 * The bytes are a configuration file. Whatever they are, the outcome is a configuration that can be
 * looked at, or at least one error.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct config *config)
{
	for (uint32_t i = 0; i < config->count; i++) {
		const struct service_config *service = &config->services[i];

		if (config_find(config, service->name) != (int)i)
			abort();
		if (!service_config_equal(config, service, config, service))
			abort();
		for (unsigned n = 0; n < service->dep_count; n++) {
			if (service->deps[n].service >= config->count)
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *environment[] = {"HOME=/", "EMPTY=", NULL};
	char path[32];
	const char *files[] = {path, NULL};
	struct config_source source = {.files = files, .environment = environment};
	struct config_errors errors = {0};
	struct config *config;
	int fd = memfd_create("config", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	config = config_load(&source, &errors);
	if (config)
		look_at(config);
	else if (errors.total == 0)
		abort();
	config_free(config);
	config_errors_free(&errors);
	close(fd);
	return 0;
}
