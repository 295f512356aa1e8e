/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"

/* ---- host:port ---- */

static void endpoints(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
		bool has_port;
	} good[] = {
		{"redis", "redis", 0, false},
		{"redis:6379", "redis", 6379, true},
		{"my_db-1.default.svc.:1", "my_db-1.default.svc.", 1, true},
		{"127.0.0.1:65535", "127.0.0.1", 65535, true},
		{"[::1]:80", "::1", 80, true},
		{"[fe80::1%eth0]", "fe80::1%eth0", 0, false},
		{":80", "", 80, true},
		{"h:0", "h", 0, true},
	};
	static const char *const bad[] = {
		"",       "h:",          "h:65536",       "h:-1",    "h:1x",      "::1",
		"::1:80", "[::1",        "[::1]x",        "[]:1",    "[1.2.3.4]", "[::1%]",
		"1.2.3",  "1.2.3.256:1", "a..b",          ".a",      "-a:1",      "a-:1",
		"a b:1",  "a/b",         "h:99999999999", "[::g]:1", "h\x01",
	};
	struct endpoint endpoint;
	char name[260];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_null(endpoint_parse(good[i].text, strlen(good[i].text), &endpoint));
		assert_string_equal(endpoint.host, good[i].host);
		assert_int_equal(endpoint.port, good[i].port);
		assert_int_equal(endpoint.has_port, good[i].has_port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(endpoint_parse(bad[i], strlen(bad[i]), &endpoint));
	memset(name, 'a', sizeof(name));
	assert_non_null(endpoint_parse(name, sizeof(name), &endpoint));
	assert_non_null(endpoint_parse(name, 64, &endpoint));
	assert_null(endpoint_parse(name, 63, &endpoint));
	assert_string_equal(
		endpoint_parse("::1:80", 6, &endpoint),
		"more than one colon: an IPv6 address is written in brackets, as [::1]:80");
}

static void endpoints_are_written_with_brackets(void **state)
{
	char buffer[ENDPOINT_SIZE];

	(void)state;
	assert_string_equal(endpoint_format(buffer, "redis", 6379), "redis:6379");
	assert_string_equal(endpoint_format(buffer, "::1", 80), "[::1]:80");
}

static void urls_are_shown_without_secrets(void **state)
{
	static const char *const texts[][2] = {
		{"http://host:80/path", "http://host:80/path"},
		{"http://user:pw@host:80/path", "http://***@host:80/path"},
		{"http://host/a@b", "http://host/a@b"},
		{"http://user:pw@host/a@b", "http://***@host/a@b"},
		{"http://host/?token=pw", "http://host/?***"},
		{"http://host?token=pw#x", "http://host?***"},
		{"http://host/#pw", "http://host/#***"},
		{"http://user@[::1]:80", "http://***@[::1]:80"},
		{"http://a@b@host", "http://***@host"},
		/* wrong ones */
		{"http://user:p/w@host", "http://***@host"},
		{"http://user:p?w@host", "http://***@host"},
		{"http://user:p w@host:x", "http://***@host:x"},
		{"http://user:80?w@host", "http://***@"},
		{"http://us?er:pw@host/x", "http://***@"},
		{"http://host?mail=a@b", "http://***@"},
		{"http://host/?mail=a@b", "http://host/?***"},
		{"http://user:pw@", "http://***@"},
		{"user:pw@host:80", "***@host:80"},
		{"host:80", "host:80"},
		{"", ""},
		{"://", "://"},
		{"@", "***@"},
	};
	char shown[URL_SHOWN];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_string_equal(url_mask(shown, sizeof(shown), texts[i][0]), texts[i][1]);
	assert_string_equal(url_mask(shown, 15, "http://user:pw@host"), "http://***@hos");
}

static void urls(void **state)
{
	struct url url;

	(void)state;
	assert_null(url_parse("http://user:p@ss@[::1]:8080/a@b?c", &url));
	assert_string_equal(url.endpoint.host, "::1");
	assert_int_equal(url.endpoint.port, 8080);
	assert_true(url_has_scheme("http://", &url, "http"));
	assert_false(url_has_scheme("https://", &url, "https"));
	assert_null(url_parse("redis://h", &url));
	assert_false(url.endpoint.has_port);
	assert_null(url_parse("http://:80/x", &url));
	assert_string_equal(url.endpoint.host, "");
	assert_non_null(url_parse("h:80", &url));
	assert_non_null(url_parse("://h", &url));
	assert_non_null(url_parse("http://", &url));
	assert_non_null(url_parse("http:///x", &url));
	assert_non_null(url_parse("http://h/a b", &url));
	assert_non_null(url_parse("http://h:x/", &url));
	assert_non_null(url_parse("http://u@/", &url));
}

/* ---- the book ---- */

#define BOOK                                                                                       \
	"[address:redis]\nport = 6379\ndevelopment = dev\ntesting = 127.0.0.1\n"                   \
	"container = redis, redis-b:6380\nkubernetes = redis.default.svc\n"                        \
	"production = ${REDIS_MAIN}:7000, ${REDIS_MORE:-b,c}\nfallback = last:1\n"                 \
	"[address:bare]\nport = 80\n"                                                              \
	"[address:own-port]\ntesting = h:1\n"                                                      \
	"[address:named]\nproduction = first:1, ${NAMED_HOST}:${NAMED_PORT:-7}, second, third:3\n" \
	"port = 9\nfallback = last:1\n"

static struct config *config;
static struct config_errors errors;
static char path[] = "/tmp/muster-address-XXXXXX";

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0 || write(fd, BOOK, strlen(BOOK)) != (ssize_t)strlen(BOOK))
		return -1;
	return close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static int drop(void **state)
{
	(void)state;
	config_free(config);
	config = NULL;
	config_errors_free(&errors);
	return 0;
}

/* Loads the book in an environment of up to four variables. */
static void load(const char *a, const char *b, const char *c, const char *d)
{
	char *environment[] = {(char *)(uintptr_t)a, (char *)(uintptr_t)b, (char *)(uintptr_t)c,
			       (char *)(uintptr_t)d, NULL};
	const char *files[] = {path, NULL};
	struct config_source source = {.files = files, .environment = environment};

	drop(NULL);
	config = config_load(&source, &errors);
	assert_non_null(config);
}

/* "host:port (source)" of all candidates, with ", " between them. */
static void candidates(const char *name, const char *expected)
{
	const struct address_entry *address = address_find(config->addresses, name);
	char text[1024] = "", buffer[ENDPOINT_SIZE];
	size_t len = 0;

	assert_non_null(address);
	for (uint32_t i = 0; i < address->count; i++) {
		const char *source = address->candidates[i].source;

		if (strncmp(source, path, strlen(path)) == 0)
			source += strlen(path);
		endpoint_format(buffer, address->candidates[i].host, address->candidates[i].port);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s (%s)", i ? ", " : "",
					buffer, source);
	}
	assert_string_equal(text, expected);
	assert_true((address->count > 0) == (address->tried == NULL));
}

static void the_mode_chooses_the_entry(void **state)
{
	(void)state;
	load("MUSTER_MODE=development", NULL, NULL, NULL);
	candidates("redis", "dev:6379 (:3 development), last:1 (:8 fallback)");
	load("MUSTER_MODE=container", NULL, NULL, NULL);
	candidates("redis",
		   "redis:6379 (:5 container), redis-b:6380 (:5 container), last:1 (:8 fallback)");
	load("MUSTER_MODE=testing", NULL, NULL, NULL);
	candidates("own-port", "h:1 (:12 testing)");
	assert_null(address_find(config->addresses, "nobody"));
}

static void an_explicit_variable_alone_counts(void **state)
{
	(void)state;
	load("MUSTER_MODE=testing", "REDIS_URL=rediss://:secret@cache.example/1", NULL, NULL);
	candidates("redis", "cache.example:6379 (environment REDIS_URL)");
	load("MUSTER_MODE=testing", "REDIS_ADDR=[fd00::2]:1234", "REDIS_HOST=x", NULL);
	candidates("redis", "[fd00::2]:1234 (environment REDIS_ADDR)");
	load("MUSTER_MODE=testing", "REDIS_HOST=other", "REDIS_PORT=1111", NULL);
	candidates("redis", "other:1111 (environment REDIS_HOST)");
	load("MUSTER_MODE=testing", "REDIS_HOST=other", "REDIS_PORT=tcp://10.0.0.1:2222", NULL);
	candidates("redis", "other:6379 (environment REDIS_HOST)");
	load("MUSTER_MODE=testing", "REDIS_HOST=", "REDIS_PORT=1111", NULL);
	candidates("redis", "127.0.0.1:1111 (:4 testing), last:1 (:8 fallback)");
	load("MUSTER_MODE=testing", "OWN_PORT_HOST=h2", "OWN_PORT_PORT=5", NULL);
	candidates("own-port", "h2:5 (environment OWN_PORT_HOST)");
}

/* "production = ${REDIS_HOST}:6379, cache-b.internal": the second is there for the first. */
static void an_entry_goes_on_behind_the_explicit_variable(void **state)
{
	(void)state;
	load("MUSTER_MODE=production", "NAMED_HOST=h", NULL, NULL);
	candidates("named", "h:9 (environment NAMED_HOST), second:9 (:14 production), third:3 (:14 "
			    "production)");
	load("MUSTER_MODE=production", "NAMED_HOST=h", "NAMED_PORT=tcp://10.0.0.1:5", NULL);
	candidates("named", "h:9 (environment NAMED_HOST), second:9 (:14 production), third:3 (:14 "
			    "production)");
	load("MUSTER_MODE=production", "NAMED_ADDR=h:2", "NAMED_HOST=other", NULL);
	candidates("named", "h:2 (environment NAMED_ADDR)");
	load("MUSTER_MODE=production", "NAMED_HOST=a b", NULL, NULL);
	candidates("named", "");
	load("MUSTER_MODE=testing", "NAMED_HOST=h", NULL, NULL);
	candidates("named", "h:9 (environment NAMED_HOST)");
}

/* What NAME_PORT did, or why it did nothing, is told. */
static void a_port_from_the_environment_is_told(void **state)
{
	const struct address_entry *address;

	(void)state;
	load("MUSTER_MODE=testing", "REDIS_PORT=1111", NULL, NULL);
	address = address_find(config->addresses, "redis");
	assert_string_equal(address->steps[0].source, "environment REDIS_PORT");
	assert_string_equal(address->steps[0].note, "port 1111 where none is written");
	load("MUSTER_MODE=testing", "REDIS_PORT=0", NULL, NULL);
	candidates("redis", "127.0.0.1:6379 (:4 testing), last:1 (:8 fallback)");
	address = address_find(config->addresses, "redis");
	assert_string_equal(address->steps[0].note, "neither a port nor tcp://host:port");
}

/* The value is wrong, so the address is unknown rather than another one; it is not shown. */
static void a_bad_explicit_variable_is_no_other_address(void **state)
{
	const struct address_entry *address;

	(void)state;
	load("MUSTER_MODE=testing", "REDIS_URL=sesame@nowhere", NULL, NULL);
	candidates("redis", "");
	address = address_find(config->addresses, "redis");
	assert_non_null(strstr(address->tried, "REDIS_URL"));
	assert_null(strstr(address->tried, "sesame"));
	load("MUSTER_MODE=testing", "OWN_PORT_HOST=h", NULL, NULL);
	candidates("own-port", "");
}

static void links_come_behind_the_entry(void **state)
{
	(void)state;
	load("MUSTER_MODE=kubernetes", "REDIS_SERVICE_HOST=10.0.0.11", "REDIS_SERVICE_PORT=6400",
	     "REDIS_PORT=tcp://10.0.0.12:6500");
	candidates("redis", "redis.default.svc:6379 (:6 kubernetes), "
			    "10.0.0.11:6400 (environment REDIS_SERVICE_HOST), "
			    "10.0.0.12:6500 (environment REDIS_PORT), last:1 (:8 fallback)");
	candidates("bare", "bare:80 (name of the Kubernetes service)");
	load("MUSTER_MODE=container", "BARE_PORT=tcp://[fd00::9]:81", NULL, NULL);
	candidates("bare", "[fd00::9]:81 (environment BARE_PORT)");
}

static void an_unset_variable_in_an_entry_is_passed_over(void **state)
{
	(void)state;
	load("MUSTER_MODE=production", NULL, NULL, NULL);
	candidates("redis", "b:6379 (:7 production), c:6379 (:7 production), last:1 (:8 fallback)");
	load("MUSTER_MODE=production", "REDIS_MAIN=main.example", "REDIS_MORE=d:1", NULL);
	candidates("redis", "main.example:7000 (:7 production), d:1 (:7 production), last:1 (:8 "
			    "fallback)");
	candidates("bare", "");
}

/* ---- what follows an address ---- */

#define FOLLOWING                                                                                  \
	"[address:redis]\nport = 6379\ntesting = a, [fd00::1]:7, _redis._tcp.x\n"                  \
	"export = URL=redis://{host}:{port}/0, RAW={host}\n[address:other]\ntesting = o:1\n"       \
	"[service:s]\ncommand = x ${address:redis} ${address:redis:port}\n"                        \
	"environment = A=<${address:redis}|${address:other}>\n B=<${address:redis:host}>\n"

static char *following[] = {(char *)(uintptr_t) "MUSTER_MODE=testing", NULL};

static struct config *load_following(void)
{
	static char name[] = "/tmp/muster-following-XXXXXX";
	const char *files[] = {name, NULL};
	struct config_source source = {.files = files, .environment = following};
	struct config *loaded;
	int fd;

	strcpy(name, "/tmp/muster-following-XXXXXX");
	fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, FOLLOWING, strlen(FOLLOWING)), strlen(FOLLOWING));
	close(fd);
	loaded = config_load(&source, &errors);
	unlink(name);
	assert_non_null(loaded);
	return loaded;
}

static bool has(char *const *list, const char *text)
{
	while (*list && strcmp(*list, text) != 0)
		list++;
	return *list != NULL;
}

static void texts_follow_what_is_in_force(void **state)
{
	const struct address_book *book;
	const struct service_config *service;

	(void)state;
	config = load_following();
	book = config->addresses;
	service = &config->services[0];
	assert_string_equal(service->argv[1], "a:6379");
	assert_true(address_choose(book, 0, 1, NULL, 0));
	assert_false(address_choose(book, 0, 1, "", 5));
	assert_string_equal(service->argv[1], "[fd00::1]:7");
	assert_string_equal(service->argv[2], "7");
	assert_true(has(service->environment, "A=<[fd00::1]:7|o:1>"));
	assert_true(has(service->environment, "B=<fd00::1>"));
	assert_true(has(config->common_environment, "MUSTER_ADDRESS_REDIS=[fd00::1]:7"));
	assert_true(has(config->common_environment, "URL=redis://[fd00::1]:7/0"));
	assert_true(has(config->common_environment, "RAW=fd00::1"));
	assert_true(address_choose(book, 0, 2, "pod-3.x", 7000));
	assert_string_equal(service->argv[1], "pod-3.x:7000");
	assert_true(has(config->common_environment, "MUSTER_ADDRESS_OTHER=o:1"));
	assert_int_equal(service->address_count, 2);
}

/* The longest host and port fit into every text. */
static void texts_have_room(void **state)
{
	char host[HOST_SIZE];

	(void)state;
	config = load_following();
	memset(host, ':', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	assert_true(address_choose(config->addresses, 0, 0, host, 65535));
	assert_true(address_choose(config->addresses, 1, 0, host, 65534));
	assert_int_equal(strlen(config->services[0].argv[1]), 255 + 2 + 6);
	assert_int_equal(strlen(config->services[0].environment[0]), 2 * (255 + 2 + 6) + 5);
}

/* A reload compares like with like: what is in force is carried over where it is still offered. */
static void choices_are_carried_over(void **state)
{
	struct config *old;

	(void)state;
	old = load_following();
	config = load_following();
	address_choose(old->addresses, 0, 1, NULL, 0);
	assert_false(service_config_equal(old, &old->services[0], config, &config->services[0]));
	address_adopt(config->addresses, old->addresses);
	assert_true(service_config_equal(old, &old->services[0], config, &config->services[0]));
	config_free(old);
}

static void hosts_from_elsewhere(void **state)
{
	char host[8] = "redis-1";

	(void)state;
	assert_true(address_host_valid(host, sizeof(host)));
	assert_false(address_host_valid(host, 7));
	assert_true(address_host_valid("fe80::1%eth0", 13));
	assert_true(address_host_valid("", 1));
	assert_false(address_host_valid("a b", 4));
	assert_false(address_host_valid("a\nb", 4));
	assert_false(address_host_valid("a/b", 4));
	assert_false(address_host_valid("\xff\xfe"
					"a0000",
					8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints),
		cmocka_unit_test(endpoints_are_written_with_brackets),
		cmocka_unit_test(urls),
		cmocka_unit_test(urls_are_shown_without_secrets),
		cmocka_unit_test_teardown(the_mode_chooses_the_entry, drop),
		cmocka_unit_test_teardown(an_explicit_variable_alone_counts, drop),
		cmocka_unit_test_teardown(an_entry_goes_on_behind_the_explicit_variable, drop),
		cmocka_unit_test_teardown(a_port_from_the_environment_is_told, drop),
		cmocka_unit_test_teardown(a_bad_explicit_variable_is_no_other_address, drop),
		cmocka_unit_test_teardown(links_come_behind_the_entry, drop),
		cmocka_unit_test_teardown(an_unset_variable_in_an_entry_is_passed_over, drop),
		cmocka_unit_test_teardown(texts_follow_what_is_in_force, drop),
		cmocka_unit_test_teardown(texts_have_room, drop),
		cmocka_unit_test_teardown(choices_are_carried_over, drop),
		cmocka_unit_test(hosts_from_elsewhere),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
