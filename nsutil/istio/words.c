/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words - a rule taken apart into the few things that Istio's rules consist of */
#include "nsutil/istio/words.h"

#include <ctype.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/text.h"

/* The words of a rule's text; each stays valid as long as the arena. */
struct reader {
	struct arena *a;
	char *next;
	bool negated, failed;
	const char *module; /* of the last -m */
	struct istio_words *w;
};

static char *word(struct reader *r)
{
	char *start = r->next + strspn(r->next, " "), *end;

	if (!*start)
		return NULL;
	end = start + strcspn(start, " ");
	r->next = *end ? end + 1 : end;
	*end = '\0';
	return start;
}

static bool take_word(struct reader *r, const char *want)
{
	size_t n = strlen(want);
	char *start = r->next + strspn(r->next, " ");

	if (strncmp(start, want, n) != 0 || (start[n] && start[n] != ' '))
		return false;
	r->next = start[n] ? start + n + 1 : start + n;
	return true;
}

/* A condition's value; its negation is kept and used up. */
static void set(struct reader *r, const char **to, const char *value, unsigned negation)
{
	if (*to || !value)
		r->w->other = true;
	*to = value;
	r->w->conditions++;
	if (r->negated && !negation)
		r->w->other = true;
	r->w->negated |= r->negated ? negation : 0;
	r->negated = false;
}

static const char *decimal(struct reader *r, const char *text)
{
	char *end = NULL;
	unsigned long v = text ? strtoul(text, &end, 0) : 0, mask = 0xffffffff;
	const char *ret;

	if (!text || end == text || (*end && *end != '/'))
		return text;
	if (*end)
		mask = strtoul(end + 1, NULL, 0);
	ret = mask == 0xffffffff ? arena_printf(r->a, "%lu", v) : arena_printf(r->a, "%#lx/%#lx", v, mask);
	r->failed |= !ret;
	return ret;
}

/* With the length of a whole address, as iptables prints it. */
static const char *address(struct reader *r, const char *text)
{
	bool v6;

	if (!text)
		return NULL;
	v6 = strchr(text, ':');
	r->w->family = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	if (strchr(text, '/'))
		return text;
	text = arena_printf(r->a, "%s/%d", text, v6 ? 128 : 32);
	r->failed |= !text;
	return text;
}

static void add_gid(struct reader *r, const char *gid)
{
	if (!gid) {
		r->w->other = true;
		return;
	}
	if (r->w->gids.n && !(r->w->negated & NOT_GID) != !r->negated)
		r->w->other = true;
	r->failed |= istio_list_add(r->a, &r->w->gids, gid) < 0;
	r->w->negated |= r->negated ? NOT_GID : 0;
	r->w->conditions++;
	r->negated = false;
}

/* Options of targets that say nothing new. */
static bool is_detail(struct reader *r, const char *w)
{
	static const struct {
		const char *option;
		bool value;
	} details[] = { { "--on-ip", true },	   { "--tproxy-mark", true }, { "--nfmask", true },
			{ "--ctmask", true },	   { "--save-mark", false },  { "--restore-mark", false } };

	for (unsigned i = 0; i < ARRAY_SIZE(details); i++)
		if (strcmp(w, details[i].option) == 0) {
			if (details[i].value)
				word(r);
			return true;
		}
	return false;
}

static bool iptables_target(struct reader *r, const char *w)
{
	if (strcmp(w, "-j") == 0)
		r->w->target = word(r);
	else if (strcmp(w, "--to-ports") == 0 || strcmp(w, "--zone") == 0 || strcmp(w, "--on-port") == 0)
		r->w->to = word(r);
	else if (strcmp(w, "--set-xmark") == 0)
		r->w->to = decimal(r, word(r));
	else
		return is_detail(r, w);
	return true;
}

static bool iptables_option(struct reader *r, const char *w)
{
	struct istio_words *to = r->w;

	if (strcmp(w, "-s") == 0)
		set(r, &to->src, address(r, word(r)), NOT_SRC);
	else if (strcmp(w, "-d") == 0)
		set(r, &to->dst, address(r, word(r)), NOT_DST);
	else if (strcmp(w, "-i") == 0)
		set(r, &to->in, word(r), 0);
	else if (strcmp(w, "-o") == 0)
		set(r, &to->out, word(r), NOT_OUT);
	else if (strcmp(w, "-p") == 0)
		set(r, &to->proto, word(r), 0);
	else if (strcmp(w, "--sport") == 0)
		set(r, &to->sport, word(r), 0);
	else if (strcmp(w, "--dport") == 0 || strcmp(w, "--dports") == 0)
		set(r, &to->dport, word(r), NOT_DPORT);
	else if (strcmp(w, "--ctstate") == 0)
		set(r, &to->state, word(r), 0);
	else if (strcmp(w, "--mark") == 0 && r->module && strcmp(r->module, "connmark") == 0)
		set(r, &to->connmark, decimal(r, word(r)), 0);
	else if (strcmp(w, "--mark") == 0)
		set(r, &to->mark, decimal(r, word(r)), NOT_MARK);
	else if (strcmp(w, "--uid-owner") == 0)
		set(r, &to->uid, word(r), NOT_UID);
	else if (strcmp(w, "--gid-owner") == 0)
		add_gid(r, word(r));
	else
		return iptables_target(r, w);
	return true;
}

static void read_iptables(struct reader *r)
{
	const char *w;

	while ((w = word(r))) {
		if (strcmp(w, "!") == 0)
			r->negated = true;
		else if (strcmp(w, "-m") == 0)
			r->module = word(r);
		else if (!iptables_option(r, w))
			r->w->other = true;
	}
}

/* istio-in-redirect -> ISTIO_IN_REDIRECT; ambient's istio-prerouting is ISTIO_PRERT */
static const char *chain_name(struct reader *r, const char *name)
{
	char *ret = arena_strdup(r->a, name && strcmp(name, "istio-prerouting") == 0 ? "istio-prert" : name);

	if (!name)
		return NULL;
	r->failed |= !ret;
	for (char *p = ret; p && *p; p++)
		*p = *p == '-' ? '_' : (char)toupper((unsigned char)*p);
	return ret;
}

/* A value of nft: perhaps with an operator in front, perhaps a set in braces, perhaps quoted. */
static const char *nft_value(struct reader *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *w, *ret;
	size_t n;

	r->negated = take_word(r, "!=");
	if (!r->negated)
		take_word(r, "==");
	if (!take_word(r, "{")) {
		char *v = word(r);

		n = v ? strlen(v) : 0;
		if (n > 1 && v[0] == '"') {
			v[n - 1] = '\0';
			v++;
		}
		return v;
	}
	while ((w = word(r)) && strcmp(w, "}") != 0)
		buf_str(&b, w);
	ret = buf_failed(&b) ? NULL : arena_strdup(r->a, buf_cstr(&b));
	r->failed |= !ret;
	return ret;
}

/* "mark 5", "mark != 5", "mark & 0xfff == 0x539", "mark and 0xfff == 0x539" */
static const char *nft_mark(struct reader *r)
{
	const char *mask = NULL, *v, *ret;

	if (take_word(r, "&") || take_word(r, "and"))
		mask = word(r);
	v = nft_value(r);
	ret = v && mask ? arena_printf(r->a, "%s/%s", v, mask) : v;
	r->failed |= v && !ret;
	return decimal(r, ret);
}

static void nft_meta(struct reader *r)
{
	struct istio_words *to = r->w;

	if (take_word(r, "l4proto")) {
		const char *v = nft_value(r);

		if (!to->proto)
			set(r, &to->proto, v, 0);
	} else if (take_word(r, "mark")) {
		if (take_word(r, "set")) {
			to->target = to->target ? to->target : "MARK";
			to->to = to->to ? to->to : decimal(r, word(r));
			if (to->to && strcmp(to->to, "ct") == 0)
				word(r);
			return;
		}
		set(r, &to->mark, nft_mark(r), NOT_MARK);
	} else if (take_word(r, "skuid")) {
		set(r, &to->uid, nft_value(r), NOT_UID);
	} else if (take_word(r, "skgid")) {
		add_gid(r, nft_value(r));
	} else {
		to->other = true;
	}
}

static void nft_ct(struct reader *r)
{
	struct istio_words *to = r->w;

	if (take_word(r, "state")) {
		set(r, &to->state, nft_value(r), 0);
	} else if (take_word(r, "zone") && take_word(r, "set")) {
		to->target = "CT";
		to->to = word(r);
	} else if (take_word(r, "mark")) {
		if (take_word(r, "set")) {
			to->target = "CONNMARK";
			while (word(r))
				;
			return;
		}
		set(r, &to->connmark, nft_mark(r), 0);
	} else {
		to->other = true;
	}
}

static void nft_ports(struct reader *r, const char *proto)
{
	struct istio_words *to = r->w;
	bool sport = take_word(r, "sport");
	char *range;
	const char *v;

	if (!sport && !take_word(r, "dport")) {
		to->other = true;
		return;
	}
	v = nft_value(r);
	range = v ? strchr(v, '-') : NULL;
	if (range)
		*range = ':';
	set(r, sport ? &to->sport : &to->dport, v, sport ? 0 : NOT_DPORT);
	if (!to->proto)
		set(r, &to->proto, proto, 0);
}

static void nft_address(struct reader *r, const char *ip)
{
	struct istio_words *to = r->w;
	bool src = take_word(r, "saddr");

	if (!src && !take_word(r, "daddr"))
		to->other = true;
	else
		set(r, src ? &to->src : &to->dst, address(r, nft_value(r)), src ? NOT_SRC : NOT_DST);
	to->family = strcmp(ip, "ip6") == 0 ? NFPROTO_IPV6 : NFPROTO_IPV4;
}

static bool nft_target(struct reader *r, const char *w)
{
	struct istio_words *to = r->w;
	const char *v;

	if (strcmp(w, "return") == 0 || strcmp(w, "accept") == 0 || strcmp(w, "drop") == 0) {
		if (!to->target)
			to->target = chain_name(r, w);
	} else if (strcmp(w, "jump") == 0) {
		to->target = chain_name(r, word(r));
	} else if (strcmp(w, "redirect") == 0 || strcmp(w, "tproxy") == 0) {
		to->target = chain_name(r, w);
		while ((v = word(r)) && v[0] != ':')
			;
		to->to = v ? v + 1 : NULL;
	} else {
		return false;
	}
	return true;
}

static void read_nft(struct reader *r)
{
	const char *w;

	while ((w = word(r))) {
		if (strcmp(w, "meta") == 0)
			nft_meta(r);
		else if (strcmp(w, "ct") == 0)
			nft_ct(r);
		else if (strcmp(w, "ip") == 0 || strcmp(w, "ip6") == 0)
			nft_address(r, w);
		else if (strcmp(w, "tcp") == 0 || strcmp(w, "udp") == 0)
			nft_ports(r, w);
		else if (strcmp(w, "iifname") == 0)
			set(r, &r->w->in, nft_value(r), 0);
		else if (strcmp(w, "oifname") == 0)
			set(r, &r->w->out, nft_value(r), NOT_OUT);
		else if (strcmp(w, "counter") == 0)
			r->w->counter = true;
		else if (!nft_target(r, w))
			r->w->other = true;
	}
}

int istio_words(struct arena *a, const struct rule *rule, struct istio_words *ret)
{
	struct istio_words w = { .family = NFPROTO_UNSPEC };
	struct reader r = { .a = a, .w = &w };
	_cleanup_buf_ struct buf b = BUF_INIT;
	bool native = rule->chain->table->store == STORE_NATIVE;

	if (native)
		rule_nft(rule, false, &b);
	else if (!rule_iptables(rule, &b))
		w.other = true;
	r.next = buf_failed(&b) ? NULL : arena_strdup(a, buf_cstr(&b));
	if (!r.next)
		return -1;
	(native ? read_nft : read_iptables)(&r);
	*ret = w;
	return r.failed ? -1 : 0;
}
