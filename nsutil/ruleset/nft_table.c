/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_table - tables, chains, sets and objects as nft lists them */
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/ruleset/nft_print.h"
#include "nsutil/ruleset/text.h"

/* ---- data types of sets ---- */

static const char *const type_names[] = {
	"invalid", "verdict", "nf_proto", "bitmask", "integer", "string", "ll_addr", "ipv4_addr",
	"ipv6_addr", "ether_addr", "ether_type", "arp_op", "inet_proto", "inet_service", "icmp_type",
	"tcp_flag", "dccp_pkttype", "mh_type", "time", "mark", "iface_index", "iface_type", "realm",
	"classid", "uid", "gid", "ct_state", "ct_dir", "ct_status", "icmpv6_type", "ct_label", "pkt_type",
	"icmp_code", "icmpv6_code", "icmpx_code", "devgroup", "dscp", "ecn", "fib_addrtype", "boolean",
	"ct_event", "ifname", "igmp_type", "time", "hour", "day", "cgroupsv2",
};

void nft_type_text(uint32_t type, struct buf *b)
{
	bool any = false;

	for (int shift = 30; shift >= 0; shift -= 6) {
		uint32_t part = type >> shift & 63;

		if (!(type >> shift))
			continue;
		if (!part) /* "ct original proto-src" has no type before it is known of what: nft names none behind it */
			break;
		buf_fmt(b, "%s%s", any ? " . " : "", part < ARRAY_SIZE(type_names) ? type_names[part] : "?");
		any = true;
	}
}

int nft_type_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
		if (type_names[i] && strcmp(type_names[i], name) == 0)
			return (int)i;
	return -1;
}

/* ---- chains ---- */

struct prio_name {
	const char *name;
	int32_t priority;
	int hook; /* the only one where nft uses the name; -1: any */
};

static const struct prio_name ip_prios[] = {
	{ "raw", -300, -1 }, { "mangle", -150, -1 }, { "dstnat", -100, NF_INET_PRE_ROUTING },
	{ "filter", 0, -1 }, { "security", 50, -1 }, { "srcnat", 100, NF_INET_POST_ROUTING },
};

static const struct prio_name bridge_prios[] = {
	{ "dstnat", -300, NF_INET_PRE_ROUTING }, { "filter", -200, -1 }, { "out", 100, NF_INET_LOCAL_OUT },
	{ "srcnat", 300, NF_INET_POST_ROUTING },
};

static const struct prio_name filter_prio[] = { { "filter", 0, -1 } };

static void priority_text(uint8_t family, unsigned hook, int32_t p, struct buf *b)
{
	const struct prio_name *names = ip_prios;
	size_t n = ARRAY_SIZE(ip_prios);

	if (family == NFPROTO_BRIDGE) {
		names = bridge_prios;
		n = ARRAY_SIZE(bridge_prios);
	} else if (family == NFPROTO_ARP || family == NFPROTO_NETDEV) {
		names = filter_prio;
		n = 1;
	}
	for (size_t i = 0; i < n; i++) {
		int64_t off = (int64_t)p - names[i].priority;

		if (off < -10 || off > 10 || (names[i].hook >= 0 && (unsigned)names[i].hook != hook))
			continue;
		buf_str(b, names[i].name);
		if (off)
			buf_fmt(b, " %c %d", off < 0 ? '-' : '+', (int)(off < 0 ? -off : off));
		return;
	}
	buf_fmt(b, "%d", p);
}

static void devices_text(const char *const *devices, unsigned n, struct buf *b)
{
	if (n == 1) {
		buf_str(b, " device ");
		nft_string_text(devices[0], b);
	} else if (n > 1) {
		buf_str(b, " devices = { ");
		for (unsigned i = 0; i < n; i++)
			buf_fmt(b, "%s%s", i ? ", " : "", devices[i]);
		buf_str(b, " }");
	}
}

static void chain_head(const struct nft_text *t, const struct chain *c)
{
	struct buf *b = t->b;

	buf_fmt(b, "\tchain %s {\n", c->name);
	if (c->comment)
		buf_fmt(b, "\t\tcomment \"%s\"\n", c->comment);
	if (!c->base)
		return;
	buf_fmt(b, "\t\ttype %s hook %s", c->type ? c->type : "?", hook_name(t->family, c->hook));
	devices_text(c->devices, c->n_devices, b);
	buf_str(b, " priority ");
	priority_text(t->family, c->hook, c->priority, b);
	buf_fmt(b, "; policy %s;\n", verdict_name(c->policy));
	if (c->flags & NFT_CHAIN_HW_OFFLOAD)
		buf_str(b, "\t\tflags offload\n");
}

static void chain_text(const struct nft_text *t, const struct chain *c)
{
	if (c->flags & CHAIN_IN_RULE)
		return;
	chain_head(t, c);
	for (const struct rule *r = c->rules; r; r = r->next) {
		buf_str(t->b, "\t\t");
		nft_rule_text(t, r);
		buf_chr(t->b, '\n');
	}
	buf_str(t->b, "\t}\n");
}

/* ---- sets ---- */

/* Types of which nft can declare a set: those that have a size. */
static bool has_sizes(uint32_t type)
{
	enum { INVALID, VERDICT, NFPROTO, BITMASK, INTEGER, STRING, LLADDR, SIZED };

	for (; type; type >>= 6)
		if ((type & 63) < SIZED && (type & 63) != NFPROTO)
			return false;
	return true;
}

static bool set_has_typeof(const struct set *s)
{
	if (s->data_interval && has_sizes(s->key_type)) /* nft loses what such maps were declared with */
		return false;
	return s->typeof_key && (!s->data_type || s->typeof_data || !(s->flags & SET_MAP) ||
				 s->data_type == NFT_DATA_VERDICT || s->data_type == 1);
}

static void set_type(const struct nft_text *t, const struct set *s)
{
	bool typ = set_has_typeof(s);

	if (typ)
		nft_expr_text(t, s->typeof_key);
	else
		nft_type_text(s->key_type, t->b);
	if (s->flags & SET_OBJECT) {
		buf_fmt(t->b, " : %s", nft_object_word(s->obj_type));
	} else if (s->flags & SET_MAP) {
		buf_str(t->b, s->data_interval ? " : interval " : " : ");
		if (s->data_type == NFT_DATA_VERDICT || s->data_type == 1)
			buf_str(t->b, "verdict");
		else if (typ && s->typeof_data)
			nft_expr_text(t, s->typeof_data);
		else
			nft_type_text(s->data_type, t->b);
	}
}

void set_type_nft(const struct set *s, struct buf *b)
{
	const struct nft_text t = { .b = b, .family = s->table->family };

	buf_str(b, s->flags & (SET_MAP | SET_OBJECT) ? "map " : "set ");
	set_type(&t, s);
}

void set_elem_nft(const struct set *s, const struct set_elem *e, bool counters, struct buf *b)
{
	const struct nft_text t = { .b = b, .counters = counters, .family = s->table->family };

	nft_elem_text(&t, s, e);
}

static void set_flags(const struct nft_text *t, const struct set *s)
{
	static const struct { uint32_t flag; const char *word; } table[] = {
		{ SET_CONSTANT, "constant" }, { SET_EVAL, "dynamic" }, { SET_INTERVAL, "interval" },
		{ SET_TIMEOUT, "timeout" },
	};
	uint32_t flags = s->flags;
	bool any = false;

	/* a timeout says by itself that there is one */
	if (s->timeout_ms && !(flags & (SET_CONSTANT | SET_EVAL | SET_INTERVAL)))
		flags &= ~(uint32_t)SET_TIMEOUT;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (!(flags & table[i].flag))
			continue;
		buf_fmt(t->b, "%s%s", any ? "," : "\t\tflags ", table[i].word);
		any = true;
	}
	if (any)
		buf_chr(t->b, '\n');
}

static void set_times(const struct nft_text *t, const struct set *s)
{
	if (s->timeout_ms) {
		buf_str(t->b, "\t\ttimeout ");
		nft_time_text(s->timeout_ms, t->b);
		buf_chr(t->b, '\n');
	}
	if (s->gc_interval_ms) {
		buf_str(t->b, "\t\tgc-interval ");
		nft_time_text(s->gc_interval_ms, t->b);
		buf_chr(t->b, '\n');
	}
}

static void set_text(const struct nft_text *t, const struct set *s)
{
	struct buf *b = t->b;

	buf_fmt(b, "\t%s %s {\n", s->flags & (SET_MAP | SET_OBJECT) ? "map" : "set", s->name);
	buf_str(b, set_has_typeof(s) ? "\t\ttypeof " : "\t\ttype ");
	set_type(t, s);
	buf_chr(b, '\n');
	if (s->policy == NFT_SET_POL_MEMORY)
		buf_str(b, "\t\tpolicy memory\n");
	if (s->has_size && s->size && !(s->flags & SET_CONSTANT))
		buf_fmt(b, "\t\tsize %u\n", s->size);
	set_flags(t, s);
	if (s->stmts) {
		struct nft_text plain = *t;

		plain.counters = false;
		buf_str(b, "\t\t");
		nft_stmts_text(&plain, s->stmts);
		buf_chr(b, '\n');
	}
	if (s->auto_merge)
		buf_str(b, "\t\tauto-merge\n");
	set_times(t, s);
	if (s->comment)
		buf_fmt(b, "\t\tcomment \"%s\"\n", s->comment);
	if (s->unread)
		buf_fmt(b, "\t\t# elements not known: %s\n", s->unread);
	if (s->n_elems) {
		buf_str(b, "\t\telements = ");
		nft_elems_text(t, s);
		buf_chr(b, '\n');
	}
	buf_str(b, "\t}\n");
}

/* ---- objects ---- */

static void counter_body(const struct nft_text *t, const struct stmt *s)
{
	if (t->counters)
		buf_fmt(t->b, "\t\tpackets %" PRIu64 " bytes %" PRIu64 "\n", s->counter.packets,
			s->counter.bytes);
}

static void quota_body(const struct nft_text *t, const struct stmt *s)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	struct nft_text inner = { .b = &b, .counters = t->counters, .family = t->family };

	nft_stmt_text(&inner, s);
	/* behind the word that the statement begins with */
	buf_fmt(t->b, "\t\t%s\n", buf_cstr(&b) + strcspn(buf_cstr(&b), " ") + (b.len ? 1 : 0));
}

static void synproxy_body(const struct nft_text *t, const struct stmt *s)
{
	const char *words[2];
	unsigned n = nft_synproxy_flags(s->synproxy.flags, words);

	buf_fmt(t->b, "\t\tmss %u\n\t\twscale %u\n", s->synproxy.mss, s->synproxy.wscale);
	for (unsigned i = 0; i < n; i++)
		buf_fmt(t->b, "%s%s", i ? " " : "\t\t", words[i]);
	if (n)
		buf_chr(t->b, '\n');
}

static void object_body(const struct nft_text *t, const struct object *o)
{
	if (o->text) {
		buf_str(t->b, o->text);
		return;
	}
	if (!o->stmt)
		return;
	switch (o->stmt->kind) {
	case STMT_COUNTER:
		counter_body(t, o->stmt);
		break;
	case STMT_SYNPROXY:
		synproxy_body(t, o->stmt);
		break;
	case STMT_OPAQUE:
		buf_fmt(t->b, "\t\t# not known: %s\n", o->stmt->opaque.why);
		break;
	default:
		quota_body(t, o->stmt);
		break;
	}
}

static void object_text(const struct nft_text *t, const struct object *o)
{
	buf_fmt(t->b, "\t%s %s {\n", nft_object_word(o->type), o->name);
	if (o->comment)
		buf_fmt(t->b, "\t\tcomment \"%s\"\n", o->comment);
	object_body(t, o);
	buf_str(t->b, "\t}\n");
}

static void flowtable_text(const struct nft_text *t, const struct flowtable *f)
{
	buf_fmt(t->b, "\tflowtable %s {\n\t\thook ingress priority ", f->name);
	priority_text(NFPROTO_NETDEV, 0, f->priority, t->b);
	buf_chr(t->b, '\n');
	if (f->n_devices) {
		buf_str(t->b, "\t\tdevices = { ");
		for (unsigned i = 0; i < f->n_devices; i++)
			buf_fmt(t->b, "%s%s", i ? ", " : "", f->devices[i]);
		buf_str(t->b, " }\n");
	}
	if (f->flags & 1)
		buf_str(t->b, "\t\tflags offload\n");
	if (f->flags & 2)
		buf_str(t->b, "\t\tcounter\n");
	buf_str(t->b, "\t}\n");
}

/* ---- tables ---- */

static void table_flags(const struct table *t, struct buf *b)
{
	static const char *const words[] = { "dormant", "owner", "persist" };
	bool any = false;

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (!(t->flags & 1u << i))
			continue;
		buf_fmt(b, "%s%s", any ? "," : "\tflags ", words[i]);
		any = true;
	}
	if (any)
		buf_str(b, "\n\n");
}

void table_nft(const struct table *t, bool counters, struct buf *b)
{
	struct nft_text x = { .b = b, .counters = counters, .family = t->family, .blocks = 1 };

	buf_fmt(b, "table %s %s {\n", family_name(t->family), t->name);
	table_flags(t, b);
	if (t->comment)
		buf_fmt(b, "\tcomment \"%s\"\n", t->comment);
	for (const struct object *o = t->objects; o; o = o->next)
		object_text(&x, o);
	for (const struct set *s = t->sets; s; s = s->next)
		if (!(s->flags & SET_ANONYMOUS))
			set_text(&x, s);
	for (const struct flowtable *f = t->flowtables; f; f = f->next)
		flowtable_text(&x, f);
	for (const struct chain *c = t->chains; c; c = c->next) {
		chain_text(&x, c);
		buf_spill(b, BUF_MUCH);
	}
	buf_str(b, "}\n");
}
