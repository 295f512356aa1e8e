/* SPDX-License-Identifier: MIT */
/* Another book while checks of the last one are under way and others wait in line. */
#include "live.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../sidecar/loop.h" /* init has one, too */
#include "address.h"
#include "book.h"
#include "probe_link.h"
#include "resolve.h"

/* A book of addresses with one place each. */
static struct address_book *make_book(uint32_t serial, enum address_check check,
				      const char *const hosts[2])
{
	struct link_book end = {.serial = serial, .addresses = 2};
	struct book_draft *draft = NULL;

	for (uint16_t i = 0; i < 2; i++) {
		struct link_step step = {.serial = serial,
					 .address = i,
					 .port = 80,
					 .check_period = 1000,
					 .check = (uint8_t)check,
					 .found = 1};

		snprintf(step.name, sizeof(step.name), "a%u-%u", serial, i);
		snprintf(step.host, sizeof(step.host), "%s", hosts[i]);
		book_take_step(&draft, &step);
	}
	return book_finish(&draft, &end);
}

static unsigned reports;

static bool count_report(void *data, const struct link_answer *answer)
{
	(void)data;
	(void)answer;
	reports++;
	return true;
}

/* A name server that hears and says nothing. */
static int open_server(char *text, size_t size)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(text, size, "127.0.0.1:%u", ntohs(at.sin_port));
	return fd;
}

static void question_has_come(void *data, int fd, uint32_t events)
{
	(void)events;
	loop_forget(data, fd);
	loop_stop(data, 0);
}

static void checks_of_an_old_book_decide_nothing(void **state)
{
	static const char *const before[] = {"silent.example", "127.0.0.2"};
	static const char *const after[] = {"127.0.0.3", "127.0.0.4"};
	struct address_book *old = make_book(1, ADDRESS_DNS, before);
	struct address_book *new = make_book(2, ADDRESS_UNCHECKED, after);
	struct loop *loop = loop_create();
	struct resolver *resolver = resolver_create(loop);
	struct prober *prober = prober_create(loop, resolver, NULL, NULL);
	struct live *live = live_create(loop, resolver, prober, count_report, NULL);
	char server[32];
	int fd = open_server(server, sizeof(server));

	(void)state;
	resolver_use(resolver, server);
	prober_limit(prober, 1, 1);
	loop_watch(loop, fd, EPOLLIN, question_has_come, loop);
	live_set_book(live, old, 1, false);
	loop_run(loop); /* the first is looked up now, and the second, which needs nobody, waits */
	assert_int_equal(reports, 0);
	live_set_book(live, new, 2, false);
	assert_int_equal(reports, 0);
	assert_string_equal(new->entries[1].now->host, "127.0.0.4");
	live_destroy(live);
	prober_destroy(prober);
	resolver_destroy(resolver);
	loop_destroy(loop);
	book_free(old);
	book_free(new);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_of_an_old_book_decide_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
