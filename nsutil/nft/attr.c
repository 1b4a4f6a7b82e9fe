/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attr - netlink attributes of nf_tables messages, read with every length checked */
#include "nsutil/nft/attr.h"

/* A whole attribute must lie within the bytes; mnl_attr_ok() takes an int length. */
static bool attr_fits(const struct nlattr *a, size_t left)
{
	return left >= sizeof(*a) && a->nla_len >= sizeof(*a) && a->nla_len <= left;
}

void attr_parse(const void *p, size_t len, unsigned max, struct attrs *ret)
{
	const char *at = p;

	memset(ret, 0, sizeof(*ret));
	while (attr_fits((const struct nlattr *)at, len)) {
		const struct nlattr *a = (const struct nlattr *)at;
		unsigned type = a->nla_type & NLA_TYPE_MASK, step = NLA_ALIGN(a->nla_len);

		if (type <= max && type <= ATTR_MAX)
			ret->a[type] = a;
		else
			ret->unknown = true;
		if (step >= len)
			break;
		at += step;
		len -= step;
	}
}

void attr_nested(const struct nlattr *nest, unsigned max, struct attrs *ret)
{
	attr_parse(attr_data(nest), attr_len(nest), max, ret);
}

const struct nlattr *attr_first(const struct nlattr *nest)
{
	const struct nlattr *a = attr_data(nest);

	return a && attr_fits(a, attr_len(nest)) ? a : NULL;
}

const struct nlattr *attr_next(const struct nlattr *nest, const struct nlattr *at)
{
	size_t used = (size_t)((const char *)at - (const char *)attr_data(nest)) + NLA_ALIGN(at->nla_len);
	const struct nlattr *a = (const struct nlattr *)((const char *)attr_data(nest) + used);

	return used < attr_len(nest) && attr_fits(a, attr_len(nest) - used) ? a : NULL;
}
