/* SPDX-License-Identifier: GPL-2.0-or-later */
/* complete_values - candidates for words with an inner grammar: connections, settings */
#include <stdio.h>
#include <string.h>

#include "nsutil/istio/config.h"
#include "nsutil/istio/settings.h"
#include "nsutil/trace/connection.h"
#include "shell/complete.h"

static bool in_list(const char *const *list, const char *word)
{
	for (; list && *list; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

void complete_connection_word(struct complete_connection *c, const char *word)
{
	if (c->key) {
		c->key = NULL;
		return;
	}
	for (unsigned i = 0; c->dst && connection_keys[i]; i++)
		if (strcmp(connection_keys[i], word) == 0)
			c->key = connection_keys[i];
	if (c->key)
		return;
	if (!c->proto && in_list(connection_words("out"), word))
		c->path = true;
	else if (!c->proto)
		c->proto = true;
	else if (strcmp(word, "->") == 0 || strcmp(word, "to") == 0)
		c->dst = false;
	else if (!in_list(connection_words("type"), word)) /* "icmp echo-request DST" */
		c->dst = true;
}

static void hint(struct offer *o, const char *text)
{
	snprintf(o->c->hint, sizeof(o->c->hint), "%s", text);
}

/* "syn,ac": the list goes on behind its last comma. */
static void offer_list(struct offer *o, const char *key)
{
	const char *comma = strrchr(o->prefix, ',');
	char lead[256] = "";

	if (comma)
		snprintf(lead, sizeof(lead), "%.*s", (int)(comma + 1 - o->prefix), o->prefix);
	complete_list(&(struct offer){ .c = o->c, .prefix = comma ? comma + 1 : o->prefix, .lead = lead },
		      connection_words(key));
}

static void offer_value(struct session *s, struct offer *o, const char *key)
{
	static const struct {
		const char *key, *hint;
	} hints[] = {
		{ "uid", "uid N: user of the process that sends" },
		{ "gid", "gid N: group of the process that sends; by default the number of uid" },
		{ "mark", "mark N: mark that the socket sets, as 1337 or 0x539" },
		{ "ctmark", "ctmark N: mark of the connection" },
		{ "sport", "sport N: source port" },
		{ "dport", "dport N: destination port" },
		{ "dscp", "dscp N: 0 to 63" },
		{ "ttl", "ttl N: 0 to 255" },
		{ "length", "length N: bytes of the packet" },
		{ "spi", "spi N: security parameter index of ah and esp" },
		{ "smac", "smac ADDR: hardware address of the sender, as 02:00:00:00:00:01; of packets that arrive" },
		{ "dmac", "dmac ADDR: hardware address that the frame was sent to" },
		{ "fragid", "fragid N: identification of the packet that fragments belong to" },
		{ "frag", "frag none, first, later, or OFFSET[+] in units of eight bytes" },
		{ "cgroup", "cgroup N: class id of net_cls" },
		{ "cgroupv2", "cgroupv2 PATH: control group of the process that sends, as /system.slice/x.service" },
		{ "priority", "priority N: of the socket" },
	};

	for (unsigned i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strcmp(key, hints[i].key) == 0)
			hint(o, hints[i].hint);
	if (strcmp(key, "uid") == 0 || strcmp(key, "gid") == 0)
		complete_uids(s, o);
	else if (strcmp(key, "iif") == 0 || strcmp(key, "oif") == 0)
		complete_interfaces(s, o);
	else if (strcmp(key, "dport") == 0 || strcmp(key, "sport") == 0)
		complete_ports(s, o);
	else if (strcmp(key, "flags") == 0 || strcmp(key, "tcpopt") == 0 || strcmp(key, "ipopt") == 0 || strcmp(key, "exthdr") == 0)
		offer_list(o, key);
	else
		complete_list(o, connection_words(key));
}

void complete_connection(struct session *s, struct offer *o, const struct complete_connection *c)
{
	if (c->key) {
		offer_value(s, o, c->key);
		return;
	}
	if (!c->proto) {
		hint(o, "[out|in|forward] PROTO [SRC[:PORT] to] DST[:PORT] [KEY VALUE...]");
		if (!c->path)
			complete_list(o, connection_words("out"));
		complete_list(o, connection_words("tcp"));
		return;
	}
	if (!c->dst) {
		hint(o, "an address, with a port as ADDRESS:PORT or [ADDRESS]:PORT; or SOURCE to DESTINATION");
		complete_listeners(s, o);
		return;
	}
	hint(o, "to DST, or what else is known of the connection: KEY VALUE");
	complete_add_help(o, "->", "the address in front is the source");
	complete_add_help(o, "to", "the address in front is the source");
	complete_list(o, connection_keys);
}

void complete_settings(struct session *s, struct offer *o)
{
	const char *eq = strchr(o->prefix, '=');
	char name[64], lead[128];

	(void)s;
	if (eq) {
		snprintf(name, sizeof(name), "%.*s", (int)(eq - o->prefix), o->prefix);
		snprintf(lead, sizeof(lead), "%s%s=", o->lead, name);
		complete_list(&(struct offer){ .c = o->c, .prefix = eq + 1, .lead = lead }, session_setting_choices(name));
		if (strcmp(name, "host-root") == 0)
			complete_files(&(struct offer){ .c = o->c, .prefix = eq + 1, .lead = lead });
		return;
	}
	for (unsigned i = 0; session_setting_name(i); i++) {
		snprintf(name, sizeof(name), "%s=", session_setting_name(i));
		complete_add(o, name);
	}
	o->c->no_space = true;
}

static void istio_value(struct session *s, struct offer *o, const struct istio_setting *set)
{
	static const char *const truth[] = { "true", "false", NULL }, *const modes[] = { "REDIRECT", "TPROXY", NULL };
	static const char *const all[] = { "*", NULL };

	snprintf(o->c->hint, sizeof(o->c->hint), "%s (%s)", set->help, istio_setting_values(set));
	if (strcmp(set->env, "ISTIO_INBOUND_INTERCEPTION_MODE") == 0) {
		complete_list(o, modes);
		return;
	}
	switch (set->kind) {
	case ISTIO_BOOL:
	case ISTIO_TRISTATE: complete_list(o, truth); break;
	case ISTIO_PORT:
	case ISTIO_PORTS: complete_ports(s, o); break;
	case ISTIO_PORTS_STAR:
		complete_list(o, all);
		complete_ports(s, o);
		break;
	case ISTIO_CIDRS_STAR:
	case ISTIO_GROUPS_STAR: complete_list(o, all); break;
	case ISTIO_IDS: complete_uids(s, o); break;
	case ISTIO_INTERFACES: complete_interfaces(s, o); break;
	default: break;
	}
	complete_list(o, set->choices);
}

void complete_istio_settings(struct session *s, struct offer *o)
{
	const char *eq = strchr(o->prefix, '=');
	char text[192];

	if (eq) {
		const struct istio_setting *set = istio_setting_find(o->prefix, (size_t)(eq - o->prefix));

		snprintf(text, sizeof(text), "%s%.*s", o->lead, (int)(eq + 1 - o->prefix), o->prefix);
		if (set)
			istio_value(s, &(struct offer){ .c = o->c, .prefix = eq + 1, .lead = text }, set);
		return;
	}
	for (const struct istio_setting *set = istio_settings; set->field; set++) {
		snprintf(text, sizeof(text), "%s=", set->env);
		complete_add_help(o, text, set->help);
	}
	o->c->no_space = true;
}
