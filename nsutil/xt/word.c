/* SPDX-License-Identifier: GPL-2.0-or-later */
/* word - reading and printing of single words: numbers, ports, quoted strings, protocol names */
#include <errno.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/xt/type.h"

int xt_bad(const struct xt_parse *p, struct err *e, const char *fmt, ...)
{
	char what[256], why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (p->codec)
		snprintf(what, sizeof(what), "%s %s: --%s", p->codec->target ? "-j" : "-m",
			 p->codec->spelling ? p->codec->spelling : p->codec->name, p->opt);
	else
		snprintf(what, sizeof(what), "%s%s", p->opt[0] && p->opt[1] ? "--" : "-", p->opt);
	return err_set(e, ERR_USAGE, what, "%s", why);
}

int xt_number_upto(const struct xt_parse *p, const char *text, const char *ends, uint64_t max,
		   uint64_t *ret, const char **ret_rest, struct err *e)
{
	unsigned long long v;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return xt_bad(p, e, "'%s' is not a number", text);
	errno = 0;
	v = strtoull(text, &end, 0);
	if (*end && !strchr(ends, *end))
		return xt_bad(p, e, "'%s' is not a number", text);
	if (errno == ERANGE || v > max)
		return xt_bad(p, e, "'%s' is more than %llu", text, (unsigned long long)max);
	*ret = v;
	if (ret_rest)
		*ret_rest = end;
	return 0;
}

int xt_number(const struct xt_parse *p, const char *text, uint64_t min, uint64_t max, uint64_t *ret,
	      struct err *e)
{
	uint64_t v;

	if (xt_number_upto(p, text, "", max, &v, NULL, e) < 0)
		return -1;
	if (v < min)
		return xt_bad(p, e, "'%s' is less than %llu", text, (unsigned long long)min);
	*ret = v;
	return 0;
}

int xt_number_pair(const struct xt_parse *p, const char *text, char sep, bool open, uint64_t max,
		   uint64_t *ret_from, uint64_t *ret_to, struct err *e)
{
	const char ends[2] = { sep, '\0' };
	const char *rest = text;
	uint64_t from = 0, to = max;

	if (!(open && *text == sep) && xt_number_upto(p, text, ends, max, &from, &rest, e) < 0)
		return -1;
	if (*rest == '\0')
		to = from;
	else if (!(open && rest[1] == '\0') && xt_number(p, rest + 1, 0, max, &to, e) < 0)
		return -1;
	*ret_from = from;
	*ret_to = to;
	return 0;
}

/* Names are not looked up (NSS may hang in a pod); these few stand in many hand-written rules. */
static const struct xt_word ports[] = {
	{ "ssh", 22 },	  { "smtp", 25 },  { "domain", 53 }, { "bootps", 67 }, { "bootpc", 68 },
	{ "http", 80 },	  { "ntp", 123 },  { "snmp", 161 },  { "https", 443 }, { NULL, 0 },
};

int xt_port(const struct xt_parse *p, const char *text, uint16_t *ret, struct err *e)
{
	const struct xt_word *w = xt_find_word(ports, text, strlen(text));
	uint64_t v;

	if (w) {
		*ret = (uint16_t)w->value;
		return 0;
	}
	if (xt_number(p, text, 0, UINT16_MAX, &v, e) < 0)
		return err_hint(e, "give the port as a number");
	*ret = (uint16_t)v;
	return 0;
}

int xt_copy_string(const struct xt_parse *p, const char *text, void *to, size_t size, struct err *e)
{
	size_t len = strlen(text);

	if (len >= size)
		return xt_bad(p, e, "'%.40s' is longer than %zu characters", text, size - 1);
	memset(to, 0, size);
	memcpy(to, text, len);
	return 0;
}

static bool plain_char(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       c == '-';
}

void xt_save_string(const char *s, size_t max, struct buf *b)
{
	size_t len = strnlen(s, max), plain = 0;

	while (plain < len && plain_char((unsigned char)s[plain]))
		plain++;
	buf_chr(b, ' ');
	if (len && plain == len) {
		buf_add(b, s, len);
		return;
	}
	buf_chr(b, '"');
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"' || s[i] == '\\' || s[i] == '\'')
			buf_chr(b, '\\');
		buf_chr(b, s[i]);
	}
	buf_chr(b, '"');
}

/*
 * As iptables prints them: the names of Debian's /etc/protocols, which it asks first, then those of
 * its own table. A table rather than the file, so that the output does not depend on where cnish runs.
 */
static const struct xt_word protocols[] = {
	{ "tcp", 6 }, { "udp", 17 }, { "icmp", 1 }, { "ipv6-icmp", 58 }, { "sctp", 132 },
	{ "icmpv6", 58 }, { "udplite", 136 }, { "igmp", 2 }, { "ggp", 3 }, { "ipencap", 4 },
	{ "st", 5 }, { "egp", 8 }, { "igp", 9 }, { "pup", 12 }, { "hmp", 20 }, { "xns-idp", 22 },
	{ "rdp", 27 }, { "iso-tp4", 29 }, { "dccp", 33 }, { "xtp", 36 }, { "ddp", 37 },
	{ "idpr-cmtp", 38 }, { "ipv6", 41 }, { "ipv6-route", 43 }, { "ipv6-frag", 44 },
	{ "idrp", 45 }, { "rsvp", 46 }, { "gre", 47 }, { "esp", 50 }, { "ah", 51 }, { "skip", 57 },
	{ "ipv6-nonxt", 59 }, { "ipv6-opts", 60 }, { "rspf", 73 }, { "vmtp", 81 }, { "eigrp", 88 },
	{ "ospf", 89 }, { "ax.25", 93 }, { "ipip", 94 }, { "etherip", 97 }, { "encap", 98 },
	{ "pim", 103 }, { "ipcomp", 108 }, { "vrrp", 112 }, { "l2tp", 115 }, { "isis", 124 },
	{ "fc", 133 }, { "mobility-header", 135 }, { "mh", 135 }, { "ipv6-mh", 135 },
	{ "mpls-in-ip", 137 }, { "manet", 138 }, { "hip", 139 }, { "shim6", 140 }, { "wesp", 141 },
	{ "rohc", 142 }, { "ethernet", 143 }, { "all", 0 }, { NULL, 0 },
};

const char *xt_proto_name(uint8_t proto)
{
	return proto ? xt_word_name(protocols, proto) : NULL;
}

int xt_proto_number(const char *text)
{
	const struct xt_word *w = xt_find_word(protocols, text, strlen(text));
	unsigned long v;
	char *end;

	if (w)
		return (int)w->value;
	if (*text < '0' || *text > '9')
		return -1;
	v = strtoul(text, &end, 0);
	return *end || v > 255 ? -1 : (int)v;
}
