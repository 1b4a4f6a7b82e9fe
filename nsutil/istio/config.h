/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config - what Istio's rule programmer can be told, where each value came from, and what follows */
#ifndef NSUTIL_ISTIO_CONFIG_H
#define NSUTIL_ISTIO_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "nsutil/base/addr.h"
#include "nsutil/base/arena.h"
#include "nsutil/base/err.h"

struct netview;

/*
 * A configuration is made in three moves:
 *   istio_config_new()     compiled defaults, then a preset (what an installer passes)
 *   istio_config_set() ... typed settings; istio_config_argv() for a vector of istio-init's own
 *   istio_config_resolve() checks every value and derives what follows from the namespace
 * A later value wins over a former one of the same or a weaker source, as in Istio: the command line
 * over the environment over the compiled default.
 */

enum { ISTIO_LAST_MINOR = 30 }; /* 1.30: the newest version whose rules are known */

enum istio_kind {
	ISTIO_PORT,	   /* one port */
	ISTIO_PORTS,	   /* list of ports */
	ISTIO_PORTS_STAR,  /* list of ports, or '*' */
	ISTIO_IDS,	   /* list of uids or gids */
	ISTIO_GROUPS,	   /* list of gids or group names */
	ISTIO_GROUPS_STAR, /* the same, or '*' */
	ISTIO_CIDRS,	   /* list of prefixes */
	ISTIO_CIDRS_STAR,  /* list of prefixes, or '*' */
	ISTIO_CIDR4,	   /* one IPv4 loopback prefix */
	ISTIO_ADDR4,	   /* one IPv4 address */
	ISTIO_ADDR6,	   /* one IPv6 address */
	ISTIO_ADDRS,	   /* list of addresses */
	ISTIO_INTERFACES,  /* list of interface names */
	ISTIO_NUMBER,	   /* decimal, 32 bits */
	ISTIO_BOOL,	   /* as Go's strconv.ParseBool */
	ISTIO_TRISTATE,	   /* the same, or empty: find out */
	ISTIO_CHOICE,	   /* one of 'choices' */
	ISTIO_TEXT,	   /* taken as it is */
};

enum istio_setting_flags {
	ISTIO_SET_RULES = 1 << 0, /* decides about rules, addresses or routes */
	ISTIO_SET_OURS = 1 << 1,  /* a name of this program, for what Istio finds out by itself */
};

/* One setting: parsing, help, completion and the manual are made from this entry. */
struct istio_setting {
	const char *field;	/* the name inside Istio: "InboundCapturePort" */
	const char *env;	/* "INBOUND_CAPTURE_PORT": the word to type */
	const char *env2;	/* a second variable, which wins over the first; NULL when none */
	const char *flag;	/* "inbound-capture-port"; NULL when only a variable */
	char letter;		/* 'z'; 0 when none */
	enum istio_kind kind;
	unsigned flags;		/* ISTIO_SET_* */
	size_t offset;		/* of its 'const char *' (or bool) in struct istio_config */
	const char *fallback;	/* compiled default */
	const char *const *choices; /* NULL-ended; for ISTIO_CHOICE */
	const char *help;	/* one line */
};

/* All settings, ended by an entry without field. */
extern const struct istio_setting istio_settings[];
/* Their names ('env'), ended by NULL, for completion. */
extern const char *const istio_setting_names[];
enum { ISTIO_MAX_SETTINGS = 48 };

/**
 * istio_setting_find() - look a setting up by any of its names
 * @name:	variable, second variable, flag (without dashes) or field, in its exact spelling
 * @n:		length of @name
 *
 * Return: the entry, or NULL
 */
const struct istio_setting *istio_setting_find(const char *name, size_t n);
const struct istio_setting *istio_setting_by_letter(char letter);

/**
 * istio_setting_values() - what a setting takes, for help and the manual
 * @s:		setting
 *
 * Return: a constant text: "port", "CIDR list or *", ...
 */
const char *istio_setting_values(const struct istio_setting *s);

enum istio_source { /* the stronger the later */
	ISTIO_FROM_DEFAULT,
	ISTIO_FROM_PRESET,
	ISTIO_FROM_RULES, /* told from the rules that are there */
	ISTIO_FROM_ENV,	 /* a typed KEY=VALUE, or the environment of the pod */
	ISTIO_FROM_ENV2, /* a second variable */
	ISTIO_FROM_ARGV,
	ISTIO_FROM_TARGET, /* found out: addresses, resolv.conf */
};
const char *istio_source_name(enum istio_source s);

struct istio_list {
	const char **items;
	unsigned n;
};

struct istio_cidrs {
	bool star, loopback; /* loopback: one of them, of either family, is a loopback address */
	struct istio_list v4, v6;
};

/* Interfaces whose rules a record says are Istio's: an undo file, or what the pod's programmer was told. */
struct istio_known {
	struct istio_list excluded, virtual_nics;
};

struct istio_config {
	struct arena *arena;
	enum istio_source source[ISTIO_MAX_SETTINGS]; /* by index in istio_settings */
	const char *origin[ISTIO_MAX_SETTINGS]; /* the source in words, "annotation ..."; NULL: istio_source_name() */
	bool sealed[ISTIO_MAX_SETTINGS];	/* the default is what was meant: not to be told from the rules */
	const char *origin_now;			/* given to what is set next */
	struct istio_known known;
	const char *told_by;			/* the pod's configuration: "istio-init (cri ...)"; NULL: none was found */

	/* SPEC A2, A3 by their names inside Istio. */
	const char *proxy_port, *inbound_capture_port, *inbound_tunnel_port;
	const char *proxy_uid, *proxy_gid;
	const char *interception_mode;
	const char *inbound_ports_include, *inbound_ports_exclude;
	const char *exclude_interfaces, *virtual_interfaces;
	const char *outbound_ranges_include, *outbound_ranges_exclude;
	const char *outbound_ports_include, *outbound_ports_exclude;
	const char *tproxy_mark, *tproxy_table;
	bool dry_run, skip_rule_apply, run_validation;
	const char *probe_port, *probe_timeout;
	bool redirect_dns, capture_all_dns, drop_invalid, dual_stack;
	const char *network_namespace;
	bool cni_mode, reconcile, cleanup_only, force_apply, native_nftables;
	const char *force_binary;
	const char *loopback_cidr, *groups_include, *groups_exclude, *envoy_user, *dry_run_file;
	/* Ambient's own, and what Istio finds out but a person may want to say. */
	const char *version; /* of Istio, whose rules are wanted */
	const char *mode, *probe_snat4, *probe_snat6;
	bool ingress_mode;
	const char *enable_ipv6, *dns_servers;

	/* Set by istio_config_resolve(). */
	/* Set by istio_recognise(). */
	bool recognised;      /* values come from the rules */
	const char *versions; /* that wrote such rules: "1.13-1.17", "1.25-"; NULL when not told from them */

	unsigned minor; /* 25 of version 1.25 */
	bool resolved, ambient, tproxy, ipv6, dns;
	bool ambient_tproxy; /* ambient of 1.21 to 1.24: what enters reaches ztunnel by TPROXY */
	struct istio_list uids, gids, ports_in, ports_in_exclude, ports_out, ports_out_exclude;
	struct istio_list nics_exclude, nics_virtual, groups, groups_not, dns4, dns6;
	struct istio_cidrs include, exclude;
	struct istio_list notes; /* what a person should know; full sentences without a full stop */
};

/* What the namespace says; made by istio_facts_read() or by a test. */
struct istio_facts {
	const struct addr *addrs; /* of all interfaces, in the kernel's order */
	unsigned n_addrs;
	const char *resolv_conf;  /* text of the pod's /etc/resolv.conf; NULL: not readable */
	const char *resolv_why;	  /* why not */
};

/* istio_facts_ipv6() - the first address that counts decides, or with dual stack any; *ret_any: there is one */
bool istio_facts_ipv6(const struct istio_facts *f, bool dual_stack, bool *ret_any);

/* Presets: NULL-ended list of names with one line of help each. */
struct istio_preset {
	const char *name, *help;
	const char *const *settings; /* "KEY=VALUE", NULL-ended */
};
extern const struct istio_preset istio_presets[];

/**
 * istio_config_new() - a configuration of compiled defaults and a preset
 * @a:		arena it lives in
 * @preset:	"istio-init", "cni", "vm", "ambient", "none"; NULL: none
 * @ret:	set on success
 * @e:		ERR_USAGE for an unknown preset
 *
 * Return: 0, or -1
 */
int istio_config_new(struct arena *a, const char *preset, struct istio_config **ret, struct err *e);

/**
 * istio_config_set() - set one value from text
 * @c:		configuration
 * @text:	"KEY=VALUE"; KEY is a variable of SPEC A2 or A3, a long flag without its dashes, or a field
 * @e:		ERR_USAGE naming the setting and the value, with advice for names that Istio does not read
 *
 * Return: 0, or -1
 */
int istio_config_set(struct istio_config *c, const char *text, struct err *e);

/**
 * istio_config_value() - set one value by its entry
 * @c:		configuration
 * @s:		setting
 * @value:	text; copied
 * @from:	where it comes from; a value of a stronger source stays
 * @e:		ERR_USAGE
 *
 * Return: 0, or -1
 */
int istio_config_value(struct istio_config *c, const struct istio_setting *s, const char *value,
		       enum istio_source from, struct err *e);

/**
 * istio_config_argv() - take istio-init's own argument vector, parsed as Go's pflag does it
 * @c:		configuration
 * @argc:	number of words
 * @argv:	words; a leading "istio-iptables", also behind "pilot-agent", is passed over
 * @e:		ERR_USAGE naming the word
 *
 * Return: 0, or -1
 */
int istio_config_argv(struct istio_config *c, int argc, char *const *argv, struct err *e);

/**
 * istio_config_resolve() - check all values and derive the rest (SPEC A4, A5)
 * @c:		configuration
 * @f:		what the namespace says; NULL: nothing is known (IPv6 off, no DNS servers)
 * @e:		ERR_USAGE naming the setting and the value
 *
 * Return: 0, or -1
 */
int istio_config_resolve(struct istio_config *c, const struct istio_facts *f, struct err *e);

/* istio_config_origin() - where a setting's value comes from, in words */
const char *istio_config_origin(const struct istio_config *c, const struct istio_setting *s);

/* istio_truth() - as Go's strconv.ParseBool; 0, or -1 when the text is none */
int istio_truth(const char *text, bool *ret);

/* istio_config_text() - the value of a setting as text, as it would be typed; never NULL */
const char *istio_config_text(const struct istio_config *c, const struct istio_setting *s);

/* istio_split() - cut at ',', empty elements dropped, nothing trimmed (SPEC A2); -1: out of memory */
int istio_split(struct arena *a, const char *text, struct istio_list *ret);
/* istio_list_add() - append a copy; 0, or -1 when memory ran out */
int istio_list_add(struct arena *a, struct istio_list *l, const char *item);

#endif
