/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "arena.h"
#include "config.h"
#include "ctl.h"
#include "load.h"
#include "log.h"
#include "ports.h"
#include "table.h"

#define NONE         UINT32_MAX
#define MODE_SETTING "MUSTER_MODE="

/* One place where an address may be, in some mode. */
struct entry {
	const char *name, *mode;
	uint16_t port;
	uint32_t next; /* with the same host */
};

struct scan_book {
	struct arena *arena;
	struct config *configs[MODE_COUNT]; /* what the texts lie in */
	struct table *hosts;                /* as canonical_host writes them -> first entry */
	struct entry *entries;
	uint32_t count;
	const char *services[65536]; /* per port: the address that alone has it, or ambiguous */
};

static const char ambiguous[] = "";

/* Small letters; an IPv6 address in its shortest form. */
static size_t canonical_host(const char *host, char out[HOST_SIZE])
{
	struct in6_addr number;
	size_t len = strlen(host);

	if (inet_pton(AF_INET6, host, &number) == 1 && inet_ntop(AF_INET6, &number, out, HOST_SIZE))
		return strlen(out);
	for (size_t i = 0; i <= len; i++)
		out[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] + 32 : host[i]);
	return len;
}

/* ---- reading ---- */

static bool ends_with(const char *text, size_t len, const char *ending)
{
	size_t size = strlen(ending);

	return len >= size && memcmp(text + len - size, ending, size) == 0;
}

/* What says for this machine alone where things are would hide what the modes say. */
static bool hides_modes(const char *setting)
{
	size_t len = strcspn(setting, "=");

	return ends_with(setting, len, "_HOST") || ends_with(setting, len, "_URL") ||
	       ends_with(setting, len, "_ADDR") || ends_with(setting, len, "_PORT") ||
	       strncmp(setting, MODE_SETTING, strlen(MODE_SETTING)) == 0;
}

static char **environment_of_mode(struct arena *arena, unsigned mode)
{
	const char *name = mode_name(mode);
	size_t count = 0, kept = 0;
	char **copy, *setting;

	while (environ[count])
		count++;
	copy = arena_array(arena, count + 2, sizeof(*copy));
	setting = arena_alloc(arena, strlen(MODE_SETTING) + strlen(name) + 1);
	if (!copy || !setting)
		return NULL;
	memcpy(setting, MODE_SETTING, strlen(MODE_SETTING));
	memcpy(setting + strlen(MODE_SETTING), name, strlen(name) + 1);
	for (size_t i = 0; i < count; i++)
		if (!hides_modes(environ[i]))
			copy[kept++] = environ[i];
	copy[kept] = setting;
	return copy;
}

static bool add_host(struct scan_book *book, const char *host, const struct entry *entry)
{
	char canonical[HOST_SIZE];
	size_t len = canonical_host(host, canonical);
	const char *kept = arena_strndup(book->arena, canonical, len);
	struct table_entry *slot = kept ? table_add(book->hosts, kept, len) : NULL;

	if (!slot)
		return false;
	book->entries[book->count] = *entry;
	book->entries[book->count].next = slot->value == TABLE_NEW ? NONE : slot->value;
	slot->value = book->count++;
	return true;
}

static void add_port(struct scan_book *book, uint16_t port, const char *name)
{
	const char **service = &book->services[port];

	if (!*service)
		*service = name;
	else if (strcmp(*service, name) != 0)
		*service = ambiguous;
}

static bool add_mode(struct scan_book *book, const struct address_book *addresses)
{
	for (uint32_t i = 0; i < addresses->count; i++) {
		const struct address_entry *address = &addresses->entries[i];

		for (uint32_t n = 0; n < address->count; n++) {
			const struct address_candidate *candidate = &address->candidates[n];
			const struct entry entry = {address->name, addresses->mode, candidate->port,
						    NONE};

			add_port(book, candidate->port, address->name);
			if (!add_host(book, candidate->host, &entry))
				return false;
		}
	}
	return true;
}

static uint32_t count_candidates(const struct scan_book *book)
{
	uint32_t count = 0;

	for (unsigned mode = 0; mode < MODE_COUNT; mode++)
		for (uint32_t i = 0;
		     book->configs[mode] && i < book->configs[mode]->addresses->count; i++)
			count += book->configs[mode]->addresses->entries[i].count;
	return count;
}

static bool fill(struct scan_book *book)
{
	uint32_t count = count_candidates(book);

	book->entries = arena_array(book->arena, count ? count : 1, sizeof(*book->entries));
	book->hosts = table_create(book->arena);
	if (!book->entries || !book->hosts)
		return false;
	for (unsigned mode = 0; mode < MODE_COUNT; mode++)
		if (book->configs[mode] && !add_mode(book, book->configs[mode]->addresses))
			return false;
	return true;
}

/* One configuration a mode. A mode that cannot be read, as it asks for variables that are not set
 * here, is said and passed over. */
static bool load_modes(struct scan_book *book, const struct ctl *ctl)
{
	const char *const *files = ctl->config_count ? ctl->configs : NULL;
	struct config_source source = {.files = files, .lenient_users = true};
	struct config_errors errors;
	unsigned loaded = 0;

	for (unsigned mode = 0; mode < MODE_COUNT; mode++) {
		errors = (struct config_errors){0};
		source.environment = environment_of_mode(book->arena, mode);
		if (!source.environment)
			return false;
		book->configs[mode] = config_load(&source, &errors);
		if (book->configs[mode])
			loaded++;
		else
			log_warning("the addresses of mode %s are not known: %s", mode_name(mode),
				    errors.kept ? errors.text[0] : "no memory");
		config_errors_free(&errors);
	}
	return loaded > 0;
}

static bool is_configured(const struct ctl *ctl)
{
	struct stat status;
	const char *named = getenv("MUSTER_CONFIG");

	return ctl->config_count || (named && *named) || stat(CONFIG_DEFAULT_FILE, &status) == 0;
}

struct scan_book *scan_book_load(const struct ctl *ctl)
{
	struct scan_book *book = calloc(1, sizeof(*book));
	bool good = book && (book->arena = arena_create());

	if (good && is_configured(ctl) && !load_modes(book, ctl)) {
		scan_book_free(book);
		return NULL;
	}
	if (good && fill(book))
		return book;
	log_error("no memory");
	scan_book_free(book);
	return NULL;
}

void scan_book_free(struct scan_book *book)
{
	if (!book)
		return;
	for (unsigned mode = 0; mode < MODE_COUNT; mode++)
		config_free(book->configs[mode]);
	arena_destroy(book->arena);
	free(book);
}

uint32_t scan_book_count(const struct scan_book *book)
{
	return book->count;
}

/* ---- asking ---- */

static const struct entry *first_with_host(const struct scan_book *book, const char *host)
{
	char canonical[HOST_SIZE];
	size_t len = canonical_host(host, canonical);
	const struct table_entry *slot = table_find(book->hosts, canonical, len);

	return slot ? &book->entries[slot->value] : NULL;
}

static const struct entry *next_with_host(const struct scan_book *book, const struct entry *entry)
{
	return entry->next == NONE ? NULL : &book->entries[entry->next];
}

bool scan_book_knows(void *user, const char *host, uint16_t port)
{
	const struct scan_book *book = user;

	for (const struct entry *e = first_with_host(book, host); e; e = next_with_host(book, e))
		if (e->port == port)
			return true;
	return false;
}

/* A letter as it counts in names of variables. */
static char folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + 32);
	return c == '-' || c == '.' ? '_' : c;
}

/* Whether the identifier beside the literal speaks of the address: REDIS_HOST of redis. */
static bool word_names(const char *word, const char *name)
{
	size_t i;

	for (; *word; word++) {
		for (i = 0; name[i] && folded(word[i]) == folded(name[i]); i++)
			;
		if (!name[i])
			return true;
	}
	return false;
}

static void take(struct scan_match *match, const char *name, const char *by, const char *mode)
{
	match->name = name;
	match->by = by;
	match->mode = mode;
}

/* By its host: with the same port, or that whose name stands beside it, or the only one. */
static bool match_value(const struct scan_book *book, const struct scan_hit *hit,
			struct scan_match *match)
{
	const struct entry *best = NULL, *first = first_with_host(book, hit->host);
	bool several = false;

	for (const struct entry *e = first; e; e = next_with_host(book, e)) {
		several |= strcmp(e->name, first->name) != 0;
		if (hit->port ? e->port == hit->port
			      : word_names(hit->word, e->name) ||
					strcasecmp(hit->scheme, e->name) == 0)
			best = e;
	}
	if (!best && !hit->port && !several)
		best = first;
	if (best)
		take(match, best->name, "value", best->mode);
	return best != NULL;
}

static bool match_name(const struct scan_book *book, const struct scan_hit *hit,
		       struct scan_match *match)
{
	const char *service = hit->port ? port_service(hit->port) : NULL;
	size_t best = 0;

	for (uint32_t i = 0; i < book->count; i++) {
		const char *name = book->entries[i].name;
		size_t len = strlen(name);

		if (len > best &&
		    ((hit->word[0] && word_names(hit->word, name)) ||
		     strcasecmp(hit->scheme, name) == 0 || strcasecmp(hit->host, name) == 0 ||
		     (service && strcasecmp(service, name) == 0))) {
			take(match, name, "name", NULL);
			best = len;
		}
	}
	return best > 0;
}

/* The word without what says that it is an address: API_HOST becomes api. */
static void guess_from_word(const char *word, char out[SCAN_WORD_SIZE])
{
	char part[SCAN_WORD_SIZE];
	size_t used = 0, len;

	out[0] = '\0';
	if (!scan_word_has(word, SCAN_HOST_WORDS))
		return;
	for (; *word; word += len + (word[len] != '\0')) {
		len = strcspn(word, "_-");
		memcpy(part, word, len);
		part[len] = '\0';
		if (!len || scan_word_has(part, SCAN_HOST_WORDS))
			continue;
		if (used)
			out[used++] = '-';
		for (size_t i = 0; i < len; i++)
			out[used++] = folded(part[i]);
		out[used] = '\0';
	}
}

/* A name for what the book does not have: of the service, or of the variable. */
static void guess(const struct scan_hit *hit, char out[SCAN_WORD_SIZE])
{
	const char *service = hit->port ? port_service(hit->port) : NULL;

	if (!service && port_well_known(hit->scheme, strlen(hit->scheme)))
		service = hit->scheme;
	if (service && strncasecmp(service, "http", 4) != 0)
		memcpy(out, service, strlen(service) + 1);
	else
		guess_from_word(hit->word, out);
}

void scan_book_match(const struct scan_book *book, const struct scan_hit *hit,
		     struct scan_match *match)
{
	const char *service = hit->port ? book->services[hit->port] : NULL;

	*match = (struct scan_match){0};
	if (match_value(book, hit, match))
		return;
	if (service && *service)
		take(match, service, "port", NULL);
	else if (!match_name(book, hit, match))
		guess(hit, match->guess);
}
