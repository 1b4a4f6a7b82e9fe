/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flush - removes everything of Istio's from a namespace, and nothing foreign */
#include <stdio.h>
#include <string.h>

#include "commands/istio/change.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/istio/recognise.h"
#include "nsutil/load.h"

extern const struct command command_istio_flush;

/* A comma list of stores; all of them when not given. */
static int which_stores(const struct command_args *args, unsigned *ret, struct err *e)
{
	const char *list = command_opt(&command_istio_flush, args, "store");
	unsigned stores = 0;

	while (list && *list) {
		size_t n = strcspn(list, ",");
		unsigned before = stores;

		for (unsigned s = 0; s < STORE_COUNT; s++)
			if (strlen(store_name((enum store)s)) == n && memcmp(store_name((enum store)s), list, n) == 0)
				stores |= 1U << s;
		if (stores == before)
			return err_set(e, ERR_USAGE, "--store", "'%.*s' is none of legacy, compat, native", (int)n, list);
		list += n + (list[n] == ',');
	}
	*ret = stores ? stores : (1U << STORE_COUNT) - 1;
	return 0;
}

/* What stands in Istio's own chains goes anyway: only what decides about shared chains matters. */
static int simplify(struct istio_config *c, struct err *e)
{
	static const char *const settings[][2] = {
		{ "RedirectDNS", "false" }, { "NativeNftables", "false" }, { "EnableIPv6", "true" },
		{ "OwnerGroupsInclude", "*" }, { "OwnerGroupsExclude", "" },
	};

	unsigned minor, first = sscanf(c->version, "1.%2u", &minor) == 1 && minor < 25;

	/* Before 1.25 DNS capture had rules in built-in chains. */
	for (unsigned i = first; i < ARRAY_SIZE(settings); i++) {
		const struct istio_setting *s = istio_setting_find(settings[i][0], strlen(settings[i][0]));

		if (istio_config_value(c, s, settings[i][1], ISTIO_FROM_TARGET, e) < 0)
			return -1;
	}
	return 0;
}

int istio_flush_plan(struct istio_job *job, const struct ruleset *rs, const struct netview *nv, struct err *e)
{
	if (istio_job_know(job, e) < 0 || istio_recognise(job->config, rs, nv, e) < 0 || simplify(job->config, e) < 0)
		return -1;
	return istio_job_plan(job, e);
}

static int run_flush(struct session *s, const struct command_args *args, struct out *o, struct err *e)
{
	const struct istio_deed deed = {
		.wait = command_opt(&command_istio_flush, args, "wait"),
		.schema = "istio-flush",
		.nothing = "There is nothing of Istio's; nothing to do.",
		.question = "istio flush",
	};
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_ruleset_ struct ruleset *rs = NULL;
	_cleanup_netview_ struct netview *nv = NULL;
	_cleanup_istio_change_ struct istio_change change = { .n_parts = 0 };
	struct istio_job job = { .arena = a };
	unsigned stores = 0;

	if (!a)
		return err_oom(e);
	if (which_stores(args, &stores, e) < 0 || istio_job_begin(s, &command_istio_flush, args, &job, e) < 0 ||
	    load_ruleset(job.target, LOAD_ALL, &rs, e) < 0)
		return -1;
	if (istio_job_netview(&job, &nv, e) < 0 || istio_flush_plan(&job, rs, nv, e) < 0 ||
	    istio_change_flush(a, rs, job.plan, job.families, stores, &change, e) < 0 ||
	    (nv && stores == (1U << STORE_COUNT) - 1 &&
	     istio_change_routing(&change, nv, job.config, true, e) < 0))
		return -1;
	return istio_change_do(s, &job, &change, &deed, o, e);
}

static const struct command_option options[] = {
	ISTIO_OPTION_PRESET, ISTIO_OPTION_IPV4, ISTIO_OPTION_IPV6,
	{ "store", 0, ARG_STORES, "STORES", NULL, "only these; by default all" },
	ISTIO_OPTION_WAIT,
	{ .name = NULL },
};

static const char *const examples[] = {
	"--dry-run istio flush",
	"-t shop/cart --yes istio flush",
	NULL,
};

const struct command command_istio_flush = {
	.name = "istio flush",
	.summary = "remove everything of Istio's from the target, and nothing foreign",
	.operands = ISTIO_OPERANDS,
	.operand_kind = ARG_ISTIO_SETTING,
	.operand_choices = istio_setting_names,
	.max_args = -1,
	.options = options,
	.formats = OUT_SAVE,
	.flags = COMMAND_MUTATES,
	.description = "Removes Istio's chains, every jump to them, and its rules in built-in chains, from all\n"
		       "stores and families, whatever configuration they were made for. Rules that Istio puts into\n"
		       "built-in chains and that look like anybody's (those of excluded interfaces) are removed where\n"
		       "Istio's chains are in the same store and the rules have Istio's shape, or the settings, the pod's\n"
		       "configuration or the record of the last istio apply name them; never one with a comment, since\n"
		       "Istio writes none. Foreign rules keep their order and counters. Each table is changed all or nothing.\n\n"
		       "The address ::6, the routing rules for Istio's marks, as often as they are there, and their\n"
		       "routes go too.\n\n"
		       ISTIO_ABOUT_SETTINGS,
	.examples = examples,
	.run = run_flush,
};
