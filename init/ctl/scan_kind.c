/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <fnmatch.h>
#include <string.h>

static const struct {
	const char *pattern;
	enum scan_kind kind;
} by_name[] = {
	/* the first that matches counts */
	{"package-lock.json", KIND_SKIPPED},
	{"npm-shrinkwrap.json", KIND_SKIPPED},
	{"*.lock", KIND_SKIPPED},
	{"*.lockb", KIND_SKIPPED},
	{"pnpm-lock.yaml", KIND_SKIPPED},
	{"go.sum", KIND_SKIPPED},
	{"*.min.js", KIND_SKIPPED},
	{"*.min.css", KIND_SKIPPED},
	{"*.map", KIND_SKIPPED},
	{"*.svg", KIND_SKIPPED},
	{"*.log", KIND_SKIPPED},
	{"*.css", KIND_SKIPPED},
	{"*.diff", KIND_SKIPPED},
	{"*.patch", KIND_SKIPPED},
	{"package.json", KIND_PACKAGES},
	{"bower.json", KIND_PACKAGES},
	{"composer.json", KIND_PACKAGES},
	{"requirements*.txt", KIND_PACKAGES},
	{"constraints*.txt", KIND_PACKAGES},
	{"Pipfile", KIND_PACKAGES},
	{"environment.y*ml", KIND_PACKAGES},
	{"Cargo.toml", KIND_PACKAGES},
	{"go.mod", KIND_PACKAGES},
	{"Gemfile", KIND_PACKAGES},
	{"*.gemspec", KIND_PACKAGES},
	{"*.csproj", KIND_PACKAGES},
	{"pom.xml", KIND_PACKAGES},
	{"conanfile.txt", KIND_PACKAGES},
	{"vcpkg.json", KIND_PACKAGES},
	{"*compose*.y*ml", KIND_COMPOSE},
	{"*.yml", KIND_YAML},
	{"*.yaml", KIND_YAML},
	{".env", KIND_ENV},
	{".env.*", KIND_ENV},
	{"*.env", KIND_ENV},
	{"env.*", KIND_ENV},
	{"Dockerfile*", KIND_DOCKERFILE},
	{"Containerfile*", KIND_DOCKERFILE},
	{"*.dockerfile", KIND_DOCKERFILE},
	{"Makefile*", KIND_CONF},
	{"GNUmakefile", KIND_CONF},
	{"*.mk", KIND_CONF},
	{"Procfile*", KIND_CONF},
	{"*.py", KIND_PYTHON},
	{"*.pyi", KIND_PYTHON},
	{"*.js", KIND_SCRIPT},
	{"*.mjs", KIND_SCRIPT},
	{"*.cjs", KIND_SCRIPT},
	{"*.jsx", KIND_SCRIPT},
	{"*.ts", KIND_SCRIPT},
	{"*.tsx", KIND_SCRIPT},
	{"*.vue", KIND_SCRIPT},
	{"*.c", KIND_C},
	{"*.h", KIND_C},
	{"*.cc", KIND_C},
	{"*.cpp", KIND_C},
	{"*.cxx", KIND_C},
	{"*.hh", KIND_C},
	{"*.hpp", KIND_C},
	{"*.cu", KIND_C},
	{"*.cuh", KIND_C},
	{"*.go", KIND_GO},
	{"*.rs", KIND_RUST},
	{"*.java", KIND_JAVA},
	{"*.kt", KIND_JAVA},
	{"*.kts", KIND_JAVA},
	{"*.scala", KIND_JAVA},
	{"*.groovy", KIND_JAVA},
	{"*.gradle", KIND_JAVA},
	{"*.cs", KIND_JAVA},
	{"*.php", KIND_JAVA},
	{"*.swift", KIND_JAVA},
	{"*.proto", KIND_JAVA},
	{"*.rb", KIND_RUBY},
	{"*.pl", KIND_RUBY},
	{"*.sh", KIND_SHELL},
	{"*.bash", KIND_SHELL},
	{"*.zsh", KIND_SHELL},
	{"*.toml", KIND_TOML},
	{"*.json", KIND_JSON},
	{"*.jsonc", KIND_JSON},
	{"*.json5", KIND_JSON},
	{"*.xml", KIND_XML},
	{"*.html", KIND_PROSE},
	{"*.htm", KIND_PROSE},
	{"*.md", KIND_PROSE},
	{"*.rst", KIND_PROSE},
	{"*.adoc", KIND_PROSE},
	{"*.tex", KIND_PROSE},
	{"*.[1-8]", KIND_PROSE},
	{"LICENSE*", KIND_PROSE},
	{"COPYING*", KIND_PROSE},
	{"CHANGELOG*", KIND_PROSE},
	{"CHANGES*", KIND_PROSE},
	{"README*", KIND_PROSE},
	{"NEWS*", KIND_PROSE},
	{"ChangeLog*", KIND_PROSE},
	{"HISTORY*", KIND_PROSE},
	{"RELEASE*", KIND_PROSE},
	{"AUTHORS*", KIND_PROSE},
	{"copyright", KIND_PROSE},
	{"PKG-INFO", KIND_PROSE},
	{"METADATA", KIND_PROSE},
	{"*.pod", KIND_PROSE},
	{"*.texi", KIND_PROSE},
	{"*.sql", KIND_SQL},
	{"*.lua", KIND_SQL},
	{"supervisord*.conf", KIND_SUPERVISORD},
	{"*.ini", KIND_INI},
	{"*.cfg", KIND_INI},
	{"*.service", KIND_INI},
	{"*.network", KIND_INI},
	{"*.properties", KIND_INI},
	{"*.conf", KIND_CONF},
	{"*.cnf", KIND_CONF},
	{"*.tf", KIND_CONF},
	{"*.hcl", KIND_CONF},
};

/* Whether a line begins with the words. */
static bool has_line(const char *text, size_t size, const char *start)
{
	size_t len = strlen(start);
	const char *at = text, *end = text + size;

	while (at && (size_t)(end - at) >= len) {
		if (memcmp(at, start, len) == 0)
			return true;
		at = memchr(at, '\n', (size_t)(end - at));
		at += at != NULL;
	}
	return false;
}

static enum scan_kind kind_of_ini(const char *text, size_t size)
{
	if (has_line(text, size, "[muster]") || has_line(text, size, "[service:") ||
	    has_line(text, size, "[address:"))
		return KIND_MUSTER;
	return has_line(text, size, "[program:") || has_line(text, size, "[supervisord]")
		       ? KIND_SUPERVISORD
		       : KIND_INI;
}

static enum scan_kind kind_of_yaml(const char *text, size_t size)
{
	if (has_line(text, size, "apiVersion:") && has_line(text, size, "kind:"))
		return KIND_MANIFEST;
	return has_line(text, size, "services:") ? KIND_COMPOSE : KIND_YAML;
}

/* A script without an ending says in its first line what reads it. */
static enum scan_kind kind_of_script(const char *text, size_t size)
{
	const char *end = memchr(text, '\n', size < 200 ? size : 200);
	size_t len = end ? (size_t)(end - text) : 0;

	if (len < 3 || memcmp(text, "#!", 2) != 0)
		return KIND_TEXT;
	if (memmem(text, len, "python", 6))
		return KIND_PYTHON;
	if (memmem(text, len, "node", 4))
		return KIND_SCRIPT;
	return memmem(text, len, "ruby", 4) || memmem(text, len, "perl", 4) ? KIND_RUBY
									    : KIND_SHELL;
}

enum scan_kind scan_kind_of(const char *path, const char *text, size_t size)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	enum scan_kind kind = KIND_TEXT;
	size_t i;

	for (i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++)
		if (fnmatch(by_name[i].pattern, name, 0) == 0) {
			kind = by_name[i].kind;
			break;
		}
	if (kind == KIND_TEXT)
		return kind_of_script(text, size);
	if (kind == KIND_YAML)
		return kind_of_yaml(text, size);
	if (kind == KIND_INI)
		return kind_of_ini(text, size);
	if (kind == KIND_CONF && kind_of_ini(text, size) != KIND_INI)
		return kind_of_ini(text, size);
	return kind;
}

static const struct {
	const char *name;
	unsigned syntax;
} kinds[] = {
	[KIND_TEXT] = {"text", SYNTAX_HASH},
	[KIND_PYTHON] = {"python", SYNTAX_HASH_ANYWHERE | SYNTAX_TRIPLE | SYNTAX_CODE},
	[KIND_SCRIPT] = {"javascript", SYNTAX_SLASHES | SYNTAX_BACKQUOTE | SYNTAX_CODE},
	[KIND_C] = {"c", SYNTAX_SLASHES | SYNTAX_CODE},
	[KIND_GO] = {"go", SYNTAX_SLASHES | SYNTAX_BACKQUOTE | SYNTAX_CODE},
	[KIND_RUST] = {"rust", SYNTAX_SLASHES | SYNTAX_CODE},
	[KIND_JAVA] = {"java", SYNTAX_SLASHES | SYNTAX_TRIPLE | SYNTAX_CODE},
	[KIND_RUBY] = {"ruby", SYNTAX_HASH | SYNTAX_CODE},
	[KIND_SHELL] = {"shell", SYNTAX_HASH},
	[KIND_ENV] = {"env", SYNTAX_HASH},
	[KIND_YAML] = {"yaml", SYNTAX_HASH},
	[KIND_COMPOSE] = {"compose", SYNTAX_HASH},
	[KIND_MANIFEST] = {"kubernetes", SYNTAX_HASH},
	[KIND_INI] = {"ini", SYNTAX_HASH | SYNTAX_SEMICOLON},
	[KIND_MUSTER] = {"muster", SYNTAX_HASH | SYNTAX_SEMICOLON},
	[KIND_SUPERVISORD] = {"supervisord", SYNTAX_HASH | SYNTAX_SEMICOLON},
	[KIND_TOML] = {"toml", SYNTAX_HASH | SYNTAX_TRIPLE},
	[KIND_JSON] = {"json", SYNTAX_SLASHES | SYNTAX_CODE},
	[KIND_XML] = {"xml", SYNTAX_MARKUP},
	[KIND_DOCKERFILE] = {"dockerfile", SYNTAX_HASH},
	[KIND_CONF] = {"conf", SYNTAX_HASH},
	[KIND_SQL] = {"sql", SYNTAX_DASHES},
	[KIND_PACKAGES] = {"packages", SYNTAX_HASH | SYNTAX_MARKUP},
	[KIND_PROSE] = {"prose", SYNTAX_ALL},
	[KIND_SKIPPED] = {"skipped", SYNTAX_ALL},
};

unsigned scan_syntax_of(enum scan_kind kind)
{
	return kinds[kind].syntax;
}

const char *scan_kind_name(enum scan_kind kind)
{
	return kinds[kind].name;
}

bool scan_kind_fixable(enum scan_kind kind)
{
	return kind == KIND_ENV || kind == KIND_YAML || kind == KIND_COMPOSE || kind == KIND_INI ||
	       kind == KIND_MUSTER || kind == KIND_SUPERVISORD;
}
