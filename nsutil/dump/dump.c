/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dump - rules out of files: which format a file has, and who reads it */
#include "nsutil/dump/dump.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/dump/bundle.h"
#include "nsutil/dump/file.h"

/* JSON is told by the first keys, which stand at the beginning. */
#define HEAD 4096

static bool head_has(const char *s, size_t n, const char *word)
{
	return memmem(s, n < HEAD ? n : HEAD, word, strlen(word)) != NULL;
}

/* A line "table [FAMILY] NAME {" */
static bool is_nft_text(const char *s, size_t n)
{
	for (const char *end = s + n; s < end;) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		size_t len = nl ? (size_t)(nl - s) : (size_t)(end - s);

		while (len && isspace((unsigned char)s[len - 1]))
			len--;
		if (len > 8 && memcmp(s, "table ", 6) == 0 && (s[len - 1] == '{' || s[len - 1] == '}'))
			return true;
		if (len > 13 && memcmp(s, "table ", 6) == 0 && memmem(s, len, "{ # handle ", 11))
			return true;
		s = nl ? nl + 1 : end;
	}
	return false;
}

enum dump_format dump_format(const char *data, size_t size)
{
	size_t i = 0;

	while (i < size && isspace((unsigned char)data[i]))
		i++;
	if (i < size && data[i] == '{') {
		if (head_has(data + i, size - i, "\"cnish.bundle/"))
			return DUMP_BUNDLE; /* has a key "nftables" too */
		if (head_has(data + i, size - i, "\"nftables\""))
			return DUMP_NFT_JSON;
	}
	if (dump_has_save(data, size))
		return DUMP_SAVE;
	return is_nft_text(data, size) ? DUMP_NFT_TEXT : DUMP_UNKNOWN;
}

int dump_load_data(enum dump_format format, const char *data, size_t size, const char *name,
		   struct ruleset *rs, struct err *e)
{
	switch (format) {
	case DUMP_SAVE:
		return dump_load_save(data, size, name, rs, e);
	case DUMP_NFT_JSON:
		return dump_load_nft_json(data, size, name, rs, e);
	case DUMP_NFT_TEXT:
		return dump_load_nft_text(data, size, name, rs, e);
	case DUMP_BUNDLE:
		return bundle_load_rules(data, size, name, rs, e);
	case DUMP_UNKNOWN:
		break;
	}
	/* what is wrong with a text that almost is one says more than that it is none */
	if (dump_load_save(data, size, name, rs, e) < 0)
		return -1;
	err_set(e, ERR_USAGE, name, "it holds no rules that are understood");
	return err_hint(e, "iptables-save text, 'nft -j list ruleset', 'nft list ruleset', an istio-init log, a folder "
			   "with such files, or a bundle of cnish");
}

int dump_load(const struct dump_source *src, struct ruleset *rs, struct err *e)
{
	_cleanup_free_ char *own = NULL;
	const char *data = src->data;
	size_t size = src->size;
	struct stat st;

	if (!data && stat(src->path, &st) == 0 && S_ISDIR(st.st_mode))
		return dump_load_folder(src->path, rs, e);
	if (!data) {
		if (dump_file_read(src->path, DUMP_FILE_MAX, &own, &size, e) < 0)
			return -1;
		data = own;
	}
	return dump_load_data(dump_format(data, size), data, size, src->path, rs, e);
}
