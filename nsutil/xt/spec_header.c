/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spec_header - options of the fixed part of a rule: -s -d -i -o -p -f -m -j -g -c */
#include <linux/netfilter.h>
#include <stdio.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/xt/spec.h"

static const struct {
	const char *name;
	char letter;
} long_names[] = {
	{ "source", 's' },	{ "src", 's' },		 { "destination", 'd' },   { "dst", 'd' },
	{ "in-interface", 'i' }, { "out-interface", 'o' }, { "protocol", 'p' },	   { "proto", 'p' },
	{ "fragments", 'f' },	{ "fragment", 'f' },	 { "match", 'm' },	   { "jump", 'j' },
	{ "goto", 'g' },	{ "set-counters", 'c' },
};

char spec_short(const char *word)
{
	if (word[0] != '-')
		return 0;
	if (word[1] != '-')
		return word[1] && strchr("sdiopfmjgc", word[1]) ? word[1] : 0;
	for (size_t i = 0; i < ARRAY_SIZE(long_names); i++)
		if (strcmp(word + 2, long_names[i].name) == 0)
			return long_names[i].letter;
	return 0;
}

const char *spec_arg(struct spec *s, const char *option)
{
	if (s->at < s->n)
		return s->words[s->at++];
	err_set(s->e, ERR_USAGE, option, "its value is missing");
	return NULL;
}

struct net {
	uint8_t addr[16], mask[16];
};

static int take_net(struct spec *s, const char *text, char letter)
{
	static const struct xt_opt at = { .off = offsetof(struct net, addr), .off2 = offsetof(struct net, mask) };
	struct net net = { .addr = { 0 } };
	const char *opt = letter == 's' ? "s" : "d";
	struct xt_parse p = { .arena = s->a, .family = s->family, .data = (uint8_t *)&net, .opt = opt, .args = &text };

	if (strchr(text, ','))
		return xt_bad(&p, s->e, "only one address for a rule");
	if (xt_addr_mask.parse(&at, &p, s->e) < 0)
		return -1;
	xt_mask_addr(net.addr, net.mask);
	if (s->family == NFPROTO_IPV4) {
		struct ipt_ip *ip = &s->header.v4.ip;

		memcpy(letter == 's' ? &ip->src : &ip->dst, net.addr, 4);
		memcpy(letter == 's' ? &ip->smsk : &ip->dmsk, net.mask, 4);
		ip->invflags |= s->invert ? (letter == 's' ? IPT_INV_SRCIP : IPT_INV_DSTIP) : 0;
	} else {
		struct ip6t_ip6 *ip = &s->header.v6.ipv6;

		memcpy(letter == 's' ? &ip->src : &ip->dst, net.addr, 16);
		memcpy(letter == 's' ? &ip->smsk : &ip->dmsk, net.mask, 16);
		ip->invflags |= s->invert ? (letter == 's' ? IP6T_INV_SRCIP : IP6T_INV_DSTIP) : 0;
	}
	return 0;
}

static int take_iface(struct spec *s, const char *text, bool in)
{
	size_t len = strlen(text), masked = len + 1;
	bool v4 = s->family == NFPROTO_IPV4;
	char *name = v4 ? (in ? s->header.v4.ip.iniface : s->header.v4.ip.outiface)
			: (in ? s->header.v6.ipv6.iniface : s->header.v6.ipv6.outiface);
	unsigned char *mask = v4 ? (in ? s->header.v4.ip.iniface_mask : s->header.v4.ip.outiface_mask)
				 : (in ? s->header.v6.ipv6.iniface_mask : s->header.v6.ipv6.outiface_mask);

	if (len == 0 || len >= IFNAMSIZ)
		return err_set(s->e, ERR_USAGE, in ? "-i" : "-o", "'%.40s' is not an interface name", text);
	if (text[len - 1] == '+')
		masked = len - 1;
	memset(name, 0, IFNAMSIZ);
	memcpy(name, text, len);
	memset(mask, 0, IFNAMSIZ);
	memset(mask, 0xff, masked);
	if (s->invert && v4)
		s->header.v4.ip.invflags |= in ? IPT_INV_VIA_IN : IPT_INV_VIA_OUT;
	else if (s->invert)
		s->header.v6.ipv6.invflags |= in ? IP6T_INV_VIA_IN : IP6T_INV_VIA_OUT;
	return 0;
}

static int take_proto(struct spec *s, const char *text)
{
	int proto = xt_proto_number(text);

	if (proto < 0) {
		err_set(s->e, ERR_USAGE, "-p", "'%.40s' is not a protocol", text);
		return err_hint(s->e, "give the protocol as a number");
	}
	if (proto == 0 && s->invert)
		return err_set(s->e, ERR_USAGE, "-p", "all protocols, negated, would never match");
	s->proto = (uint8_t)proto;
	s->proto_inverted = s->invert;
	if (s->family == NFPROTO_IPV4) {
		s->header.v4.ip.proto = (uint8_t)proto;
		s->header.v4.ip.invflags |= s->invert ? IPT_INV_PROTO : 0;
	} else {
		s->header.v6.ipv6.proto = (uint8_t)proto;
		s->header.v6.ipv6.flags |= proto ? IP6T_F_PROTO : 0;
		s->header.v6.ipv6.invflags |= s->invert ? IP6T_INV_PROTO : 0;
	}
	return 0;
}

static int take_fragment(struct spec *s)
{
	if (s->family != NFPROTO_IPV4)
		return err_set(s->e, ERR_USAGE, "-f", "there is no such option for IPv6");
	s->header.v4.ip.flags |= IPT_F_FRAG;
	s->header.v4.ip.invflags |= s->invert ? IPT_INV_FRAG : 0;
	return 0;
}

static bool is_verdict(const char *name)
{
	return strcmp(name, "ACCEPT") == 0 || strcmp(name, "DROP") == 0 || strcmp(name, "RETURN") == 0 ||
	       strcmp(name, "QUEUE") == 0;
}

static int take_jump(struct spec *s, const char *name, bool go)
{
	if (s->has_target || s->jump)
		return err_set(s->e, ERR_USAGE, go ? "-g" : "-j", "a rule has only one target");
	if (!*name || strlen(name) >= XT_EXTENSION_MAXNAMELEN)
		return err_set(s->e, ERR_USAGE, go ? "-g" : "-j", "'%.40s' cannot be a chain's name", name);
	if (!go && !is_verdict(name) && xt_codec_spelled(s->family, true, name))
		return spec_load(s, true, name);
	s->jump = name;
	s->go = go;
	return 0;
}

static int take_counters(struct spec *s, const char *packets)
{
	static const struct xt_parse p = { .opt = "c" };
	const char *bytes = spec_arg(s, "-c");

	if (!bytes || xt_number(&p, packets, 0, UINT64_MAX, &s->packets, s->e) < 0 ||
	    xt_number(&p, bytes, 0, UINT64_MAX, &s->bytes, s->e) < 0)
		return -1;
	s->has_counters = true;
	return 0;
}

int spec_header(struct spec *s, char letter)
{
	const char option[] = { '-', letter, '\0' };
	const char *arg = NULL;

	if (s->invert && !strchr("sdiopf", letter))
		return err_set(s->e, ERR_USAGE, option, "it cannot be negated");
	if (letter != 'f') {
		arg = spec_arg(s, option);
		if (!arg)
			return -1;
	}
	switch (letter) {
	case 's':
	case 'd': return take_net(s, arg, letter);
	case 'i':
	case 'o': return take_iface(s, arg, letter == 'i');
	case 'p': return take_proto(s, arg);
	case 'f': return take_fragment(s);
	case 'm': return spec_load(s, false, arg);
	case 'c': return take_counters(s, arg);
	default: return take_jump(s, arg, letter == 'g');
	}
}
