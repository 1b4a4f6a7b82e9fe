/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record - the legacy tables of a namespace as the kernel hands them out, undecoded */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/xt/blob.h"
#include "nsutil/xt/xt.h"

static int each_table(int fd, const struct xt_blob_family *f, struct arena *a, char *names,
		      int (*each)(void *arg, const struct xt_blob *b), void *arg, struct err *e)
{
	char *save = NULL;

	for (char *n = strtok_r(names, "\n", &save); n; n = strtok_r(NULL, "\n", &save)) {
		struct xt_blob b = { .family = f };

		if (strlen(n) >= sizeof(b.table))
			continue;
		memcpy(b.table, n, strlen(n));
		if (xt_blob_fetch(fd, a, &b, e) < 0)
			return err_wrap(e, "%s table '%s'", family_name(f->family), n);
		if (each(arg, &b) < 0)
			return err_oom(e);
	}
	return 0;
}

int xt_record(const struct netns *ns, const struct xt_blob_family *f, struct arena *a, bool *ret_offered,
	      int (*each)(void *arg, const struct xt_blob *b), void *arg, struct err *e)
{
	_cleanup_free_ char *names = NULL;
	_cleanup_close_ int fd = -1;

	*ret_offered = false;
	if (xt_table_names(ns, f, &names, e) < 0)
		return -1;
	if (!names)
		return 0;
	*ret_offered = true;
	if (!names[0])
		return 0;
	fd = netns_socket(ns, f->domain, SOCK_DGRAM, 0, e);
	return fd < 0 ? -1 : each_table(fd, f, a, names, each, arg, e);
}
