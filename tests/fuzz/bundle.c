/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle - fuzz harness: a bundle as a whole, and what lies packed in it, as the kernel would have said it */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/base64.h"
#include "nsutil/base/buf.h"
#include "nsutil/doctor/doctor.h"
#include "nsutil/dump/bundle.h"
#include "nsutil/netns/netns.h"
#include "nsutil/ruleset/text.h"

#define VIEW                                                                                              \
	"{\"ip_forward\":false,\"ip6_forward\":false,\"route_localnet_any\":false,\"ipv6_disabled\":false,"     \
	"\"port_low\":1,\"port_high\":2,\"links\":[],\"addresses\":[],\"routes\":[],\"rules\":[],\"sockets\":[]}"

static void show(const struct ruleset *rs)
{
	struct buf b _cleanup_buf_ = BUF_INIT;

	for (const struct table *t = rs->tables; t; t = t->next)
		table_nft(t, true, &b);
}

static void read_all(const char *text, size_t size)
{
	struct arena *a _cleanup_arena_ = arena_new();
	struct netview *nv _cleanup_netview_ = NULL;
	struct ruleset *rs _cleanup_ruleset_ = ruleset_new();
	struct ipset_list *sets = ipset_list_new();
	struct conn_list *conns = NULL;
	struct doctor_report report;
	struct bundle_about about;
	struct err e = ERR_INIT;

	if (!a || !rs || !sets)
		abort();
	if (bundle_load_rules(text, size, "input", rs, &e) == 0)
		show(rs);
	else if (e.code == ERR_NONE)
		abort();
	bundle_load_view(text, size, "input", &nv, NULL);
	bundle_load_ipsets(text, size, "input", sets, NULL);
	if (bundle_load_conns(text, size, "input", &conns, NULL) == 0)
		conns_free(conns);
	bundle_load_doctor(text, size, "input", a, &report, NULL);
	bundle_load_about(text, size, "input", a, &about, NULL);
	ipset_list_free(sets);
}

/* All of a bundle but one part, which is the input in base64: mutations do not get through that. */
static const char *const before[] = {
	"{\"schema\":\"cnish.bundle/1\",\"legacy\":{\"ip\":{\"tables\":[]},\"ip6\":{\"tables\":[]}},\"network\":" VIEW
	",\"nftables\":{\"answers\":\"",
	"{\"schema\":\"cnish.bundle/1\",\"network\":" VIEW ",\"nftables\":{\"answers\":\"\"},\"legacy\":{\"ip6\":{\"tables\":[]},"
	"\"ip\":{\"tables\":[{\"table\":\"nat\",\"valid_hooks\":27,\"hook_entry\":[0,152,0,304,456],\"underflow\":[0,152,0,304,456],"
	"\"n_entries\":5,\"entries\":\"",
	"{\"schema\":\"cnish.bundle/1\",\"ipsets\":{\"names\":[],\"answers\":\"",
	"{\"schema\":\"cnish.bundle/1\",\"connections\":{\"answers\":\"",
};
static const char *const behind[] = { "\"}}", "\"}]}}}", "\"}}", "\"}}" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	unsigned part = size ? data[0] % 8u : 7;

	if (part < 4) {
		buf_str(&b, before[part]);
		base64_add(&b, data + 1, size - 1);
		buf_str(&b, behind[part]);
		read_all(buf_cstr(&b), b.len);
	} else if (size) {
		read_all((const char *)data + 1, size - 1);
	}
	return 0;
}
