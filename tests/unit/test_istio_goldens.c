/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_istio_goldens - the plan equals Istio's own golden texts, read in place, byte for byte */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/plan.h"

/* The samples are not part of the program: the test skips where they are absent. */
static const char *samples(void)
{
	static char path[4096];
	static const char *const places[] = { "../shared/istio", "../../shared/istio" };
	const char *given = getenv("ISTIO_SAMPLES");
	char probe[4200];

	if (given)
		return given;
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "%s", places[i]);
		snprintf(probe, sizeof(probe), "%s/goldens/INDEX.tsv", path);
		if (access(probe, R_OK) == 0)
			return path;
	}
	return NULL;
}

static char *slurp(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char *text;
	size_t n;

	if (!f)
		return NULL;
	text = calloc(1, 1 << 20);
	assert_non_null(text);
	n = fread(text, 1, (1 << 20) - 1, f);
	text[n] = '\0';
	return text;
}

/* Field names of the index that differ from the table's, and lists written as [a b]. */
static void set_option(struct istio_config *c, const char *option, struct buf *dns)
{
	static const struct {
		const char *index, *ours;
	} names[] = { { "pod.IngressMode", "IngressMode" }, { "pod.VirtualInterfaces", "RerouteVirtualInterfaces" } };
	struct err e = ERR_INIT;
	char key[64], value[400], text[500];
	const char *equals = strchr(option, '=');
	size_t n;

	assert_non_null(equals);
	snprintf(key, sizeof(key), "%.*s", (int)(equals - option), option);
	snprintf(value, sizeof(value), "%s", equals + 1);
	n = strlen(value);
	if (n >= 2 && (value[0] == '"' || value[0] == '[')) {
		memmove(value, value + 1, n);
		value[n - 2] = '\0';
	}
	if (strncmp(key, "DNSServersV", 11) == 0) {
		buf_fmt(dns, "%s%s", dns->len && value[0] ? "," : "", value);
		return;
	}
	if (strcmp(key, "pod.DNSProxy") == 0) {
		if (strcmp(value, "Unset") == 0)
			return;
		snprintf(key, sizeof(key), "RedirectDNS");
		snprintf(value, sizeof(value), "%s", strcmp(equals + 1, "\"Enabled\"") == 0 ? "true" : "false");
	}
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(key, names[i].index) == 0)
			snprintf(key, sizeof(key), "%s", names[i].ours);
	snprintf(text, sizeof(text), "%s=%s", key, value);
	if (istio_config_set(c, text, &e) < 0)
		fail_msg("%s: %s: %s", text, e.what, e.why);
}

static struct istio_config *configure(struct arena *a, const char *mode, const char *preset, char *options)
{
	_cleanup_buf_ struct buf dns = BUF_INIT;
	struct istio_config *c;
	struct err e = ERR_INIT;
	char text[400];

	assert_int_equal(istio_config_new(a, preset, &c, &e), 0);
	if (strncmp(mode, "ambient", 7) == 0)
		assert_int_equal(istio_config_set(c, "MODE=ambient", &e), 0);
	if (strstr(mode, "nftables"))
		assert_int_equal(istio_config_set(c, "NativeNftables=true", &e), 0);
	for (char *o = strtok(options, ";"); o; o = strtok(NULL, ";"))
		set_option(c, o, &dns);
	snprintf(text, sizeof(text), "DNSServers=%s", buf_cstr(&dns));
	assert_int_equal(istio_config_set(c, text, &e), 0);
	if (istio_config_resolve(c, NULL, &e) < 0)
		fail_msg("%s: %s", e.what, e.why);
	return c;
}

/* The goldens record helper commands between the texts. */
static void drop_commands(char *text)
{
	char *out = text;

	for (char *line = text; *line;) {
		size_t n = strcspn(line, "\n");
		size_t all = n + (line[n] == '\n');
		bool command = (n == 13 && memcmp(line, "iptables-save", 13) == 0) ||
			       (n == 14 && memcmp(line, "ip6tables-save", 14) == 0);

		if (!command) {
			memmove(out, line, all);
			out += all;
		}
		line += all;
	}
	*out = '\0';
	if (out > text && out[-1] != '\n')
		strcpy(out, "\n");
}

static void compare(const char *name, struct arena *a, const struct istio_config *c, char *want, unsigned *bad)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct istio_plan *p;

	assert_int_equal(istio_plan_make(a, c, &p, NULL), 0);
	if (c->native_nftables) {
		istio_plan_nft(p, &b);
	} else {
		istio_plan_restore(&p->v4, &b);
		istio_plan_restore(&p->v6, &b);
	}
	drop_commands(want);
	if (strcmp(want, buf_cstr(&b)) == 0)
		return;
	print_error("%s differs\n--- want\n%s--- got\n%s", name, want, buf_cstr(&b));
	(*bad)++;
}

/* Cut a line into its columns in place. */
static unsigned columns(char *line, char **col, unsigned max)
{
	unsigned n = 0;
	char *p;

	line[strcspn(line, "\n")] = '\0';
	while (n < max && (p = strsep(&line, "\t")))
		col[n++] = p;
	return n;
}

static void test_goldens(void **state)
{
	const char *top = samples();
	_cleanup_fclose_ FILE *index = NULL;
	char line[8192], path[4200], *col[7];
	unsigned n = 0, bad = 0;

	(void)state;
	if (!top) {
		print_message("skipped: Istio's goldens are not at ../shared/istio\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/goldens/INDEX.tsv", top);
	index = fopen(path, "re");
	assert_non_null(index);
	while (fgets(line, sizeof(line), index)) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_free_ char *want = NULL;

		if (line[0] == '#' || strncmp(line, "file\t", 5) == 0 || columns(line, col, 7) < 6)
			continue;
		if (strcmp(col[2], "HEAD") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/goldens/%s", top, col[0]);
		want = slurp(path);
		assert_non_null(want);
		compare(col[0], a, configure(a, col[1], "none", col[5]), want, &bad);
		n++;
	}
	print_message("%u goldens compared\n", n);
	assert_int_equal(bad, 0);
	assert_true(n > 30);
}

static const struct {
	const char *name, *preset, *options;
} derived[] = {
	{ "init-redirect-default", "istio-init", "" },
	{ "history-redirect-default-1.25+", "istio-init", "" },
	{ "history-redirect-default-1.12", "istio-init", "Version=1.12" },
	{ "history-redirect-dns-1.18-1.19", "istio-init", "Version=1.18;RedirectDNS=true;DNSServersV4=10.96.0.10" },
	{ "cni-redirect-default", "cni", "" },
	{ "init-tproxy-default", "istio-init", "InboundInterceptionMode=TPROXY" },
};

static void test_derived(void **state)
{
	const char *top = samples();
	unsigned bad = 0;

	(void)state;
	if (!top) {
		print_message("skipped: the derived rule sets are not at ../shared/istio\n");
		skip();
	}
	for (unsigned i = 0; i < ARRAY_SIZE(derived) * 2; i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_free_ char *want = NULL;
		char path[4200], options[200];

		snprintf(path, sizeof(path), "%s/derived/%s%s", top, derived[i / 2].name,
			 i % 2 ? ".nft" : ".v4.restore");
		want = slurp(path);
		if (!want)
			continue;
		snprintf(options, sizeof(options), "%s", derived[i / 2].options);
		compare(path, a, configure(a, i % 2 ? "sidecar/nftables" : "sidecar/iptables", derived[i / 2].preset, options),
			want, &bad);
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goldens),
		cmocka_unit_test(test_derived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
