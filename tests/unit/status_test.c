/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
	char dir[64];
	int fd;
	struct status_page page;
};

static int set_up(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	if (!place)
		return -1;
	snprintf(place->dir, sizeof(place->dir), "/tmp/status_test.XXXXXX");
	if (!mkdtemp(place->dir))
		return -1;
	place->fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = place;
	return place->fd < 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	status_page_close(&place->page);
	unlinkat(place->fd, STATUS_FILE, 0);
	unlinkat(place->fd, "." STATUS_FILE ".new", 0);
	close(place->fd);
	rmdir(place->dir);
	free(place);
	return 0;
}

/* A published page with these services, all in state waiting. */
static void make_page(struct place *place, const char *const *names, uint32_t count)
{
	struct status_record *record;
	uint32_t i;

	assert_int_equal(status_page_create(&place->page, place->fd, count, 1), 0);
	for (i = 0; i < count; i++) {
		record = status_record_begin(&place->page, i);
		record->state = STATE_WAITING;
		snprintf(record->name, sizeof(record->name), "%s", names[i]);
		status_record_end(&place->page, i);
	}
	status_edges(&place->page)[0] =
		(struct status_edge){.from = 1, .to = 0, .condition = COND_HEALTHY};
	assert_int_equal(status_page_publish(&place->page, place->fd), 0);
}
static const char *const three[] = {"db", "api", "web"};

static void the_layout_is_what_the_manual_says(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct status_header, version), 8);
	assert_int_equal(offsetof(struct status_header, generation), 12);
	assert_int_equal(offsetof(struct status_header, header_size), 16);
	assert_int_equal(offsetof(struct status_header, record_size), 20);
	assert_int_equal(offsetof(struct status_header, record_count), 24);
	assert_int_equal(offsetof(struct status_header, edge_offset), 28);
	assert_int_equal(offsetof(struct status_header, edge_count), 32);
	assert_int_equal(offsetof(struct status_header, replaced), 36);
	assert_int_equal(offsetof(struct status_header, changes), 40);
	assert_int_equal(offsetof(struct status_header, pid), 44);
	assert_int_equal(offsetof(struct status_header, phase), 48);
	assert_int_equal(offsetof(struct status_header, sidecar), 49);
	assert_int_equal(offsetof(struct status_header, exit_code), 52);
	assert_int_equal(offsetof(struct status_header, boot), 56);
	assert_int_equal(offsetof(struct status_header, boot_realtime), 64);
	assert_int_equal(offsetof(struct status_header, startup_done), 72);
	assert_int_equal(offsetof(struct status_header, reaped), 80);
	assert_int_equal(offsetof(struct status_header, log_dropped), 88);
	assert_int_equal(offsetof(struct status_header, beat), 96);
	assert_int_equal(offsetof(struct status_header, host), 104);
	assert_int_equal(offsetof(struct status_header, mode), 168);

	assert_int_equal(offsetof(struct status_record, state), 4);
	assert_int_equal(offsetof(struct status_record, type), 5);
	assert_int_equal(offsetof(struct status_record, flags), 6);
	assert_int_equal(offsetof(struct status_record, probe), 7);
	assert_int_equal(offsetof(struct status_record, pid), 8);
	assert_int_equal(offsetof(struct status_record, starts), 12);
	assert_int_equal(offsetof(struct status_record, restarts), 16);
	assert_int_equal(offsetof(struct status_record, last_exit), 20);
	assert_int_equal(offsetof(struct status_record, cause), 24);
	assert_int_equal(offsetof(struct status_record, failures), 28);
	assert_int_equal(offsetof(struct status_record, since), 32);
	assert_int_equal(offsetof(struct status_record, exited), 40);
	assert_int_equal(offsetof(struct status_record, wait_begin), 48);
	assert_int_equal(offsetof(struct status_record, start_begin), 56);
	assert_int_equal(offsetof(struct status_record, ready_at), 64);
	assert_int_equal(offsetof(struct status_record, name), 72);
	assert_int_equal(offsetof(struct status_record, reason), 136);
}

static uint32_t u32_at(const unsigned char *bytes, size_t offset)
{
	uint32_t value;

	memcpy(&value, bytes + offset, sizeof(value));
	return value;
}

static void the_file_has_the_golden_bytes(void **state)
{
	struct place *place = *state;
	unsigned char bytes[1024];
	struct stat st;
	ssize_t len;
	int fd;

	make_page(place, three, 3);
	fd = openat(place->fd, "status", O_RDONLY | O_CLOEXEC);
	len = read(fd, bytes, sizeof(bytes));
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(len, 184 + 3 * 208 + 8);
	assert_memory_equal(bytes, "MUSTERST", 8);
	assert_int_equal(u32_at(bytes, 8), 1);
	assert_int_equal(u32_at(bytes, 12), 0);
	assert_int_equal(u32_at(bytes, 16), 184);
	assert_int_equal(u32_at(bytes, 20), 208);
	assert_int_equal(u32_at(bytes, 24), 3);
	assert_int_equal(u32_at(bytes, 28), 184 + 3 * 208);
	assert_int_equal(u32_at(bytes, 32), 1);
	assert_int_equal(u32_at(bytes, 40), 3); /* three records were written */
	assert_int_equal(u32_at(bytes, 184), 2);
	assert_int_equal(bytes[184 + 4], STATE_WAITING);
	assert_string_equal((const char *)bytes + 184 + 72, "db");
	assert_string_equal((const char *)bytes + 184 + 208 + 72, "api");
	assert_int_equal(bytes[184 + 3 * 208], 1);     /* edge: from */
	assert_int_equal(bytes[184 + 3 * 208 + 2], 0); /* to */
	assert_int_equal(bytes[184 + 3 * 208 + 4], COND_HEALTHY);
}

static void nothing_is_seen_before_publish(void **state)
{
	struct place *place = *state;
	struct status_page reader;

	assert_int_equal(status_page_create(&place->page, place->fd, 1, 0), 0);
	assert_int_equal(status_page_open(&reader, place->dir), -ENOENT);
	assert_int_equal(status_page_publish(&place->page, place->fd), 0);
	assert_int_equal(status_page_open(&reader, place->dir), 0);
	status_page_close(&reader);
	assert_int_equal(status_page_open(&reader, "/nonexistent"), -ENOENT);
}

static void a_reader_finds_and_copies(void **state)
{
	struct place *place = *state;
	struct status_header header;
	struct status_record record;
	struct status_edge edge;
	struct status_page reader;

	make_page(place, three, 3);
	assert_int_equal(status_page_open(&reader, place->dir), 0);
	assert_int_equal(status_read_header(&reader, &header), 0);
	assert_int_equal(header.record_count, 3);
	assert_int_equal(header.exit_code, -1);

	status_record_begin(&place->page, 2)->pid = 4711;
	status_record_end(&place->page, 2);
	assert_int_equal(status_read_record(&reader, 2, &record), 0);
	assert_int_equal(record.pid, 4711);
	assert_int_equal(record.generation, 4);
	assert_int_equal(status_read_header(&reader, &header), 0);
	assert_int_equal(header.changes, 4);
	assert_int_equal(status_read_edge(&reader, 0, &edge), 0);
	assert_int_equal(edge.from, 1);

	assert_int_equal(status_read_record(&reader, 3, &record), -ERANGE);
	assert_int_equal(status_read_edge(&reader, 1, &edge), -ERANGE);
	status_page_close(&reader);
}

static void a_writer_that_stays_inside_is_no_trap(void **state)
{
	struct place *place = *state;
	struct status_header header;
	struct status_record record;

	make_page(place, three, 3);
	status_record_begin(&place->page, 1);
	assert_int_equal(status_read_record(&place->page, 1, &record), -EAGAIN);
	assert_int_equal(status_read_record(&place->page, 0, &record), 0);
	status_record_end(&place->page, 1);
	assert_int_equal(status_read_record(&place->page, 1, &record), 0);
	status_header_begin(&place->page);
	assert_int_equal(status_read_header(&place->page, &header), -EAGAIN);
	status_header_end(&place->page);
	assert_int_equal(status_read_header(&place->page, &header), 0);
	assert_int_equal(header.changes, 5);
}

static void a_replaced_page_says_so(void **state)
{
	struct place *place = *state;
	struct status_header header;
	struct status_page reader, next;

	make_page(place, three, 3);
	assert_int_equal(status_page_open(&reader, place->dir), 0);
	assert_int_equal(status_page_create(&next, place->fd, 5, 0), 0);
	assert_int_equal(status_page_publish(&next, place->fd), 0);
	status_page_retire(&place->page);
	assert_null(place->page.map);
	assert_int_equal(status_read_header(&reader, &header), 0);
	assert_int_equal(header.replaced, 1);
	assert_int_equal(header.record_count, 3);
	status_page_close(&reader);
	assert_int_equal(status_page_open(&reader, place->dir), 0);
	assert_int_equal(status_read_header(&reader, &header), 0);
	assert_int_equal(header.replaced, 0);
	assert_int_equal(header.record_count, 5);
	status_page_close(&reader);
	status_page_close(&next);
}

static void a_page_works_without_a_directory(void **state)
{
	struct place *place = *state;
	struct status_record record;

	assert_int_equal(status_page_create(&place->page, -1, 1, 0), 0);
	assert_int_equal(status_page_publish(&place->page, -1), 0);
	status_record_begin(&place->page, 0)->state = STATE_READY;
	status_record_end(&place->page, 0);
	assert_int_equal(status_read_record(&place->page, 0, &record), 0);
	assert_int_equal(record.state, STATE_READY);
}

static void an_unfinished_page_of_before_is_no_obstacle(void **state)
{
	struct place *place = *state;
	struct status_page first;

	assert_int_equal(status_page_create(&first, place->fd, 1, 0), 0);
	assert_int_equal(status_page_create(&place->page, place->fd, 2, 0), 0);
	assert_int_equal(status_page_publish(&place->page, place->fd), 0);
	status_page_close(&first);
}

static void a_directory_that_cannot_be_written_is_an_error(void **state)
{
	struct place *place = *state;
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(status_page_create(&place->page, fd, 1, 0) < 0);
	assert_null(place->page.map);
	assert_int_equal(status_page_create(&place->page, -1, UINT32_MAX, 0), -EOVERFLOW);
	close(fd);
}

/* Changes `size` bytes at `offset` of the published file. */
static void patch(const struct place *place, off_t offset, const void *bytes, size_t size)
{
	int fd = openat(place->fd, STATUS_FILE, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, bytes, size, offset), size);
	close(fd);
}

static void foreign_pages_are_refused(void **state)
{
	static const struct {
		off_t offset;
		uint32_t value;
	} cases[] = {
		{0, 0x58585858},  {8, 0},           {8, 2},  {16, 176},        {16, 185}, {20, 200},
		{20, 209},        {20, 0x10000000}, {24, 4}, {24, 0xffffffff}, {28, 0},   {28, 184},
		{28, 0xfffffff8}, {28, 809},        {32, 2}, {32, 0xffffffff},
	};
	struct place *place = *state;
	struct status_page reader;
	uint32_t kept;
	size_t i;

	make_page(place, three, 3);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(&kept, (const char *)place->page.map + cases[i].offset, sizeof(kept));
		patch(place, cases[i].offset, &cases[i].value, sizeof(kept));
		if (status_page_open(&reader, place->dir) != -EPROTO)
			fail_msg("%u at %ld was taken", cases[i].value, (long)cases[i].offset);
		assert_null(reader.map);
		patch(place, cases[i].offset, &kept, sizeof(kept));
	}
	assert_int_equal(status_page_open(&reader, place->dir), 0);
	status_page_close(&reader);
}

static void short_and_strange_files_are_refused(void **state)
{
	static const off_t lengths[] = {0, 7, 8, 183, 184, 184 + 3 * 208, 184 + 3 * 208 + 7};
	struct place *place = *state;
	struct status_page reader;
	char path[96];
	size_t i;

	make_page(place, three, 3);
	status_page_close(&place->page);
	snprintf(path, sizeof(path), "%s/status", place->dir);
	for (i = sizeof(lengths) / sizeof(lengths[0]); i-- > 0;) {
		assert_int_equal(truncate(path, lengths[i]), 0);
		assert_int_equal(status_page_open(&reader, place->dir), -EPROTO);
	}
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(status_page_open(&reader, place->dir), -EPROTO);
}

static void a_page_with_larger_records_is_read(void **state)
{
	/* what a later muster of the same version may write: fields appended */
	struct place *place = *state;
	struct status_header header = {.magic = {'M', 'U', 'S', 'T', 'E', 'R', 'S', 'T'},
				       .version = 1,
				       .header_size = 192,
				       .record_size = 216,
				       .record_count = 2,
				       .edge_offset = 192 + 2 * 216};
	struct status_record record = {.name = "second", .pid = 9};
	struct status_page reader;
	int fd = openat(place->fd, STATUS_FILE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	assert_int_equal(pwrite(fd, &record, sizeof(record), 192 + 216), sizeof(record));
	assert_int_equal(ftruncate(fd, 192 + 2 * 216), 0);
	close(fd);
	assert_int_equal(status_page_open(&reader, place->dir), 0);
	memset(&record, 0, sizeof(record));
	assert_int_equal(status_read_record(&reader, 1, &record), 0);
	assert_int_equal(record.pid, 9);
	status_page_close(&reader);
}

/* ---- torn reads ---- */

#define WRITES 60000

/* Writes the same number at both ends of the record and in its middle. */
static void write_numbers(struct status_page *page)
{
	struct status_record *record;
	uint32_t i;

	for (i = 1; i <= WRITES; i++) {
		record = status_record_begin(page, 0);
		record->starts = i;
		record->since = i;
		memset(record->name, (int)(i % 251), sizeof(record->name));
		record->ready_at = i;
		memset(record->reason, (int)(i % 251), sizeof(record->reason));
		status_record_end(page, 0);
	}
}

static int numbers_agree(const struct status_record *record)
{
	char bytes[STATUS_REASON_SIZE];

	memset(bytes, (int)(record->starts % 251), sizeof(bytes));
	return record->since == record->starts && record->ready_at == record->starts &&
	       memcmp(record->name, bytes, sizeof(record->name)) == 0 &&
	       memcmp(record->reason, bytes, sizeof(record->reason)) == 0;
}

/* Reads until the last number is there. 0: every copy was whole and none older than the one
 * before. */
static int read_numbers(const char *dir)
{
	struct status_page page;
	struct status_record record = {0};
	uint32_t last = 0;
	int error;

	if (status_page_open(&page, dir))
		return 2;
	while (last < WRITES) {
		error = status_read_record(&page, 0, &record);
		if (error == -EAGAIN)
			continue;
		if (error || !numbers_agree(&record) || record.starts < last)
			return 1;
		last = record.starts;
	}
	return 0;
}

static void a_reader_never_sees_half_a_write(void **state)
{
	struct place *place = *state;
	pid_t readers[2];
	int status, i;

	assert_int_equal(status_page_create(&place->page, place->fd, 1, 0), 0);
	assert_int_equal(status_page_publish(&place->page, place->fd), 0);
	for (i = 0; i < 2; i++) {
		readers[i] = fork();
		if (readers[i] == 0)
			_exit(read_numbers(place->dir));
		assert_true(readers[i] > 0);
	}
	write_numbers(&place->page);
	for (i = 0; i < 2; i++) {
		assert_int_equal(waitpid(readers[i], &status, 0), readers[i]);
		assert_int_equal(status, 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_is_what_the_manual_says),
		TEST(the_file_has_the_golden_bytes),
		TEST(nothing_is_seen_before_publish),
		TEST(a_reader_finds_and_copies),
		TEST(a_writer_that_stays_inside_is_no_trap),
		TEST(a_replaced_page_says_so),
		TEST(a_page_works_without_a_directory),
		TEST(an_unfinished_page_of_before_is_no_obstacle),
		TEST(a_directory_that_cannot_be_written_is_an_error),
		TEST(foreign_pages_are_refused),
		TEST(short_and_strange_files_are_refused),
		TEST(a_page_with_larger_records_is_read),
		TEST(a_reader_never_sees_half_a_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
