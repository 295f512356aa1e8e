/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "ports.h"
#include "str.h"

#define LOOK_BEHIND 256
#define WORDS_MAX   3

/* What stands before a literal, and around it. */
struct context {
	const struct scan_place *place;
	const char *text;
	struct scan_hit *hit;
	size_t from;                           /* how far back we look */
	size_t end;                            /* behind the literal */
	char words[WORDS_MAX][SCAN_WORD_SIZE]; /* the nearest first */
	unsigned word_count;
};

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_' || c == '-';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* ---- words ---- */

/* The last identifier in text[from, at); moves `at` before it. */
static void word_before(const char *text, size_t from, size_t *at, char out[SCAN_WORD_SIZE])
{
	size_t end = *at, start, len;

	out[0] = '\0';
	while (end > from && (!is_word(text[end - 1]) || text[end - 1] == '-'))
		end--;
	start = end;
	while (start > from && is_word(text[start - 1]))
		start--;
	*at = start;
	while (start < end && text[start] == '-')
		start++;
	len = end - start;
	if (!len || len >= SCAN_WORD_SIZE)
		return;
	memcpy(out, text + start, len);
	out[len] = '\0';
}

void scan_word_before(const char *text, size_t from, size_t at, char out[SCAN_WORD_SIZE])
{
	do
		word_before(text, from, &at, out);
	while (at > from && out[0] && strspn(out, "0123456789") == strlen(out));
}

static bool list_has(const char *list, const char *part, size_t len)
{
	char wanted[SCAN_WORD_SIZE + 3];

	if (!len || len >= SCAN_WORD_SIZE)
		return false;
	wanted[0] = ' ';
	memcpy(wanted + 1, part, len);
	wanted[len + 1] = ' ';
	wanted[len + 2] = '\0';
	return strcasestr(list, wanted) != NULL;
}

/* Where the part of an identifier that begins at `at` ends: before _ - and a change to capitals. */
static size_t part_length(const char *at)
{
	size_t len = 0;

	while (at[len] && at[len] != '_' && at[len] != '-' && !is_digit(at[len])) {
		if (len && is_upper(at[len]) && is_lower(at[len - 1]))
			break;
		len++;
	}
	return len;
}

bool scan_word_has(const char *word, const char *list)
{
	size_t len;

	for (; *word; word += len ? len : 1) {
		len = part_length(word);
		if (list_has(list, word, len))
			return true;
	}
	return false;
}

static void collect_words(struct context *c)
{
	size_t at = c->hit->left;

	while (c->word_count < WORDS_MAX && at > c->from) {
		char *word = c->words[c->word_count];

		word_before(c->text, c->from, &at, word);
		if (word[0] && strspn(word, "0123456789") != strlen(word))
			c->word_count++;
	}
	if (!c->word_count && c->place->carried[0]) {
		memcpy(c->words[0], c->place->carried, SCAN_WORD_SIZE);
		c->word_count = 1;
	}
}

static bool has_word(const struct context *c, unsigned nearest, const char *list)
{
	for (unsigned i = 0; i < c->word_count && i < nearest; i++)
		if (scan_word_has(c->words[i], list))
			return true;
	return false;
}

/* ---- surroundings ---- */

/* The byte that stands so many places before the literal, or a line break. */
static char before(const struct context *c, size_t back)
{
	return c->hit->left - c->place->line_at >= back ? c->text[c->hit->left - back] : '\n';
}

static char behind(const struct context *c, size_t on)
{
	return c->end + on < c->place->line_end ? c->text[c->end + on] : '\n';
}

static bool line_mentions(const struct context *c, const char *what)
{
	return memmem(c->text + c->from, c->hit->left - c->from, what, strlen(what)) != NULL;
}

/* ==1.2.3.4, >=1.2.3.4, ^1.2.3.4, ~1.2.3.4 */
static bool is_compared(const struct context *c)
{
	char last = before(c, 1), first = before(c, 2);

	return last == '^' || last == '~' ||
	       (last == '=' &&
		(first == '=' || first == '>' || first == '<' || first == '~' || first == '!'));
}

/* Chrome/1.2.3.4; /dev/tcp/1.2.3.4 is an address. */
static bool is_product(const struct context *c)
{
	char word[SCAN_WORD_SIZE];

	if (before(c, 1) != '/' || !is_word(before(c, 2)) || is_digit(before(c, 2)))
		return false;
	scan_word_before(c->text, c->from, c->hit->left - 1, word);
	return !list_has(" tcp udp ip ip4 ip6 ", word, strlen(word));
}

#define VERSION_WORDS                                                                              \
	" version versions ver vers release releases released rev revision oid oids mib snmp "     \
	"firmware "
#define LOOSE_VERSION_WORDS                                                                        \
	" v build tag since patch patched update updated upgrade upgraded downgrade section "      \
	"sections "                                                                                \
	"sec chapter figure fig table clause paragraph appendix rfc schema sdk driver require "    \
	"requires required package pkg semver changelog minimum maximum step "

/* The tag of an image, image: app:1.2.3.4; a part of a path, https://cdn/lib@1.2.3.4/. */
static bool is_tag(const struct context *c)
{
	size_t at = c->hit->left;

	if (before(c, 1) == ':' && is_word(before(c, 2)))
		return line_mentions(c, "image") || line_mentions(c, "IMAGE") ||
		       line_mentions(c, "FROM ") || line_mentions(c, "docker ") ||
		       line_mentions(c, "podman ");
	if (before(c, 1) != '@')
		return false;
	while (at > c->from && !strchr(" \t\"'`<(", c->text[at - 1]))
		at--;
	return memmem(c->text + at, c->hit->left - at, "://", 3) != NULL;
}

/* 10/8, 172.16/12, 192.168/16, 100.64/10, 169.254/16: no version is likely to look like that. */
static bool is_private(uint32_t number)
{
	return number >> 24 == 10 || number >> 20 == 0xac1 || number >> 16 == 0xc0a8 ||
	       number >> 22 == 0x191 || number >> 16 == 0xa9fe;
}

static bool is_version(const struct context *c, uint32_t number)
{
	bool private = is_private(number);

	if (c->hit->port || c->hit->scheme[0])
		return false;
	if ((number & 0xffffff) == 0 && behind(c, 0) != '/')
		return true;
	if (is_compared(c) || is_product(c) || is_tag(c))
		return true;
	if (behind(c, 0) == '-' && !is_digit(behind(c, 1)))
		return true;
	if (before(c, 1) == '@' && (line_mentions(c, "npm ") || line_mentions(c, "npx ") ||
				    line_mentions(c, "yarn ") || line_mentions(c, "install ")))
		return true;
	if (before(c, 1) == '=' && line_mentions(c, "install "))
		return true;
	if (has_word(c, 1, SCAN_HOST_WORDS))
		return false;
	if (has_word(c, private ? 1 : WORDS_MAX, VERSION_WORDS))
		return true;
	if (c->place->text->kind == KIND_PACKAGES)
		return !private;
	return !private && (has_word(c, 1, LOOSE_VERSION_WORDS) || line_mentions(c, "\xc2\xa7"));
}

/* Object identifiers of four arcs that occur: below 1.3, X.500's attributes and extensions, and
 * those of certificate authorities. */
static bool is_oid(const struct context *c, uint32_t number)
{
	if (c->hit->port || c->hit->scheme[0])
		return false;
	return number >> 16 == 0x0103 || number >> 16 == 0x0205 || number >> 8 == 0x02178c;
}

/* Most netmasks are beyond all addresses anyway. */
static bool is_netmask(const struct context *c)
{
	return !c->hit->port && has_word(c, 1, " mask masks netmask netmasks submask subnetmask ");
}

/* NUMBER/BITS whose host part is empty. */
static bool is_network(const struct context *c, uint32_t number)
{
	unsigned bits = 0, digits = 0;

	if (behind(c, 0) != '/')
		return false;
	while (digits < 3 && is_digit(behind(c, 1 + digits)))
		bits = bits * 10 + (unsigned)(behind(c, 1 + digits++) - '0');
	if (!digits || bits > 32 || is_word(behind(c, 1 + digits)))
		return behind(c, 1) == '2' && behind(c, 2) == '5' &&
		       behind(c, 3) == '5'; /* a mask */
	return bits < 32 && (number & (bits ? UINT32_MAX >> bits : UINT32_MAX)) == 0;
}

#define BIND_WORDS                                                                                 \
	" bind binds binding listen listens listening listener serve serving server run ports "    \
	"publish "                                                                                 \
	"expose interface listenandserve createserver "

/* PORT:PORT behind the address: an interface of this machine in Docker's ports. */
static bool is_published(const struct context *c)
{
	return c->hit->port && behind(c, 0) == ':' && is_digit(behind(c, 1));
}

static enum scan_class judge_loopback(const struct context *c)
{
	const struct scan_text *text = c->place->text;

	if (is_published(c) || (!c->hit->scheme[0] && has_word(c, WORDS_MAX, BIND_WORDS)) ||
	    strcasecmp(c->hit->scheme, "bind") == 0)
		return SCAN_BIND;
	if (text->known && c->hit->port && text->known(text->user, c->hit->host, c->hit->port))
		return SCAN_ADDRESS;
	return SCAN_LOOPBACK;
}

static enum scan_class judge_v4(const struct context *c, uint32_t number)
{
	if (number == 0)
		return SCAN_BIND;
	if (number >> 24 == 127)
		return judge_loopback(c);
	if (number >> 8 == 0xc00002 || number >> 8 == 0xc63364 || number >> 8 == 0xcb0071)
		return SCAN_DOCUMENTATION;
	if (number >> 28 == 14 || (number & 0xffff) == 0 || is_network(c, number) ||
	    has_word(c, 1, " subnet cidr network networks "))
		return SCAN_NETWORK;
	return is_published(c) ? SCAN_BIND : SCAN_ADDRESS;
}

/* False: something else that looks like it. */
static bool judge_number(const struct context *c)
{
	struct in_addr number;
	uint32_t value;

	if (inet_pton(AF_INET, c->hit->host, &number) != 1)
		return false;
	value = ntohl(number.s_addr);
	if ((value && value >> 24 == 0) || value >> 28 == 15 || is_netmask(c) || is_oid(c, value) ||
	    is_version(c, value))
		return false;
	c->hit->class = judge_v4(c, value);
	return true;
}

/* ---- IPv6 ---- */

static bool all_zero(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i])
			return false;
	return true;
}

/* What stands in no brackets, quotes or value may be a::b of C++, a slice or a time. */
static bool is_scope(const struct context *c)
{
	const char *host = c->hit->host;
	size_t first = strspn(host, "0123456789abcdefABCDEF");
	bool apart = before(c, 1) == '[' &&
		     (is_word(before(c, 2)) || before(c, 2) == ']' || before(c, 2) == ')');

	if (apart || before(c, 1) == '&' || before(c, 1) == '*')
		return true;
	if (c->hit->bracketed)
		return is_word(before(c, 1)) || before(c, 1) == ']';
	if (c->place->text->kind != KIND_SHELL &&
	    (scan_syntax_of(c->place->text->kind) & SYNTAX_CODE) && !c->hit->quote)
		return true;
	return first != 4 && strncmp(host, "::", 2) != 0 && !strstr(host, "ff9b:");
}

static bool is_v6_network(const struct context *c, const uint8_t *bytes)
{
	unsigned bits = 0, digits = 0;

	if (behind(c, 0) != '/')
		return false;
	while (digits < 3 && is_digit(behind(c, 1 + digits)))
		bits = bits * 10 + (unsigned)(behind(c, 1 + digits++) - '0');
	if (!digits || bits >= 128)
		return false;
	for (unsigned bit = bits; bit < 128; bit++)
		if (bytes[bit / 8] & (0x80u >> bit % 8))
			return false;
	return true;
}

static bool judge_v6(const struct context *c)
{
	uint8_t bytes[16];
	unsigned first;

	if (inet_pton(AF_INET6, c->hit->host, bytes) != 1 || is_scope(c))
		return false;
	first = (unsigned)(bytes[0] << 8 | bytes[1]);
	if (all_zero(bytes, 15) && bytes[15] < 2) {
		/* two colons alone are more than an address in most languages */
		if (!c->hit->bracketed && !bytes[15])
			return false;
		c->hit->class = bytes[15] ? judge_loopback(c) : SCAN_BIND;
		return true;
	}
	if (first == 0x2001 && bytes[2] == 0x0d && bytes[3] == 0xb8)
		c->hit->class = SCAN_DOCUMENTATION;
	else if (first == 0x3fff && bytes[2] < 0x10)
		c->hit->class = SCAN_DOCUMENTATION;
	else if (first >> 8 == 0xff || is_v6_network(c, bytes))
		c->hit->class = SCAN_NETWORK;
	else if (first >> 13 == 1 || first >> 9 == 0x7e || first >> 6 == 0x3fa || first == 0x64 ||
		 (all_zero(bytes, 10) && bytes[10] == 0xff && bytes[11] == 0xff))
		c->hit->class = SCAN_ADDRESS;
	else
		return false;
	return true;
}

/* ---- names ---- */

static bool has_ending(const char *host, const char *list)
{
	const char *dot = strrchr(host, '.');

	return dot && list_has(list, dot + 1, strlen(dot + 1));
}

static bool is_example(const char *host)
{
	static const char *const kept[] = {"example.com", "example.org", "example.net"};
	size_t len = strlen(host), end;

	for (size_t i = 0; i < 3; i++) {
		end = strlen(kept[i]);
		if (len >= end && strcasecmp(host + len - end, kept[i]) == 0 &&
		    (len == end || host[len - end - 1] == '.'))
			return true;
	}
	return has_ending(host, " example invalid ") ||
	       list_has(" host hostname myhost yourhost server domain address ", host, len);
}

#define NETWORK_ENDINGS                                                                            \
	" internal local lan svc cluster home corp intranet net com org io dev cloud de eu ai "    \
	"app test "                                                                                \
	"localdomain "
#define FILE_ENDINGS                                                                               \
	" py js ts c h cc cpp hpp go rs java kt rb php pl sh yml yaml json ini toml conf cfg xml " \
	"html "                                                                                    \
	"css md txt log so sql lua proto tar gz zip "

/* In code a name stands in a string; elsewhere it is a value or a word. */
static bool stands_as_value(const struct context *c)
{
	char first = before(c, 1), last = behind(c, 0);
	bool code = scan_syntax_of(c->place->text->kind) & SYNTAX_CODE;

	if (code && !c->hit->quote)
		return false;
	return strchr("\"'`=, \t\n[(@", first) && strchr("\"'`, \t\n\r])/;\\", last);
}

static bool has_capital(const char *host)
{
	while (*host && !is_upper(*host))
		host++;
	return *host != '\0';
}

/* Where services that are reached over HTTP usually are. */
static bool is_usual_port(uint16_t port)
{
	static const uint16_t usual[] = {2379, 3000, 5000, 8000, 8001, 8080, 8081,
					 8088, 8123, 8200, 8443, 8500, 8765, 8888,
					 9000, 9001, 9091, 9100, 9180, 9200, 11434};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i] == port)
			return true;
	return false;
}

/* Whether NAME:PORT is the address of a service and no tag, time, line or size. */
static bool judge_name(const struct context *c)
{
	const struct scan_hit *hit = c->hit;
	const struct scan_text *text = c->place->text;
	bool known = text->known && text->known(text->user, hit->host, hit->port);
	bool dotted = strchr(hit->host, '.') != NULL;

	if (!known && (strchr(hit->host, '_') || (!dotted && has_capital(hit->host))))
		return false;
	if (hit->scheme[0])
		return true;
	if (!stands_as_value(c) || has_ending(hit->host, FILE_ENDINGS) ||
	    has_word(c, 1, " image images from tag tags platform ") || text->kind == KIND_PACKAGES)
		return false;
	if (known)
		return true;
	/* a key and its value, as in JSON and YAML without a blank */
	if (dotted && (has_ending(hit->host, NETWORK_ENDINGS)) && hit->port >= 22)
		return true;
	if ((port_service(hit->port) || is_usual_port(hit->port)) && !strchr(":;", behind(c, 0)))
		return true;
	return hit->port >= 80 && has_word(c, 1, SCAN_HOST_WORDS);
}

static bool is_loopback_name(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "ip6-localhost") == 0 ||
	       has_ending(host, " localhost ");
}

/* ---- the whole ---- */

#define DEFINED_WORDS " ipv4_address ipv6_address ipv4 ipv6 subnet gateway extra_hosts ip_range "

bool scan_judge(const struct scan_place *place, struct scan_hit *hit)
{
	size_t behind_line = hit->left - place->line_at;
	struct context c = {.place = place, .text = place->text->bytes, .hit = hit};
	bool good;

	c.from = behind_line > LOOK_BEHIND ? hit->left - LOOK_BEHIND : place->line_at;
	c.end = hit->at + hit->len;
	collect_words(&c);
	if (c.word_count)
		memcpy(hit->word, c.words[0], SCAN_WORD_SIZE);
	if (!hit->number)
		good = judge_name(&c);
	else
		good = strchr(hit->host, ':') ? judge_v6(&c) : judge_number(&c);
	if (!good)
		return false;
	if (!hit->number)
		hit->class = is_loopback_name(hit->host) ? judge_loopback(&c)
			     : is_example(hit->host)     ? SCAN_DOCUMENTATION
							 : SCAN_ADDRESS;
	hit->fixed_by_file = list_has(DEFINED_WORDS, hit->word, strlen(hit->word));
	if (place->text->marks[hit->at] == MARK_COMMENT && hit->class != SCAN_DOCUMENTATION)
		hit->class = SCAN_COMMENT;
	return true;
}

const char *scan_class_name(enum scan_class class)
{
	static const char *const names[] = {"address", "bind",          "loopback",
					    "comment", "documentation", "network"};

	return names[class];
}
