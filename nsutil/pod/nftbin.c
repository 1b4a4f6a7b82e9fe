/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nftbin - which nft a root file system has, found by reading its files and never by running it */
#include "nsutil/pod/nftbin.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/hostfs.h"

enum { FILE_MOST = 16 << 20 };

long nftbin_number(const char *version)
{
	unsigned a = 0, b = 0, c = 0, d = 0;

	if (sscanf(version, "%u.%u.%u.%u", &a, &b, &c, &d) < 2 || a > 99 || b > 99 || c > 99 || d > 99)
		return 0;
	return (long)a * 1000000 + b * 10000 + c * 100 + d;
}

/* A string of its own that is a version: digits and at least two dots. */
static void find_version(const char *data, size_t len, char version[16])
{
	for (size_t i = 1; i + 5 < len; i++) {
		unsigned dots = 0;
		size_t n = 0;

		if (data[i - 1] != '\0' || !isdigit((unsigned char)data[i]))
			continue;
		for (; i + n < len && n < 15 && (isdigit((unsigned char)data[i + n]) || data[i + n] == '.'); n++)
			dots += data[i + n] == '.';
		if (dots < 2 || i + n >= len || data[i + n] != '\0' || (data[i] != '0' && data[i] != '1'))
			continue;
		memcpy(version, data + i, n);
		version[n] = '\0';
		return;
	}
}

/* The program is small and its library does the work; a static one has it all. */
static void find_json(const struct hostfs *h, const char *program, size_t len, struct nftbin *b)
{
	static const char *const dirs[] = { "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib",
					    "/lib", "/lib/x86_64-linux-gnu", "/usr/local/lib" };

	if (!memmem(program, len, "libnftables.so", 14)) {
		b->json_known = true;
		b->json = memmem(program, len, "libjansson", 10) || memmem(program, len, "json_schema_version", 19);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(dirs) && !b->json_known; i++) {
		_cleanup_free_ char *data = NULL;
		char path[80];
		long n;

		snprintf(path, sizeof(path), "%s/libnftables.so.1", dirs[i]);
		n = hostfs_read(h, path, FILE_MOST, &data);
		if (n <= 0)
			continue;
		b->json_known = true;
		b->json = memmem(data, (size_t)n, "libjansson", 10) != NULL;
		if (!b->version[0])
			find_version(data, (size_t)n, b->version);
	}
}

void nftbin_find(const char *root, struct nftbin *ret)
{
	static const char *const places[] = { "/usr/local/sbin/nft", "/usr/sbin/nft", "/usr/bin/nft", "/sbin/nft", "/bin/nft" };
	const struct hostfs h = { .root = root, .proc = "/proc" };

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *data = NULL;
		long n = hostfs_read(&h, places[i], FILE_MOST, &data);

		if (n <= 0)
			continue;
		snprintf(ret->path, sizeof(ret->path), "%s", places[i]);
		if ((size_t)n < 4 || memcmp(data, "\177ELF", 4) != 0)
			return;
		find_version(data, (size_t)n, ret->version);
		find_json(&h, data, (size_t)n, ret);
		return;
	}
}
