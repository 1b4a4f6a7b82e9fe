/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addr - IP addresses and prefixes: parse, print, compare */
#ifndef NSUTIL_BASE_ADDR_H
#define NSUTIL_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* 'family' is AF_INET, AF_INET6 or 0 (AF_UNSPEC: no address). 'b' is in network order. */
struct addr {
	uint8_t family;
	uint8_t b[16];
};

#define ADDR_TEXT 46   /* room for any address as text */
#define ADDR_PREFIX_TEXT 52

static inline unsigned addr_len(const struct addr *a)
{
	return a->family == 2 /* AF_INET */ ? 4 : a->family ? 16 : 0;
}

/**
 * addr_parse() - read an address ("10.0.0.1", "2001:db8::1"; "[...]" around IPv6 is accepted)
 * @text:	the text, nothing may follow the address
 * @ret:	set on success
 *
 * Return: 0, or -1 when it is no address
 */
int addr_parse(const char *text, struct addr *ret);

/**
 * addr_parse_prefix() - read "ADDRESS[/LEN]"; without LEN it is the family's full length
 * @text:	the text
 * @ret:	address as written, host bits kept
 * @ret_len:	prefix length
 *
 * Return: 0, or -1 when it is no prefix
 */
int addr_parse_prefix(const char *text, struct addr *ret, unsigned *ret_len);

/* addr_fmt() - print into the caller's buffer of ADDR_TEXT bytes; returns that buffer */
char *addr_fmt(const struct addr *a, char text[ADDR_TEXT]);

bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_in(const struct addr *a, const struct addr *net, unsigned len); /* families must match */
bool addr_is_loopback(const struct addr *a);
bool addr_is_any(const struct addr *a);
bool addr_is_zeronet(const struct addr *a); /* 0.0.0.0/8 */
bool addr_is_multicast(const struct addr *a);
bool addr_is_linklocal(const struct addr *a);
bool addr_is_mapped(const struct addr *a); /* ::ffff:a.b.c.d, by which IPv6 sockets have IPv4 connections */
/* addr_unmap() - a mapped address becomes the IPv4 one; Return: was it one? Others stay */
bool addr_unmap(struct addr *a);

/* addr_from_hex() - read an IPv6 address as /proc/net has it: 32 digits, which the caller has seen are there; Return: is it one? */
bool addr_from_hex(const char *hex, struct addr *ret);

/* addr_from() - make an address of the family's raw bytes in network order */
struct addr addr_from(uint8_t family, const void *bytes);

/* addr_from_v4() - the same of AF_INET. It is written in one go: who reads it as a whole would else have to wait until the
 * parts have reached the cache. */
static inline struct addr addr_from_v4(const void *bytes)
{
	typedef uint64_t whole __attribute__((vector_size(16)));
	struct addr a;
	uint32_t v4;
	whole w;

	memcpy(&v4, bytes, 4);
	/* the family's byte, the first four of 'b', and zeros, as they stand in memory */
	w = (whole){ __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 2 /* AF_INET */ | (uint64_t)v4 << 8
							       : (uint64_t)2 << 56 | (uint64_t)v4 << 24, 0 };
	memcpy(&a, &w, sizeof(w));
	a.b[15] = 0;
	return a;
}

/**
 * addr_mask_len() - the prefix length of a netmask
 * @mask:	netmask bytes
 * @n:		4 or 16
 *
 * Return: 0..n*8, or -1 when the mask is not contiguous
 */
int addr_mask_len(const uint8_t *mask, unsigned n);

#endif
