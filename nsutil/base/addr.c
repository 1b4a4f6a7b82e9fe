/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addr - IP addresses and prefixes: parse, print, compare */
#include "nsutil/base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

int addr_parse(const char *text, struct addr *ret)
{
	struct addr a = { 0 };
	char inner[ADDR_TEXT];
	size_t len = strlen(text);

	if (len > 2 && text[0] == '[' && text[len - 1] == ']' && len - 2 < sizeof(inner)) {
		memcpy(inner, text + 1, len - 2);
		inner[len - 2] = '\0';
		if (!strchr(inner, ':'))
			return -1;
		text = inner;
	}
	if (inet_pton(AF_INET, text, a.b) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, a.b) == 1)
		a.family = AF_INET6;
	else
		return -1;
	*ret = a;
	return 0;
}

/* Decimal digits only: strtoul would take signs and blanks. */
static int parse_len(const char *s, unsigned max, unsigned *ret)
{
	unsigned v = 0;

	if (!*s)
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		v = v * 10 + (unsigned)(*s - '0');
		if (v > max)
			return -1;
	}
	*ret = v;
	return 0;
}

int addr_parse_prefix(const char *text, struct addr *ret, unsigned *ret_len)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char host[ADDR_TEXT + 2];
	struct addr a;
	unsigned len;

	if (n >= sizeof(host))
		return -1;
	memcpy(host, text, n);
	host[n] = '\0';
	if (addr_parse(host, &a) < 0)
		return -1;
	len = addr_len(&a) * 8;
	if (slash && parse_len(slash + 1, len, &len) < 0)
		return -1;
	*ret = a;
	*ret_len = len;
	return 0;
}

/* A batch of traces prints millions: by hand. */
static void fmt_v4(const uint8_t b[4], char *p)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned v = b[i];

		if (v >= 100)
			*p++ = (char)('0' + v / 100);
		if (v >= 10)
			*p++ = (char)('0' + v / 10 % 10);
		*p++ = (char)('0' + v % 10);
		*p++ = i < 3 ? '.' : '\0';
	}
}

char *addr_fmt(const struct addr *a, char text[ADDR_TEXT])
{
	if (a->family == AF_INET)
		fmt_v4(a->b, text);
	else if (!a->family || !inet_ntop(a->family, a->b, text, ADDR_TEXT))
		strcpy(text, "*");
	return text;
}

/* IPv4 is compared as a number: that takes no call. */
static uint32_t v4_number(const struct addr *a)
{
	uint32_t n;

	memcpy(&n, a->b, 4);
	return ntohl(n);
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return v4_number(a) == v4_number(b);
	return !a->family || memcmp(a->b, b->b, 16) == 0;
}

bool addr_in(const struct addr *a, const struct addr *net, unsigned len)
{
	unsigned bytes = len / 8, bits = len % 8;
	uint8_t mask = (uint8_t)(0xff00u >> bits);

	if (a->family == AF_INET && net->family == AF_INET && len <= 32)
		return !len || (v4_number(a) ^ v4_number(net)) >> (32 - len) == 0;

	if (a->family != net->family || !a->family || len > addr_len(a) * 8)
		return false;
	if (memcmp(a->b, net->b, bytes) != 0)
		return false;
	return bits == 0 || ((a->b[bytes] ^ net->b[bytes]) & mask) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
	static const uint8_t v6[16] = { [15] = 1 };

	return a->family == AF_INET ? a->b[0] == 127
				    : a->family == AF_INET6 && memcmp(a->b, v6, 16) == 0;
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return a->family && memcmp(a->b, zero, addr_len(a)) == 0;
}

bool addr_is_mapped(const struct addr *a)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return a->family == AF_INET6 && memcmp(a->b, prefix, sizeof(prefix)) == 0;
}

bool addr_unmap(struct addr *a)
{
	bool mapped = addr_is_mapped(a);

	if (mapped)
		*a = addr_from(AF_INET, a->b + 12);
	return mapped;
}

bool addr_is_multicast(const struct addr *a)
{
	return a->family == AF_INET ? (a->b[0] & 0xf0) == 0xe0
				    : a->family == AF_INET6 && a->b[0] == 0xff;
}

bool addr_is_zeronet(const struct addr *a)
{
	return a->family == AF_INET && a->b[0] == 0;
}

bool addr_from_hex(const char *hex, struct addr *ret)
{
	uint8_t b[16];

	for (unsigned i = 0; i < sizeof(b); i++)
		if (sscanf(hex + 2 * i, "%2hhx", &b[i]) != 1)
			return false;
	*ret = addr_from(AF_INET6, b);
	return true;
}

bool addr_is_linklocal(const struct addr *a)
{
	return a->family == AF_INET
		       ? a->b[0] == 169 && a->b[1] == 254
		       : a->family == AF_INET6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

struct addr addr_from(uint8_t family, const void *bytes)
{
	struct addr a = { .family = family };

	if (family == AF_INET)
		return addr_from_v4(bytes);
	if (family)
		memcpy(a.b, bytes, 16);
	return a;
}

int addr_mask_len(const uint8_t *mask, unsigned n)
{
	unsigned len = 0;

	while (len < n * 8 && (mask[len / 8] >> (7 - len % 8)) & 1)
		len++;
	for (unsigned i = len; i < n * 8; i++)
		if ((mask[i / 8] >> (7 - i % 8)) & 1)
			return -1;
	return (int)len;
}
