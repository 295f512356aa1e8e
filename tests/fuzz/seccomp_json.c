/* SPDX-License-Identifier: MIT */
/*
 * The bytes are a profile of system calls. Whatever they are, the outcome is a profile that can be
 * looked at, or at least one problem with a place in the text.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"
#include "seccomp_profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_problem(void *user, uint32_t line, uint32_t column, const char *text)
{
	unsigned *count = user;

	if (!line || !column || !strlen(text))
		abort();
	*count += 1;
}

static void look_at(const struct seccomp_profile *profile)
{
	const struct seccomp_host host = {0x00000000a80425fb, SECCOMP_KERNEL(6, 1)};
	size_t letters = 0;

	for (uint32_t i = 0; i < profile->rule_count; i++) {
		const struct seccomp_rule *rule = &profile->rules[i];

		if (rule->action > ACTION_ALLOW || rule->errno_ret > 4095)
			abort();
		for (uint32_t n = 0; n < rule->name_count; n++)
			letters += strlen(rule->names[n]);
		for (uint32_t n = 0; n < rule->argument_count; n++)
			if (rule->arguments[n].index > 5 ||
			    rule->arguments[n].op > OPERATOR_MASKED_EQ)
				abort();
		letters += seccomp_rule_applies(rule, &host);
	}
	if (letters > 100000000)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned problems = 0;
	const struct seccomp_report report = {&problems, take_problem, NULL};
	struct arena *arena = arena_create();
	const struct seccomp_profile *profile;
	int fd = memfd_create("profile", MFD_CLOEXEC);
	char path[32];

	if (!arena || fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	profile = seccomp_profile_read(arena, path, &report);
	if (profile)
		look_at(profile);
	if (!profile != (problems > 0))
		abort();
	arena_destroy(arena);
	close(fd);
	return 0;
}
