/* SPDX-License-Identifier: GPL-2.0-or-later */
/* argv - istio-init's own argument vector, parsed as Go's pflag parses it */
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/config.h"

/* What istio-init takes besides and what has no bearing on rules: the logging options. */
static const struct passed_over {
	const char *name;
	bool is_switch;
} passed_over[] = {
	{ "log_as_json", true }, { "log_target", false }, { "log_rotate", false },
	{ "log_rotate_max_size", false }, { "log_rotate_max_age", false },
	{ "log_rotate_max_backups", false }, { "log_output_level", false },
	{ "log_stacktrace_level", false }, { "log_caller", false }, { "vklog", false },
};

struct words {
	int n;
	char *const *at;
};

static const char *next_word(struct words *w)
{
	if (w->n == 0)
		return NULL;
	w->n--;
	return *w->at++;
}

static int bad_argument(const char *word, const char *why, struct err *e)
{
	char what[120];

	snprintf(what, sizeof(what), "istio-init's argument '%s'", word);
	return err_set(e, ERR_USAGE, what, "%s", why);
}

static const struct passed_over *find_passed_over(const char *name, size_t n)
{
	for (unsigned i = 0; i < ARRAY_SIZE(passed_over); i++)
		if (strlen(passed_over[i].name) == n && memcmp(passed_over[i].name, name, n) == 0)
			return &passed_over[i];
	return NULL;
}

/* A switch without '=' is true and takes no word; all else takes the next word, whatever it is. */
static int flag_value(struct words *w, const char *word, bool is_switch, const char *equals,
		      const char **ret, struct err *e)
{
	*ret = equals ? equals + 1 : is_switch ? "true" : next_word(w);
	return *ret ? 0 : bad_argument(word, "needs a value", e);
}

/* Only what pflag knows as a flag: no variables, no fields. */
static const struct istio_setting *find_flag(const char *name, size_t n)
{
	const struct istio_setting *s = istio_setting_find(name, n);

	return s && s->flag && strlen(s->flag) == n && memcmp(s->flag, name, n) == 0 ? s : NULL;
}

static int long_flag(struct istio_config *c, struct words *w, const char *word, struct err *e)
{
	const char *name = word + 2, *equals = strchr(name, '='), *value;
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct istio_setting *s = find_flag(name, n);
	const struct passed_over *over = find_passed_over(name, n);

	if (!s && !over)
		return bad_argument(word, "unknown flag", e);
	if (flag_value(w, word, s ? s->kind == ISTIO_BOOL : over->is_switch, equals, &value, e) < 0)
		return -1;
	return s ? istio_config_value(c, s, value, ISTIO_FROM_ARGV, e) : 0;
}

/* "-p 15001", "-p15001", "-p=15001", and switches bundled in front: "-np 15001". */
static int short_flags(struct istio_config *c, struct words *w, const char *word, struct err *e)
{
	for (const char *p = word + 1; *p; p++) {
		const struct istio_setting *s = istio_setting_by_letter(*p);
		const char *value;
		bool last = true;

		if (!s)
			return bad_argument(word, "unknown shorthand flag", e);
		if (p[1] == '=' && p[2]) { /* a lone '=' is itself the value, as in pflag */
			value = p + 2;
		} else if (s->kind == ISTIO_BOOL) {
			value = "true";
			last = false;
		} else {
			value = p[1] ? p + 1 : next_word(w);
		}
		if (!value)
			return bad_argument(word, "needs a value", e);
		if (istio_config_value(c, s, value, ISTIO_FROM_ARGV, e) < 0)
			return -1;
		if (last)
			break;
	}
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The vector may be the whole command line of the container. */
static void skip_program(struct words *w)
{
	if (w->n && strcmp(base_name(*w->at), "pilot-agent") == 0)
		next_word(w);
	if (w->n && strcmp(base_name(*w->at), "istio-iptables") == 0)
		next_word(w);
}

int istio_config_argv(struct istio_config *c, int argc, char *const *argv, struct err *e)
{
	struct words w = { argc, argv };
	const char *word;

	skip_program(&w);
	while ((word = next_word(&w))) {
		if (strcmp(word, "--") == 0) {
			word = next_word(&w);
			return word ? bad_argument(word, "takes no operands", e) : 0;
		}
		if (word[0] != '-' || !word[1])
			return bad_argument(word, "takes no operands", e);
		if ((word[1] == '-' ? long_flag : short_flags)(c, &w, word, e) < 0)
			return -1;
	}
	return 0;
}
