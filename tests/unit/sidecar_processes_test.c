/* SPDX-License-Identifier: MIT */
#include "../../sidecar/processes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "proc_stat.h"
#include "snapshot.h"
#include "tree.h"

#define TICK (NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK))
#define PAGE ((uint64_t)sysconf(_SC_PAGESIZE))
#define INIT 1
#define DB   10
#define API  20

/* ---- a /proc and a status page ---- */

struct fixture {
	struct processes *processes;
	char proc_root[PATH_MAX / 2];
	struct status_record records[2];
	struct view view;
};

struct stat_line {
	int pid, parent, session;
	unsigned user, system, waited; /* ticks */
	unsigned begin;                /* ticks after boot */
	unsigned pages;
};

static void put_process(struct stat_line line)
{
	char name[64], text[512];

	snprintf(text, sizeof(text),
		 "%d (a) (b) S %d %d %d 0 -1 4194304 1 2 3 4 %u %u %u %u 20 0 2 0 %u 4096 %u "
		 "18446744073709551615 1 1 0\n",
		 line.pid, line.parent, line.session, line.session, line.user, line.system,
		 line.waited, 0U, line.begin, line.pages);
	snprintf(name, sizeof(name), "%d/stat", line.pid);
	tree_put("proc", name, text);
}

static void end_process(int pid)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/proc/%d", tree_root, pid);
	assert_int_equal(tree_remove_at(path), 0);
}

static void put_services(void)
{
	put_process((struct stat_line){INIT, 0, 1, 900, 0, 0, 1, 900});
	put_process((struct stat_line){DB, INIT, DB, 3, 2, 0, 50, 100});
	put_process((struct stat_line){API, INIT, API, 7, 0, 0, 60, 200});
}

static int make(void **state)
{
	static const char *const names[] = {"db", "api"};
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || tree_make(state) < 0)
		return -1;
	snprintf(fixture->proc_root, sizeof(fixture->proc_root), "%s/proc", tree_root);
	fixture->processes = processes_create(fixture->proc_root);
	fixture->view.present = true;
	fixture->view.now = NSEC_PER_SEC;
	fixture->view.header.record_count = 2;
	fixture->view.records = fixture->records;
	for (unsigned i = 0; i < 2; i++)
		strcpy(fixture->records[i].name, names[i]);
	fixture->records[0].pid = DB;
	fixture->records[1].pid = API;
	put_services();
	tree_put("proc", "self/stat", "not a number\n");
	*state = fixture;
	return 0;
}

static int drop(void **state)
{
	struct fixture *fixture = *state;

	processes_destroy(fixture->processes);
	free(fixture);
	return tree_remove(state);
}

/* A second later. */
static const struct tree *look(struct fixture *fixture, uint32_t index)
{
	fixture->view.now += NSEC_PER_SEC;
	processes_refresh(fixture->processes, &fixture->view, false);
	return processes_tree(fixture->processes, index);
}

/* ---- who belongs to whom ---- */

static void tree_is_summed_up(void **state)
{
	struct fixture *fixture = *state;
	const struct tree *db;

	put_process((struct stat_line){100, DB, DB, 10, 0, 5, 70, 10});
	put_process((struct stat_line){9, 100, DB, 1, 1, 0, 80, 1}); /* numbers may start anew */
	put_process((struct stat_line){101, INIT, 101, 50, 0, 0, 70, 50}); /* of nobody */
	db = look(fixture, 0);
	assert_int_equal(db->processes, 3);
	assert_int_equal(db->threads, 6);
	assert_int_equal(db->cpu, 22 * TICK);
	assert_int_equal(db->memory, 111 * PAGE);
	assert_true(db->pss == COUNTER_UNKNOWN);
	assert_int_equal(processes_tree(fixture->processes, 1)->processes, 1);
	assert_true(processes_tree(fixture->processes, 2)->processes == COUNTER_UNKNOWN);
}

static void session_and_memory_keep_orphans(void **state)
{
	struct fixture *fixture = *state;

	put_process((struct stat_line){100, DB, DB, 1, 0, 0, 70, 1});
	put_process((struct stat_line){102, 100, 102, 1, 0, 0, 71, 1}); /* a daemon in the making */
	assert_int_equal(look(fixture, 0)->processes, 3);
	end_process(100);
	put_process((struct stat_line){101, INIT, DB, 1, 0, 0, 70, 1});
	put_process((struct stat_line){102, INIT, 102, 1, 0, 0, 71, 1});
	put_process((struct stat_line){103, 102, 102, 1, 0, 0, 72, 1});
	assert_int_equal(look(fixture, 0)->processes, 4);
	/* another process has the number of the daemon */
	end_process(103);
	put_process((struct stat_line){102, INIT, 102, 1, 0, 0, 99, 1});
	assert_int_equal(look(fixture, 0)->processes, 2);
}

static void child_is_not_older_than_its_parent(void **state)
{
	struct fixture *fixture = *state;

	put_process((struct stat_line){100, DB, 100, 1, 0, 0, 49, 1});
	/* of a session whose number has another leader by now */
	put_process((struct stat_line){101, INIT, DB, 1, 0, 0, 49, 1});
	assert_int_equal(look(fixture, 0)->processes, 1);
}

static void circle_has_an_end(void **state)
{
	struct fixture *fixture = *state;

	put_process((struct stat_line){100, 101, 100, 1, 0, 0, 70, 1});
	put_process((struct stat_line){101, 100, 101, 1, 0, 0, 70, 1});
	assert_int_equal(look(fixture, 0)->processes, 1);
}

/* ---- time on the processor ---- */

static void time_does_not_go_back(void **state)
{
	struct fixture *fixture = *state;

	put_process((struct stat_line){100, DB, DB, 10, 0, 0, 70, 10});
	assert_int_equal(look(fixture, 0)->cpu, 15 * TICK);
	end_process(100); /* it has ended, and is not waited for yet */
	assert_int_equal(look(fixture, 0)->cpu, 15 * TICK);
	put_process((struct stat_line){DB, INIT, DB, 3, 2, 11, 50, 100});
	assert_int_equal(look(fixture, 0)->cpu, 16 * TICK);
	/* an orphan's is told to nobody */
	put_process((struct stat_line){101, INIT, DB, 100, 0, 0, 70, 10});
	assert_int_equal(look(fixture, 0)->cpu, 116 * TICK);
	end_process(101);
	assert_int_equal(look(fixture, 0)->cpu, 116 * TICK);
	put_process((struct stat_line){DB, INIT, DB, 4, 2, 11, 50, 100});
	assert_int_equal(look(fixture, 0)->cpu, 117 * TICK);
}

static void restart_begins_anew_but_not_ever(void **state)
{
	struct fixture *fixture = *state;
	const struct tree *db;

	assert_int_equal(look(fixture, 0)->cpu, 5 * TICK);
	end_process(DB); /* the page does not say so yet */
	db = look(fixture, 0);
	assert_true(db->cpu == COUNTER_UNKNOWN && db->processes == COUNTER_UNKNOWN);
	assert_int_equal(db->cpu_ever, 5 * TICK);
	fixture->records[0].pid = 0;
	db = look(fixture, 0);
	assert_true(db->cpu == COUNTER_UNKNOWN && db->processes == COUNTER_UNKNOWN);
	assert_int_equal(db->cpu_ever, 5 * TICK);
	/* with the same number, too */
	put_process((struct stat_line){DB, INIT, DB, 1, 0, 0, 500, 100});
	fixture->records[0].pid = DB;
	db = look(fixture, 0);
	assert_int_equal(db->cpu, TICK);
	assert_int_equal(db->cpu_ever, 6 * TICK);
	put_process((struct stat_line){DB, INIT, DB, 2, 0, 0, 900, 100});
	db = look(fixture, 0);
	assert_int_equal(db->cpu, 2 * TICK);
	assert_int_equal(db->cpu_ever, 8 * TICK);
}

static void reload_moves_services(void **state)
{
	struct fixture *fixture = *state;
	struct status_record first = fixture->records[0];

	put_process((struct stat_line){100, DB, DB, 1, 0, 0, 70, 1});
	put_process((struct stat_line){102, 100, 102, 1, 0, 0, 71, 1});
	look(fixture, 0);
	end_process(100);
	put_process((struct stat_line){102, INIT, 102, 1, 0, 0, 71, 1});
	fixture->records[0] = fixture->records[1];
	fixture->records[1] = first;
	assert_int_equal(look(fixture, 1)->processes, 2);
	assert_int_equal(processes_tree(fixture->processes, 1)->cpu, 7 * TICK);
	assert_int_equal(processes_tree(fixture->processes, 0)->processes, 1);
}

/* ---- what can be seen ---- */

static void what_cannot_be_seen_is_not_zero(void **state)
{
	struct fixture *fixture = *state;
	const struct tree *db;

	end_process(DB);
	db = look(fixture, 0);
	assert_true(db->cpu == COUNTER_UNKNOWN && db->memory == COUNTER_UNKNOWN);
	assert_true(db->cpu_ever == COUNTER_UNKNOWN);
	/* fd is no directory, smaps_rollup is one: both are there and cannot be read */
	put_services();
	tree_put("proc", "10/fd", "");
	tree_put("proc", "10/smaps_rollup/file", "");
	tree_put("proc", "20/fd/0", "");
	tree_put("proc", "20/fd/1", "");
	tree_put("proc", "20/smaps_rollup",
		 "55ae-7ffd ---p 00000000 00:00 0 [rollup]\n"
		 "Rss:     800 kB\nPss:     12 kB\nPss_Dirty:   9 kB\n");
	fixture->view.now += NSEC_PER_SEC;
	processes_refresh(fixture->processes, &fixture->view, true);
	db = processes_tree(fixture->processes, 0);
	assert_true(db->open_fds == COUNTER_UNKNOWN && db->pss == COUNTER_UNKNOWN);
	assert_int_equal(db->memory, 100 * PAGE);
	assert_int_equal(processes_tree(fixture->processes, 1)->open_fds, 2);
	assert_int_equal(processes_tree(fixture->processes, 1)->pss, 12 * 1024);
}

static void asked_again_at_once_nothing_is_read(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(look(fixture, 0)->cpu, 5 * TICK);
	put_process((struct stat_line){DB, INIT, DB, 30, 2, 0, 50, 100});
	processes_refresh(fixture->processes, &fixture->view, false);
	assert_int_equal(processes_tree(fixture->processes, 0)->cpu, 5 * TICK);
	assert_int_equal(look(fixture, 0)->cpu, 32 * TICK);
}

static void odd_lines_are_no_processes(void **state)
{
	static const char *const lines[] = {
		"",
		"10",
		"10 (x)",
		"10 (x) S 1 10 10 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5 6\n", /* one is missing */
		"10 (x) S 1 10 10 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5 6 7", /* cut off */
		"10 (x) S a 10 10 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5 6 7\n",
		"10 (x) S 99999999999 10 10 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5 6 7\n",
		"10 (x) S 1 10 10 0 -1 0 0 0 0 0 9223372036854775807 1 0 0 20 0 1 0 5 6 7\n",
		"10 x S 1 10 10 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5 6 7\n",
		") 10 (x S 1 10\n",
	};
	struct proc_stat process;

	(void)state;
	assert_true(proc_stat_parse(&process,
				    "10 (x) S 1 10 10 0 -1 0 0 0 0 0 1 1 0 0 20 0 1 0 5 6 7\n"));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (proc_stat_parse(&process, lines[i]))
			fail_msg("taken: %s", lines[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tree_is_summed_up),
		TEST(session_and_memory_keep_orphans),
		TEST(child_is_not_older_than_its_parent),
		TEST(circle_has_an_end),
		TEST(time_does_not_go_back),
		TEST(restart_begins_anew_but_not_ever),
		TEST(reload_moves_services),
		TEST(what_cannot_be_seen_is_not_zero),
		TEST(asked_again_at_once_nothing_is_read),
		cmocka_unit_test(odd_lines_are_no_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
