/* SPDX-License-Identifier: MIT */
#include "timeline_svg.h"

#include <inttypes.h>

#include "clock.h"
#include "str.h"
#include "timeline.h"

#define CHART_WIDTH 760U
#define LABEL_WIDTH 180U
#define TOOK_WIDTH  84U
#define ROW_HEIGHT  20U
#define HEAD_HEIGHT 88U
#define LABEL_CHARS 26 /* a longer name is cut; the tooltip has it all */

struct picture {
	FILE *out;
	const struct timeline *timeline;
	uint64_t end; /* ns at the right edge */
};

/* Text and attribute values; control characters have no place in XML. */
static void put_escaped(FILE *out, const char *text, int most)
{
	for (; *text && most; text++, most--) {
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			fputc('?', out);
		else
			fputc(*text, out);
	}
}

/* Tenths of a pixel from the left. */
static unsigned place(const struct picture *picture, uint64_t when)
{
	if (when > picture->end)
		when = picture->end;
	return LABEL_WIDTH * 10 +
	       (unsigned)((double)when / (double)picture->end * CHART_WIDTH * 10);
}

static void put_bar(const struct picture *picture, const char *class, uint64_t from, uint64_t to,
		    unsigned y)
{
	unsigned left = place(picture, from), right = place(picture, to);
	unsigned width = right > left + 10 ? right - left : 10; /* at least one pixel */

	fprintf(picture->out,
		"<rect class=\"%s\" x=\"%u.%u\" y=\"%u\" width=\"%u.%u\" height=\"%u\" "
		"rx=\"3\"/>\n",
		class, left / 10, left % 10, y + 4, width / 10, width % 10, ROW_HEIGHT - 8);
}

/* A step that gives four to ten lines: 1, 2 or 5 times a power of ten. */
static uint64_t grid_step(uint64_t end)
{
	uint64_t step = 1;

	while (end / step > 10) {
		if (end / (step * 2) <= 10)
			return step * 2;
		if (end / (step * 5) <= 10)
			return step * 5;
		step *= 10;
	}
	return step;
}

static void put_grid(const struct picture *picture, unsigned bottom)
{
	uint64_t step = grid_step(picture->end), count = picture->end / step;
	char label[24];
	unsigned x;

	for (uint64_t i = 0; i <= count; i++) {
		uint64_t when = i * step;

		x = place(picture, when) / 10;
		format_duration(label, sizeof(label), when);
		fprintf(picture->out,
			"<line class=\"g\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>"
			"<text class=\"t\" x=\"%u\" y=\"%u\">%s</text>\n",
			x, HEAD_HEIGHT - 4, x, bottom, x, HEAD_HEIGHT - 8, label);
	}
}

static void put_tooltip(FILE *out, const struct timeline *timeline,
			const struct timeline_entry *entry, const char *took)
{
	fputs("<title>", out);
	put_escaped(out, entry->name, -1);
	fprintf(out, ": %s, %s", state_name(entry->state), took);
	if (entry->last_dep >= 0) {
		fputs(", waited last for ", out);
		put_escaped(out, timeline->entries[entry->last_dep].name, -1);
	}
	fputs("</title>", out);
}

static const char *bar_class(const struct timeline_entry *entry)
{
	if (entry->critical)
		return "c";
	if (entry->ready_at)
		return "s";
	return entry->failed_at ? "f" : "u";
}

static void put_row(const struct picture *picture, const struct timeline_entry *entry, unsigned y,
		    uint64_t until)
{
	uint64_t end = timeline_entry_end(entry, until);
	uint64_t begin = entry->start_begin ? entry->start_begin : end;
	FILE *out = picture->out;
	char took[24] = "not started";

	if (entry->start_begin)
		format_duration(took, sizeof(took), end > begin ? end - begin : 0);
	fputs("<g>", out);
	put_tooltip(out, picture->timeline, entry, took);
	fprintf(out, "<text class=\"n%s\" x=\"%u\" y=\"%u\">", entry->critical ? " c" : "",
		LABEL_WIDTH - 8, y + ROW_HEIGHT - 6);
	put_escaped(out, entry->name, LABEL_CHARS);
	fputs("</text>\n", out);
	if (begin > entry->wait_begin)
		put_bar(picture, "w", entry->wait_begin, begin, y);
	if (entry->start_begin)
		put_bar(picture, bar_class(entry), begin, end, y);
	fprintf(out, "<text class=\"d\" x=\"%u\" y=\"%u\">%s</text></g>\n",
		LABEL_WIDTH + CHART_WIDTH + 8, y + ROW_HEIGHT - 6, took);
}

/* Paper and ink follow what the reader's system prefers. */
static const char style[] =
	"<style>\n"
	"svg{--p:#fff;--i:#1f2328;--m:#6a737d;--g:#eaecef;--w:#d5dae1;--s:#4c8dd6;--c:#d8572a;"
	"--u:#d9a520;--f:#7d4450}\n"
	"@media(prefers-color-scheme:dark){svg{--p:#16191d;--i:#e3e6ea;--m:#9aa3ad;--g:#2a2f36;"
	"--w:#3d444d;--s:#5b9ae0;--c:#f0764a;--u:#e3b341;--f:#b5697a}}\n"
	"text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:var(--i)}\n"
	".h{font-size:15px;font-weight:600}.m,.t,.d{fill:var(--m)}.t{text-anchor:middle}\n"
	".t,.d{font-size:11px;font-variant-numeric:tabular-nums}\n"
	".n{text-anchor:end}text.c{fill:var(--c);font-weight:600}\n"
	".p{fill:var(--p)}.g{stroke:var(--g)}rect.w{fill:var(--w)}rect.s{fill:var(--s)}"
	"rect.c{fill:var(--c)}rect.u{fill:var(--u)}rect.f{fill:var(--f)}\n"
	"g:hover text{font-weight:600}\n"
	"</style>\n";

static void put_head(const struct picture *picture, const char *host, unsigned height)
{
	unsigned width = LABEL_WIDTH + CHART_WIDTH + TOOK_WIDTH;
	const struct timeline *timeline = picture->timeline;
	char total[24], critical[24], sequential[24];
	FILE *out = picture->out;

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\" role=\"img\">\n<title>Start-up of ",
		width, height, width, height);
	put_escaped(out, host, -1);
	fputs("</title>\n", out);
	fputs(style, out);
	fputs("<rect class=\"p\" width=\"100%\" height=\"100%\" rx=\"8\"/>\n", out);
	fputs("<text class=\"h\" x=\"16\" y=\"26\">", out);
	put_escaped(out, host, 63);
	fprintf(out,
		"</text>\n<text class=\"m\" x=\"%u\" y=\"26\">%" PRIu32
		" services, ready after %s; critical "
		"path %s; one after another %s</text>\n",
		LABEL_WIDTH, timeline->count,
		format_duration(total, sizeof(total), timeline->total),
		format_duration(critical, sizeof(critical), timeline->critical),
		format_duration(sequential, sizeof(sequential), timeline->sequential));
}

static void put_legend(const struct picture *picture)
{
	static const struct {
		const char *class, *word;
	} kinds[] = {{"w", "waiting"},
		     {"s", "starting"},
		     {"c", "starting, critical path"},
		     {"u", "not ready yet"},
		     {"f", "failed"}};
	unsigned x = LABEL_WIDTH, i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++, x += 165)
		fprintf(picture->out,
			"<rect class=\"%s\" x=\"%u\" y=\"42\" width=\"12\" height=\"12\" rx=\"3\"/>"
			"<text class=\"m\" x=\"%u\" y=\"52\">%s</text>\n",
			kinds[i].class, x, x + 18, kinds[i].word);
}

void timeline_svg(FILE *out, const struct timeline *timeline, uint64_t until, const char *host)
{
	struct picture picture = {.out = out, .timeline = timeline};
	unsigned bottom = HEAD_HEIGHT + timeline->count * ROW_HEIGHT;
	uint32_t i;

	picture.end = until > timeline->total ? until : timeline->total;
	if (!picture.end)
		picture.end = NSEC_PER_MSEC;
	put_head(&picture, host, bottom + 16);
	put_legend(&picture);
	put_grid(&picture, bottom);
	for (i = 0; i < timeline->count; i++)
		put_row(&picture, &timeline->entries[i], HEAD_HEIGHT + i * ROW_HEIGHT, until);
	fputs("</svg>\n", out);
}
