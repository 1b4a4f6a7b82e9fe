/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcap - the frames of a capture file, by libpcap where it is installed */
#include "nsutil/dump/pcap.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/time.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/base/dl.h"

#define PCAP_ERRBUF 256	       /* PCAP_ERRBUF_SIZE of pcap/pcap.h */
#define FRAME_MOST (256u << 10) /* MAXIMUM_SNAPLEN */

/* struct pcap_pkthdr, which has not changed since libpcap 0.4 */
struct frame_head {
	struct timeval at;
	uint32_t captured, length;
};

/* The functions of pcap(3) that are called; the handle is opaque. */
static const char *const function_names[] = { "pcap_open_offline", "pcap_next_ex", "pcap_datalink", "pcap_geterr", "pcap_close" };

struct library {
	void *(*open_offline)(const char *path, char *errbuf);
	int (*next_ex)(void *p, struct frame_head **head, const uint8_t **bytes);
	int (*datalink)(void *p);
	char *(*geterr)(void *p);
	void (*close)(void *p);
	void *dl;
};

static void library_close(struct library *l)
{
	if (l->dl)
		dlclose(l->dl);
}

static int library_open(struct library *l, struct err *e)
{
	/* Debian's name first */
	static const char *const names[] = { "libpcap.so.0.8", "libpcap.so.1" };

	for (unsigned i = 0; i < ARRAY_SIZE(names) && !l->dl; i++)
		l->dl = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!l->dl) {
		err_set(e, ERR_SYS, "pcap", "libpcap is not installed here");
		return err_hint(e, "install it (Debian: libpcap0.8, others: libpcap), or write the connections as "
				   "lines for --from");
	}
	if (dl_find(l->dl, function_names, ARRAY_SIZE(function_names), l))
		return err_set(e, ERR_SYS, "pcap", "the libpcap that is installed lacks functions");
	return 0;
}

static int frames(const struct library *l, void *p, const char *path, pcap_frame_fn *fn, void *ctx, struct err *e)
{
	int link = l->datalink(p), got, ret = 0;
	struct frame_head *head;
	const uint8_t *bytes;

	while (ret == 0 && (got = l->next_ex(p, &head, &bytes)) == 1) {
		if (head->captured > FRAME_MOST)
			return err_set(e, ERR_SYS, "pcap", "'%s': a frame of %u bytes", path, head->captured);
		ret = fn(ctx, link, bytes, head->captured, e);
	}
	if (ret < 0)
		return -1;
	if (ret == 0 && got == -1)
		return err_set(e, ERR_SYS, "pcap", "'%s': %s", path, l->geterr(p));
	return 0;
}

int pcap_read_file(const char *path, pcap_frame_fn *fn, void *ctx, struct err *e)
{
	struct library l __attribute__((cleanup(library_close))) = { .dl = NULL };
	char why[PCAP_ERRBUF] = "";
	void *p;
	int ret;

	if (library_open(&l, e) < 0)
		return -1;
	p = l.open_offline(path, why);
	if (!p)
		return err_set(e, ERR_SYS, "pcap", "%s%s%s", strstr(why, path) ? "" : path, strstr(why, path) ? "" : ": ", why);
	ret = frames(&l, p, path, fn, ctx, e);
	l.close(p);
	return ret;
}
