/* SPDX-License-Identifier: MIT */
/* What becomes of a sidecar that says nothing: LINK_DEAD_MS are too long for a run test. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "address.h"
#include "clock.h"
#include "probe_link.h"
#include "supervisor.h"

/* A supervisor of nothing but a sidecar, which runs. */
struct fixture {
	struct supervisor sup;
	struct service service;
	struct service *services[1];
	struct service_config service_config;
	struct policy_config policy;
	struct config config;
	uint16_t changed[1];
	int peer; /* the sidecar's end of the channel */
};

static struct fixture fixture;

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0) {
		setpgid(pid, pid);
		return pid;
	}
	setpgid(0, 0);
	for (;;)
		pause();
}

/* An address with two candidates and a text that mentions it. */
static const struct address_candidate candidates[] = {{.host = "a", .port = 1, .source = "x:1"},
						      {.host = "b", .port = 2, .source = "x:1"}};
static const struct address_step steps[] = {{"x:1", NULL, 0}, {"x:1", NULL, 1}};
static struct address_now now;
static char following[600];
static struct address_text text = {"A=\xff\xfe"
				   "a0000",
				   following};
static const struct address_entry entry = {.name = "redis",
					   .candidates = candidates,
					   .count = 2,
					   .steps = steps,
					   .step_count = 2,
					   .now = &now};
static const struct address_book book = {.entries = &entry,
					 .count = 1,
					 .mode = "testing",
					 .mode_source = "test",
					 .texts = &text,
					 .text_count = 1};

static int set_up(void **state)
{
	struct fixture *f = &fixture;
	struct supervisor *sup = &f->sup;

	memset(f, 0, sizeof(*f));
	f->policy = (struct policy_config){.restart = RESTART_ALWAYS,
					   .start_retries = UINT32_MAX,
					   .stop_signal = SIGTERM,
					   .stop_grace = 2000,
					   .backoff_min = 100,
					   .backoff_max = 5000};
	f->service_config = (struct service_config){
		.name = "muster-sidecar", .policy = &f->policy, .internal = true};
	f->config.exit_code_from = -1;
	f->config.addresses = &book;
	now = (struct address_now){.host = "a", .port = 1};
	strcpy(following, "A=a:1");
	f->service.config = &f->service_config;
	f->service.phase = PH_RUNNING;
	f->service.wanted = true;
	supervisor_init_service(&f->service);
	f->services[0] = &f->service;
	sup->config = &f->config;
	sup->services = sup->by_slot = f->services;
	sup->changed = f->changed;
	sup->count = sup->slots = 1;
	sup->run_fd = sup->notify_up = -1;
	sup->link.source.fd = sup->link.child_end = -1;
	assert_int_equal(loop_open(&sup->loop), 0);
	assert_true(loop_reserve_timers(&sup->loop, 8));
	assert_int_equal(status_page_create(&sup->page, -1, 1, 0), 0);
	assert_true(sidecar_link_prepare(sup));
	f->peer = dup(sup->link.child_end);
	f->service.pid = f->service.session = start_sleeper();
	sidecar_link_started(sup);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->service.pid > 0) {
		kill(f->service.pid, SIGKILL);
		waitpid(f->service.pid, NULL, 0);
	}
	sidecar_link_ended(&f->sup);
	close(f->peer);
	close(f->sup.loop.epoll);
	free(f->sup.loop.heap);
	status_page_close(&f->sup.page);
	return 0;
}

static void what_it_says_puts_off_its_end(void **state)
{
	struct fixture *f = *state;
	struct supervisor *sup = &f->sup;
	struct link_beat beat = {.type = LINK_BEAT};
	struct status_header header;
	uint64_t first = sup->link.silence.when;

	assert_int_equal(first, sup->loop.now + msec(LINK_DEAD_MS));
	while (clock_monotonic() == sup->loop.now)
		;
	assert_int_equal(send(f->peer, &beat, sizeof(beat), 0), sizeof(beat));
	loop_turn(&sup->loop);
	assert_true(sup->link.silence.when > first);
	assert_int_equal(sup->link.silence.when, sup->loop.now + msec(LINK_DEAD_MS));
	assert_int_equal(status_read_header(&sup->page, &header), 0);
	assert_int_equal(header.beat, sup->loop.now);
	assert_int_equal(f->service.phase, PH_RUNNING);
}

static void silence_ends_it(void **state)
{
	struct fixture *f = *state;
	struct supervisor *sup = &f->sup;
	struct status_record record;
	int status;

	assert_true(kill(f->service.pid, SIGSTOP) == 0);
	/* the deadline has come */
	loop_arm(&sup->loop, &sup->link.silence, sup->loop.now);
	loop_turn(&sup->loop);
	assert_int_equal(f->service.phase, PH_STOPPING);
	assert_int_equal(f->service.after, AFTER_BACKOFF); /* it will be started again */
	assert_int_equal(f->service.timer.when, sup->loop.now + msec(2000));
	assert_int_equal(status_read_record(&sup->page, 0, &record), 0);
	assert_int_equal(record.restarts, 1);
	assert_string_equal(record.reason, "was not heard for 35 s");
	/* TERM and CONT, so that even a stopped one ends */
	assert_int_equal(waitpid(f->service.pid, &status, 0), f->service.pid);
	f->service.pid = 0;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void its_end_is_not_silence(void **state)
{
	struct fixture *f = *state;

	sidecar_link_ended(&f->sup);
	assert_int_equal(f->sup.link.silence.slot, 0);
	assert_int_equal(f->sup.link.source.fd, -1);
	assert_int_equal(f->sup.link.child_end, -1);
}

/* ---- addresses ---- */

/* The sidecar is told each step, and then that this is all. */
static void it_is_told_the_book(void **state)
{
	struct fixture *f = *state;
	union {
		uint32_t type;
		struct link_step step;
		struct link_book book;
	} message;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(recv(f->peer, &message, sizeof(message), 0), sizeof(message.step));
		assert_int_equal(message.type, LINK_STEP);
		assert_string_equal(message.step.name, "redis");
		assert_string_equal(message.step.host, candidates[i].host);
		assert_int_equal(message.step.serial, f->sup.link.book_serial);
	}
	assert_int_equal(recv(f->peer, &message, sizeof(message), 0), sizeof(message.book));
	assert_int_equal(message.type, LINK_BOOK);
	assert_int_equal(message.book.addresses, 1);
	assert_true(recv(f->peer, &message, sizeof(message), MSG_DONTWAIT) < 0);
}

static void send_answer(struct fixture *f, struct link_answer answer)
{
	assert_int_equal(send(f->peer, &answer, sizeof(answer), 0), sizeof(answer));
	loop_turn(&f->sup.loop);
}

static void an_answer_is_put_in_force(void **state)
{
	struct fixture *f = *state;
	struct link_answer answer = {
		.type = LINK_ANSWER, .serial = f->sup.link.book_serial, .candidate = 1};

	strcpy(answer.number, "10.0.0.2");
	send_answer(f, answer);
	assert_string_equal(following, "A=b:2");
	assert_string_equal(now.number, "10.0.0.2");
	assert_int_equal(f->sup.events.next, 1);
	send_answer(f, answer); /* again: nothing new */
	assert_int_equal(f->sup.events.next, 1);
	answer.moved = 1;
	send_answer(f, answer);
	assert_int_equal(f->sup.events.next, 2);
	answer.moved = 0;
	strcpy(answer.host, "pod-1.x");
	answer.port = 7;
	send_answer(f, answer);
	assert_string_equal(following, "A=pod-1.x:7");
}

/* Whatever comes, nothing but a host and a port gets into a text. */
static void nonsense_changes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct link_answer good = {
		.type = LINK_ANSWER, .serial = f->sup.link.book_serial, .candidate = 1};
	struct link_answer answer;
	static const char *const hosts[] = {"a b",
					    "a\n",
					    "a;b",
					    "$(x)",
					    "a/b",
					    "\xff\xfe"
					    "a0000"};

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		answer = good;
		answer.port = 1;
		strcpy(answer.host, hosts[i]);
		send_answer(f, answer);
		answer = good;
		strcpy(answer.number, hosts[i]);
		send_answer(f, answer);
	}
	answer = good;
	answer.serial--;
	send_answer(f, answer);
	answer = good;
	answer.address = 1;
	send_answer(f, answer);
	answer = good;
	answer.candidate = 2;
	send_answer(f, answer);
	answer = good;
	strcpy(answer.host, "port-is-missing");
	send_answer(f, answer);
	answer = good;
	answer.port = 1;
	memset(answer.host, 'a', sizeof(answer.host));
	send_answer(f, answer);
	answer = good;
	memset(answer.number, '1', sizeof(answer.number));
	send_answer(f, answer);
	assert_int_equal(send(f->peer, &good, sizeof(good) - 1, 0), sizeof(good) - 1);
	loop_turn(&f->sup.loop);
	assert_string_equal(following, "A=a:1");
	assert_string_equal(now.number, "");
	assert_int_equal(f->sup.events.next, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_it_says_puts_off_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(silence_ends_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(its_end_is_not_silence, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_is_told_the_book, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_is_put_in_force, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nonsense_changes_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
