/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gpu_faults.h"
#include "gpu_hints.h"
#include "gpu_sample.h"

#define SECOND 1000000000ULL

/* ---- what went wrong is news for ten minutes ---- */

static void faults_are_news_for_a_while(void **state)
{
	const uint64_t begin = 5000 * SECOND;
	struct gpu_faults faults = {0};
	const struct gpu_fault *news;

	(void)state;
	assert_null(faults_news(&faults, begin));
	faults_note(&faults, 0, false, 79, 1, begin);
	faults_note(&faults, 1, true, 0, 2, begin + SECOND);
	news = faults_news(&faults, begin + 2 * SECOND);
	assert_non_null(news);
	assert_true(news->ecc && news->index == 1 && news->count == 2);
	assert_non_null(faults_news(&faults, begin + 600 * SECOND));
	assert_null(faults_news(&faults, begin + 601 * SECOND));
	/* again, it is counted on */
	faults_note(&faults, 0, false, 79, 1, begin + 700 * SECOND);
	news = faults_news(&faults, begin + 1299 * SECOND);
	assert_non_null(news);
	assert_true(news->xid == 79 && news->count == 2);
	assert_null(faults_news(&faults, begin + 1300 * SECOND));
	assert_int_equal(faults.count, 2);
	faults_free(&faults);
}

static void faults_take_no_more_than_their_room(void **state)
{
	struct gpu_faults faults = {0};

	(void)state;
	for (uint64_t xid = 0; xid < 100000; xid++)
		faults_note(&faults, (uint32_t)(xid % GPU_MAX), xid % 3 == 0, xid % 3 ? xid : 0, 1,
			    SECOND);
	assert_true(faults.count <= GPU_FAULTS_MAX + 2 * GPU_MAX);
	faults_free(&faults);
}

static void faults_have_words(void **state)
{
	struct gpu_fault fault = {.index = 3, .xid = 79};
	char text[256];

	(void)state;
	assert_string_equal(fault_text(&fault, text, sizeof(text)),
			    "GPU 3: Xid 79 (the GPU has fallen off the bus)");
	fault.xid = 12345678901;
	assert_string_equal(fault_text(&fault, text, sizeof(text)), "GPU 3: Xid 12345678901");
	fault.ecc = true;
	assert_string_equal(fault_text(&fault, text, sizeof(text)),
			    "GPU 3: uncorrected memory error");
}

/* ---- messages of a process that cannot be trusted ---- */

static struct gpu_device device(uint32_t index, uint32_t mig)
{
	struct gpu_device made = {.index = index, .mig = mig};

	memset(made.uuid, 'u', sizeof(made.uuid));
	memset(made.name, 'n', sizeof(made.name));
	made.utilization = 4000000000;
	return made;
}

static void add(struct gpu_sample *sample, uint32_t index, uint32_t mig)
{
	struct gpu_device made = device(index, mig);

	sample_add_device(sample, &made);
}

static void samples_keep_to_their_bounds(void **state)
{
	struct gpu_sample sample = {0};

	(void)state;
	add(&sample, 0, 1); /* of no GPU */
	assert_int_equal(sample.count, 0);
	for (int round = 0; round < 3; round++)
		for (uint32_t index = 0; index < 1000; index++)
			for (uint32_t mig = 0; mig < 20; mig++)
				add(&sample, index, mig);
	add(&sample, UINT32_MAX, 0);
	add(&sample, 0, UINT32_MAX);
	assert_int_equal(sample.count, GPU_MAX * (1 + GPU_MIG_MAX));
	for (uint32_t i = 0; i < sample.count; i++) {
		assert_int_equal(strlen(sample.list[i].device.uuid), NVML_TEXT_SIZE - 1);
		assert_int_equal(strlen(sample.list[i].device.name), NVML_TEXT_SIZE - 1);
		assert_int_equal(sample.list[i].device.utilization, 100);
	}
	sample_free(&sample);
}

static void instances_follow_their_gpu(void **state)
{
	struct gpu_sample sample = {0};

	(void)state;
	add(&sample, 0, 0);
	add(&sample, 1, 0);
	add(&sample, 0, 1); /* too late */
	add(&sample, 1, 2);
	assert_int_equal(sample.count, 3);
	assert_null(sample_find(&sample, 0, 1));
	assert_ptr_equal(sample_find(&sample, 1, 2), &sample.list[2]);
	sample_free(&sample);
}

static void processes_belong_to_the_device_before(void **state)
{
	static struct gpu_processes processes;
	struct gpu_sample sample = {0};

	(void)state;
	processes.count = 1;
	sample_add_processes(&sample, &processes); /* of none */
	add(&sample, 0, 0);
	processes.index = 1;
	sample_add_processes(&sample, &processes); /* of another */
	processes.index = 0;
	processes.count = GPU_PROCESSES_MAX + 1;
	sample_add_processes(&sample, &processes); /* more than there can be */
	assert_int_equal(sample.list[0].user_count, 0);
	processes.count = GPU_PROCESSES_MAX;
	processes.list[0].pid = 77;
	sample_add_processes(&sample, &processes);
	assert_int_equal(sample.list[0].user_count, GPU_PROCESSES_MAX);
	processes.list[0].pid = 78;
	sample_add_processes(&sample, &processes); /* twice */
	assert_int_equal(sample.list[0].users[0].pid, 77);
	sample_free(&sample);
}

/* ---- whether to look at all ---- */

static bool suggested(const char *devices, const char *library, enum gpu_mode mode)
{
	char why[256] = "";
	bool is;

	setenv("NVIDIA_VISIBLE_DEVICES", devices, 1);
	setenv(GPU_LIBRARY_VARIABLE, library, 1);
	is = gpu_suggested(mode, why, sizeof(why));
	assert_true(is == (why[0] == '\0'));
	return is;
}

static void hints_are_followed(void **state)
{
	static const char *const given[] = {"all", "0", "GPU-1234", "0,1"};

	(void)state;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		assert_true(suggested(given[i], "", GPU_AUTO));
	assert_true(suggested("none", "/lib.so", GPU_AUTO));
	assert_true(suggested("none", "", GPU_YES));
	assert_false(suggested("all", "/lib.so", GPU_NO));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_are_news_for_a_while),
		cmocka_unit_test(faults_take_no_more_than_their_room),
		cmocka_unit_test(faults_have_words),
		cmocka_unit_test(samples_keep_to_their_bounds),
		cmocka_unit_test(instances_follow_their_gpu),
		cmocka_unit_test(processes_belong_to_the_device_before),
		cmocka_unit_test(hints_are_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
