/* SPDX-License-Identifier: MIT */
/*
 * Plays inputs to an entry without a fuzzer: `replay FILE|FOLDER...`, each file once, in order.
 * What an entry finds ends the program, behind a line that names the input. Built by AFL++'s
 * compiler and called with no words, it is what afl-fuzz runs.
 */
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs;

/* In memory of just its size, so that a sanitizer sees who reads beyond it. */
static void play(const uint8_t *bytes, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);

	if (!data)
		exit(2);
	memcpy(data, bytes, size);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	inputs++;
}

#ifdef __AFL_FUZZ_TESTCASE_LEN
__AFL_FUZZ_INIT();

static void play_afl(void)
{
	const uint8_t *bytes;

	__AFL_INIT();
	bytes = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(10000))
		play(bytes, (size_t)__AFL_FUZZ_TESTCASE_LEN);
}
#else
static void play_afl(void)
{
	fputs("usage: replay FILE|FOLDER...\n", stderr);
	exit(2);
}
#endif

static void play_file(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	FILE *file = fopen(path, "re");
	size_t size;

	if (!file) {
		perror(path);
		exit(2);
	}
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	fprintf(stderr, "%s\n", path);
	play(bytes, size);
}

static bool play_folder(const char *path)
{
	struct dirent **list;
	int count = scandir(path, &list, NULL, alphasort);
	char name[PATH_MAX];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, list[i]->d_name);
		if (list[i]->d_type == DT_REG)
			play_file(name);
		free(list[i]);
	}
	if (count >= 0)
		free(list);
	return count >= 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		play_afl();
	for (int i = 1; i < argc; i++)
		if (!play_folder(argv[i]))
			play_file(argv[i]);
	printf("%lu inputs\n", inputs);
	return 0;
}
