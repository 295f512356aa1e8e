/* SPDX-License-Identifier: MIT */
/*
 * resolve ADDRESSES ROUNDS: how long it takes to ask the address book where something is. Loads a
 * configuration of so many addresses, asks for each of them in an order of no use to a cache, and
 * prints nanoseconds for one answer (host and port in force), one number a round.
 */
#include "bench.h"

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "config.h"

#define ASKED 200000

static struct config *load(long count)
{
	char path[] = "/tmp/muster-bench-XXXXXX";
	const char *files[] = {path, NULL};
	char *environment[] = {(char *)(uintptr_t) "MUSTER_MODE=production", NULL};
	struct config_source source = {
		.files = files, .environment = environment, .lenient_users = true};
	struct config_errors errors;
	struct config *config;
	FILE *file = fdopen(mkstemp(path), "w");

	if (!file)
		die(path);
	for (long i = 0; i < count; i++)
		fprintf(file,
			"[address:backend-%ld]\nport = 80\nproduction = a%ld, b%ld.x, 10.0.0.1\n",
			i, i, i);
	fclose(file);
	config = config_load(&source, &errors);
	unlink(path);
	if (!config) {
		fprintf(stderr, "bench: %s\n", errors.kept ? errors.text[0] : "no configuration");
		exit(EXIT_FAILURE);
	}
	config_errors_free(&errors);
	return config;
}

int main(int argc, char **argv)
{
	long count = argc == 3 ? read_number(argv[1], 1, ADDRESS_MAX) : 0;
	long rounds = argc == 3 ? read_number(argv[2], 1, 1000) : 0;
	struct config *config;
	unsigned long sum = 0;

	if (!count) {
		fprintf(stderr, "usage: resolve ADDRESSES ROUNDS\n");
		return 2;
	}
	config = load(count);
	for (long round = 0; round < rounds; round++) {
		long long begin = now_ns();

		for (long i = 0; i < ASKED; i++) {
			uint32_t which = (uint32_t)(i * 7919 % count);
			const struct address_entry *entry = address_find(
				config->addresses, config->addresses->entries[which].name);

			sum += entry->now->port + (unsigned char)entry->now->host[0];
		}
		printf("%.1f\n", (double)(now_ns() - begin) / ASKED);
	}
	config_free(config);
	return sum ? 0 : 1;
}
