/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ipset - ipsets made by ipset(8) in a namespace of our own, read back and printed as it prints them */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/xt/ipset.h"

static const char *const make_sets[] = {
	"create a hash:ip timeout 60 counters",
	"add a 10.0.0.1",
	"create n hash:net family inet6 comment",
	"add n 2001:db8::/32 comment \"two words\"",
	"create p hash:ip,port",
	"add p 10.0.0.1,tcp:80",
	"add p 10.0.0.1,udp:53",
	"create q hash:ip,port,net",
	"add q 10.0.0.1,sctp:9,10.9.0.0/16",
	"create b bitmap:port range 1-100",
	"add b 5",
	"create i hash:net,iface",
	"add i 10.0.0.0/8,physdev:eth0 nomatch",
	"create m bitmap:ip,mac range 10.0.0.0/24",
	"add m 10.0.0.3,00:01:02:AB:CD:EF",
	"create l list:set",
	"add l a",
};

static int private_namespace(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET);
}

static char *run(const char *command)
{
	FILE *f = popen(command, "r");
	char *text = calloc(1, 65536);
	size_t n = fread(text, 1, 65535, f);

	text[n] = '\0';
	assert_int_equal(pclose(f), 0);
	return text;
}

/* Without what changes by itself: the seconds left. */
static void drop_timeouts(char *text)
{
	for (char *p = text; (p = strstr(p, " timeout ")) != NULL;) {
		size_t skip = 9 + strspn(p + 9, "0123456789");

		memmove(p, p + skip, strlen(p + skip) + 1);
	}
}

static void members_print_as_ipset_save_does(void **state)
{
	struct netns ns _cleanup_netns_ = NETNS_INIT;
	struct ipset_list *list = ipset_list_new();
	char *peer _cleanup_free_ = NULL;
	struct err e = ERR_INIT;
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(make_sets) / sizeof(make_sets[0]); i++) {
		char command[200];

		snprintf(command, sizeof(command), "ipset %s", make_sets[i]);
		free(run(command));
	}
	assert_int_equal(netns_open_self(&ns, &e), 0);
	assert_int_equal(ipset_read(&ns, NULL, list, &e), 0);
	peer = run("ipset save");
	drop_timeouts(peer);
	for (struct ipset *s = list->sets; s; s = s->next) {
		for (struct ipset_elem *el = s->elems; el; el = el->next, seen++) {
			struct buf b _cleanup_buf_ = BUF_INIT;

			buf_fmt(&b, "add %s ", s->name);
			ipset_elem_text(s, el, &b);
			buf_chr(&b, '\n');
			drop_timeouts(b.data);
			if (!strstr(peer, b.data))
				fail_msg("'%s' is not in\n%s", b.data, peer);
		}
	}
	assert_int_equal(seen, 9);
	assert_string_equal(ipset_find(list, "n")->type, "hash:net");
	ipset_list_free(list);
}

static void one_set_by_name_and_a_missing_one(void **state)
{
	struct netns ns _cleanup_netns_ = NETNS_INIT;
	struct ipset_list *list = ipset_list_new();
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(netns_open_self(&ns, &e), 0);
	assert_int_equal(ipset_read(&ns, "p", list, &e), 0);
	assert_int_equal(list->sets->n_elems, 2);
	assert_null(list->sets->next);
	assert_int_equal(ipset_read(&ns, "nowhere", list, &e), -1);
	assert_int_equal(e.errnum, 2);
	ipset_list_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_print_as_ipset_save_does),
		cmocka_unit_test(one_set_by_name_and_a_missing_one),
	};

	return cmocka_run_group_tests(tests, private_namespace, NULL);
}
