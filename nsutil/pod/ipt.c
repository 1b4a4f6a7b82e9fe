/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipt - which iptables a root file system has, found by reading the file and never by running it */
#include "nsutil/pod/ipt.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nsutil/base/arena.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/pod/hostfs.h"

enum { BINARY_MAX = 8 << 20, LINKS_MAX = 16 };

const char *ipt_name(enum ipt_variant v)
{
	static const char *const names[] = { "none", "legacy", "nf_tables", "script", "unknown" };

	return names[v];
}

enum ipt_variant ipt_judge_name(const char *binary)
{
	const char *base = strrchr(binary, '/');

	base = base ? base + 1 : binary;
	if (strcmp(base, "xtables-nft-multi") == 0 || strcmp(base, "xtables-compat-multi") == 0 ||
	    strcmp(base, "iptables-nft") == 0)
		return IPT_NFT;
	/* Before 1.8 there was one program and one kind. */
	if (strcmp(base, "xtables-legacy-multi") == 0 || strcmp(base, "xtables-multi") == 0 ||
	    strcmp(base, "iptables-legacy") == 0)
		return IPT_LEGACY;
	return IPT_UNKNOWN;
}

/* A word "1.8.9" or "v1.8.9" that stands alone among the strings of the program. */
static void find_version(const char *data, size_t len, char version[32])
{
	for (size_t i = 1; i + 5 < len; i++) {
		size_t n = 0, dots = 0, start = i + (data[i] == 'v');

		if (data[i - 1] != '\0' || data[start] != '1' || data[start + 1] != '.')
			continue;
		while (start + n < len && n < 16 && (isdigit((unsigned char)data[start + n]) || data[start + n] == '.'))
			dots += data[start + n++] == '.';
		if (dots < 2 || start + n >= len || data[start + n] != '\0')
			continue;
		memcpy(version, data + start, n);
		version[n] = '\0';
		return;
	}
}

enum ipt_variant ipt_judge_bytes(const void *data, size_t len, char version[32])
{
	static const char elf[] = "\177ELF";

	version[0] = '\0';
	if (len >= 2 && memcmp(data, "#!", 2) == 0)
		return IPT_SCRIPT; /* iptables-wrappers, for one, replaces itself when first run */
	if (len < 4 || memcmp(data, elf, 4) != 0)
		return IPT_UNKNOWN;
	find_version(data, len, version);
	if (memmem(data, len, "xtables-nft-multi", 17) || memmem(data, len, "nf_tables", 9))
		return IPT_NFT;
	if (memmem(data, len, "xtables-legacy-multi", 20) || memmem(data, len, "can't initialize %s table", 25) ||
	    memmem(data, len, "iptc", 4))
		return IPT_LEGACY;
	return IPT_UNKNOWN;
}

/* Follows links one by one, as a process of that root would; 'path' ends as what they lead to. */
static bool resolve(const struct hostfs *h, char path[256])
{
	for (int i = 0; i < LINKS_MAX; i++) {
		_cleanup_close_ int fd = hostfs_open(h, path, O_PATH | O_NOFOLLOW);
		char to[256], next[512];
		struct stat st;
		ssize_t n;

		if (fd < 0 || fstat(fd, &st))
			return false;
		if (!S_ISLNK(st.st_mode))
			return S_ISREG(st.st_mode);
		n = readlinkat(fd, "", to, sizeof(to) - 1);
		if (n <= 0)
			return false;
		to[n] = '\0';
		if (to[0] == '/')
			snprintf(next, sizeof(next), "%s", to);
		else
			snprintf(next, sizeof(next), "%.*s/%s", (int)(strrchr(path, '/') - path), path, to);
		if (strlen(next) >= 256)
			return false;
		strcpy(path, next);
	}
	return false;
}

static void read_binary(const struct hostfs *h, struct ipt_found *f)
{
	_cleanup_free_ char *data = NULL;
	long len = hostfs_read(h, f->binary, BINARY_MAX, &data);
	enum ipt_variant by_bytes;

	f->variant = ipt_judge_name(f->binary);
	if (len < 0)
		return;
	by_bytes = ipt_judge_bytes(data, (size_t)len, f->version);
	if (f->variant == IPT_UNKNOWN || by_bytes == IPT_SCRIPT)
		f->variant = by_bytes;
}

void ipt_find(const char *root, struct ipt_found *ret)
{
	static const char *const places[] = { "/usr/local/sbin/iptables", "/usr/local/bin/iptables", "/usr/sbin/iptables",
					      "/usr/bin/iptables", "/sbin/iptables", "/bin/iptables" };
	const struct hostfs h = { .root = root, .proc = "/proc" };

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_close_ int fd = hostfs_open(&h, places[i], O_PATH | O_NOFOLLOW);

		if (fd == -ENOENT || fd == -ENOTDIR)
			continue;
		if (fd < 0) {
			ret->variant = IPT_UNKNOWN;
			return;
		}
		snprintf(ret->path, sizeof(ret->path), "%s", places[i]);
		snprintf(ret->binary, sizeof(ret->binary), "%s", places[i]);
		ret->variant = IPT_UNKNOWN;
		if (resolve(&h, ret->binary))
			read_binary(&h, ret);
		return;
	}
	ret->variant = IPT_NONE;
}
