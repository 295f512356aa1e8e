/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hosts.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void targets_are_understood(void **state)
{
	static const struct {
		const char *url, *host;
		uint16_t port;
		bool http, tls, numeric;
	} cases[] = {
		{"tcp://127.0.0.1:6379", "127.0.0.1", 6379, false, false, true},
		{"tcp://[::1]:6379", "::1", 6379, false, false, true},
		{"tcp://db.example:1", "db.example", 1, false, false, false},
		{"http://web/", "web", 80, true, false, false},
		{"http://web", "web", 80, true, false, false},
		{"http://web:8000/health?a=b@c:1", "web", 8000, true, false, false},
		{"http://web?x", "web", 80, true, false, false},
		{"http://web#x", "web", 80, true, false, false},
		{"https://web/", "web", 443, true, true, false},
		{"https://[2001:db8::1]/", "2001:db8::1", 443, true, true, true},
		{"http://user:pass@web:81/", "web", 81, true, false, false},
		{"http://a@b@web:81/", "web", 81, true, false, false},
		/* 127.1 and 2130706433 are addresses to some, names to us */
		{"http://127.1/", "127.1", 80, true, false, false},
		{"http://2130706433/", "2130706433", 80, true, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct target target;

		assert_true(target_parse(&target, cases[i].url));
		assert_string_equal(target.url, cases[i].url);
		assert_string_equal(target.host, cases[i].host);
		assert_int_equal(target.port, cases[i].port);
		assert_int_equal(target.http, cases[i].http);
		assert_int_equal(target.tls, cases[i].tls);
		assert_int_equal(target.numeric, cases[i].numeric);
		target_free(&target);
	}
}

static void other_texts_are_no_targets(void **state)
{
	static const char *const cases[] = {
		"",
		"web",
		"tcp://",
		"tcp://web",
		"tcp://:80",
		"tcp://web:",
		"tcp://web:0",
		"tcp://web:x",
		"tcp://web:1x",
		"tcp://web:65536",
		"tcp://web:-1",
		"http://",
		"http:///x",
		"http://:80/",
		"http://[::1",
		"http://[::1]x/",
		"http://[]/",
		"http://web:+1/",
		"ftp://web:21/",
		"HTTP://web/",
		"http://user@:1/",
		"tcp://a:1:2",
	};
	char text[600] = "http://";
	struct target target;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_false(target_parse(&target, cases[i]));
	memset(text + 7, 'a', 300);
	assert_false(target_parse(&target, text));
}

static union address address_of(const char *text)
{
	union address address;

	assert_true(address_parse(&address, text, 7));
	return address;
}

static void addresses_are_told_apart(void **state)
{
	static const char *const local[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"};
	static const char *const link[] = {"169.254.169.254", "fe80::1", "::ffff:169.254.1.1"};
	static const char *const other[] = {"10.0.0.1", "168.254.1.1", "2001:db8::1", "::2"};
	union address address;

	(void)state;
	for (size_t i = 0; i < COUNT(local); i++) {
		address = address_of(local[i]);
		assert_true(address_is_loopback(&address));
		assert_false(address_is_refused(&address));
	}
	for (size_t i = 0; i < COUNT(link); i++) {
		address = address_of(link[i]);
		assert_true(address_is_refused(&address));
		assert_false(address_is_loopback(&address));
	}
	for (size_t i = 0; i < COUNT(other); i++) {
		address = address_of(other[i]);
		assert_false(address_is_refused(&address));
		assert_false(address_is_loopback(&address));
	}
}

static void who_listens_is_found(void **state)
{
	static const struct {
		const char *address, *own;
		bool leads;
	} cases[] = {
		{"127.0.0.1", "127.0.0.1", true}, {"127.0.0.2", "127.0.0.1", false},
		{"127.0.0.2", "0.0.0.0", true},   {"0.0.0.0", "0.0.0.0", true},
		{"192.0.2.1", "0.0.0.0", false},  {"::1", "0.0.0.0", false},
		{"127.0.0.1", "::", true},        {"::1", "::", true},
		{"2001:db8::1", "::", false},     {"::1", "::1", true},
		{"127.0.0.1", "::1", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		union address address, own;

		address_parse(&address, cases[i].address, 53);
		address_parse(&own, cases[i].own, 53);
		assert_int_equal(address_leads_to(&address, &own), cases[i].leads);
		address_set_port(&own, 54);
		assert_false(address_leads_to(&address, &own));
	}
}

static void addresses_are_written(void **state)
{
	union address address = address_of("127.0.0.1");
	char text[ADDRESS_TEXT];

	(void)state;
	address_format(&address, text);
	assert_string_equal(text, "127.0.0.1:7");
	address = address_of("2001:db8::1");
	address_set_port(&address, 65535);
	address_format(&address, text);
	assert_string_equal(text, "[2001:db8::1]:65535");
	assert_false(address_parse(&address, "127.0.0.1:7", 7));
	assert_false(address_parse(&address, "[::1]", 7));
}

static void only_names_of_ours_are_allowed(void **state)
{
	static const char *const ours[] = {"127.0.0.1", "[::1]:1",   "localhost:9", "pc1",
					   "a.local",   "me.test:8", "ME.test.",    "x.svc"};
	static const char *const strangers[] = {
		"",         "evil.com", "evil.com:80", "a.b:",  "local.com",
		"xme.test", ".",        "[::1",        "a:b:c", "a.local.com"};
	struct hosts *hosts = hosts_create();

	(void)state;
	hosts_add(hosts, "me.test");
	for (int turn = 0; turn < 2; turn++) { /* what was allowed last is remembered */
		for (size_t i = 0; i < COUNT(ours); i++) {
			assert_true(hosts_allow(hosts, ours[i]));
			for (size_t k = 0; k < COUNT(strangers); k++)
				assert_false(hosts_allow(hosts, strangers[k]));
			assert_true(hosts_allow(hosts, ours[i]));
		}
	}
	hosts_destroy(hosts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_understood),
		cmocka_unit_test(other_texts_are_no_targets),
		cmocka_unit_test(addresses_are_told_apart),
		cmocka_unit_test(addresses_are_written),
		cmocka_unit_test(who_listens_is_found),
		cmocka_unit_test(only_names_of_ours_are_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
