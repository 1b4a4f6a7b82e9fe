/* SPDX-License-Identifier: GPL-2.0-or-later */
/* d33_no_expression - the kernel lacks an nftables expression that the rules need */
#include <stdio.h>
#include <string.h>

#include "nsutil/doctor/chains.h"
#include "nsutil/doctor/legacy.h"

/* What Istio's rules need of nftables, in the words of its modules. */
static const struct {
	const char *module, *option, *blocks;
} needed[] = {
	{ "nf_tables", "CONFIG_NF_TABLES", "all rules" },
	{ "nft_chain_nat", "CONFIG_NFT_NAT", "nat chains" },
	{ "nft_ct", "CONFIG_NFT_CT", "connection marks, zones and states" },
	{ "nft_redir", "CONFIG_NFT_REDIR", "redirect (native rules)" },
	{ "nft_tproxy", "CONFIG_NFT_TPROXY", "TPROXY (native rules)" },
	{ "nft_fib", "CONFIG_NFT_FIB", "fib (rules of CNI plugins)" },
	{ "nft_compat", "CONFIG_NFT_COMPAT", "matches and targets of iptables-nft" },
};

static bool is_missing(struct doctor *d, unsigned i)
{
	const char *option = facts_config(d, needed[i].option);

	return facts_module(d, needed[i].module) == MODULE_MISSING || (option && option[0] == 'n');
}

static bool see_missing(struct doctor *d, struct doctor_finding *f)
{
	bool any = false;

	for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		enum module_state s = facts_module(d, needed[i].module);

		if (is_missing(d, i)) {
			doctor_see(d, f, needed[i].module, "/lib/modules, the kernel's configuration", "not there: %s", needed[i].blocks);
			any = true;
		} else if (s == MODULE_AVAILABLE) {
			doctor_see(d, f, needed[i].module, "/proc/modules", "not loaded; its file is there");
			doctor_mend_module(d, f, needed[i].module);
			any = true;
		}
	}
	return any;
}

static void check(struct doctor *d)
{
	const struct ruleset *rs = facts_rules(d);
	const struct log_hit *hit = log_hit(facts_log(d), LOG_NO_EXPRESSION);
	struct doctor_finding *f;
	char where[400];

	if (!hit || (rs && chains_stores(rs, 0, "Istio")))
		return;
	f = doctor_find(d, "the kernel refused a rule of nftables: it lacks an expression that the rule needs");
	snprintf(where, sizeof(where), "%.300s, line %u", d->facts.log_where, hit->line);
	doctor_see(d, f, "istio-init's log", where, "%s", hit->text);
	if (!see_missing(d, f))
		doctor_see(d, f, "modules", "/proc/modules, /lib/modules", "none of those that Istio's rules need is known to be missing");
	if (f->mend == DOCTOR_MEND_MODULES)
		doctor_fix_self(d, f, "doctor --fix");
	doctor_fix(d, f, "use a kernel with these options, or legacy iptables where it has that: FORCE_IPTABLES_BINARY=legacy");
}

const struct doctor_entry doctor_d33 = {
	.id = "D33",
	.title = "the kernel lacks an expression of nftables",
	.link = "https://github.com/istio/istio/issues/55636",
	.explain = "Each expression of nftables (fib, redir, tproxy, ct ...) is an option of the kernel of its own. Small kernels lack\n"
		   "some, and refuse the rule with \"Operation not supported\" or \"No such file or directory\".\n"
		   "It is told by istio-init's log; which one may be missing, by the kernel's modules and configuration. cnish does\n"
		   "not try rules out, since that would load modules.",
	.severity = DOCTOR_ERROR,
	.scope = DOCTOR_POD,
	.check = check,
};
