/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_istio_config - settings, istio-init's arguments, resolution and refusals */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/plan.h"

struct fixture {
	struct arena *a;
	struct istio_config *c;
	struct err e;
};

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->a = arena_new();
	assert_int_equal(istio_config_new(f->a, "none", &f->c, &f->e), 0);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;

	arena_free(f->a);
	free(f);
	return 0;
}

static void set(struct fixture *f, const char *text)
{
	if (istio_config_set(f->c, text, &f->e) < 0)
		fail_msg("%s: %s: %s", text, f->e.what, f->e.why);
}

static int args(struct fixture *f, ...)
{
	char *argv[32];
	int n = 0;
	va_list ap;

	va_start(ap, f);
	while ((argv[n] = va_arg(ap, char *)))
		n++;
	va_end(ap);
	return istio_config_argv(f->c, n, argv, &f->e);
}

static void test_sources(void **state)
{
	struct fixture *f = *state;

	/* A second variable wins over the first, whatever the order; arguments win over both. */
	set(f, "ISTIO_META_DNS_CAPTURE=true");
	set(f, "REDIRECT_DNS=false");
	assert_true(f->c->redirect_dns);
	assert_int_equal(args(f, "--redirect-dns=false", NULL), 0);
	set(f, "ISTIO_META_DNS_CAPTURE=true");
	assert_false(f->c->redirect_dns);
	set(f, "inbound-capture-port=1");
	assert_string_equal(f->c->inbound_capture_port, "1");
	set(f, "InboundCapturePort=2");
	assert_string_equal(f->c->inbound_capture_port, "2");
}

static void test_argv(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(args(f, "/usr/local/bin/pilot-agent", "istio-iptables", "-p", "15001", "-z15007", "-u=77",
			      "-m", "TPROXY", "-i", "*", "-x", "", "-b", "*", "-d", "1,2", "--dry-run",
			      "--istio-exclude-interfaces=eth9", "--istio-outbound-ports", "-1", "-nt", "5",
			      "--log_output_level=all:debug", "--log_as_json", "--log_target", "x", NULL),
			 0);
	assert_string_equal(f->c->inbound_capture_port, "15007");
	assert_string_equal(f->c->proxy_uid, "77");
	assert_string_equal(f->c->interception_mode, "TPROXY");
	assert_string_equal(f->c->outbound_ranges_exclude, "");
	assert_string_equal(f->c->exclude_interfaces, "eth9");
	assert_string_equal(f->c->outbound_ports_include, "-1"); /* the next word, whatever it is */
	assert_string_equal(f->c->tproxy_mark, "5");
	assert_true(f->c->dry_run);
}

static void test_bad_argv(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(args(f, "-p", NULL), -1);
	assert_string_equal(f->e.why, "needs a value");
	assert_int_equal(args(f, "--nothing", "x", NULL), -1);
	assert_non_null(strstr(f->e.what, "--nothing"));
	assert_int_equal(args(f, "-Z", NULL), -1);
	assert_int_equal(args(f, "operand", NULL), -1);
	assert_int_equal(args(f, "--REDIRECT_DNS=true", NULL), -1); /* a variable is no flag */
	assert_int_equal(args(f, "--redirect-dns", "true", NULL), -1); /* a switch takes no word */
	assert_int_equal(f->e.code, ERR_USAGE);
}

static void test_refusals(void **state)
{
	static const char *const bad[] = {
		"INBOUND_CAPTURE_PORT=", "INBOUND_CAPTURE_PORT=70000", "INBOUND_CAPTURE_PORT=http",
		"ISTIO_INBOUND_PORTS=80,x", "ISTIO_INBOUND_PORTS=80,*", "ISTIO_LOCAL_EXCLUDE_PORTS=*",
		"ISTIO_SERVICE_CIDR=10.0.0.0", "ISTIO_SERVICE_CIDR=10.0.0.0/33", "ISTIO_SERVICE_CIDR=*,10.0.0.0/8",
		"ISTIO_SERVICE_CIDR=10.0.0.0/08", "ISTIO_SERVICE_CIDR=fd00::/129", "ISTIO_SERVICE_CIDR=10.0.0/8",
		"ISTIO_SERVICE_EXCLUDE_CIDR=*", "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=10.0.0.0/8",
		"ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.1/7", "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=::1/128",
		"ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR=127.0.0.1", "PROXY_UID=root", "PROXY_UID=-1", "PROXY_UID=1337 -j DROP",
		"ISTIO_EXCLUDE_INTERFACES=0123456789abcdef", "ISTIO_EXCLUDE_INTERFACES=a b",
		"ISTIO_EXCLUDE_INTERFACES=eth0\n-A", "KUBE_VIRT_INTERFACES=-j", "ISTIO_INBOUND_TPROXY_MARK=0x539",
		"ISTIO_INBOUND_TPROXY_MARK=", "FORCE_IPTABLES_BINARY=ebtables", "HOST_PROBE_SNAT_IP=::1",
		"HOST_PROBE_SNAT_IPV6=1.2.3.4", "DNS_SERVERS=fe80::1%eth0", "MODE=mesh", "ENABLE_INBOUND_IPV6=maybe",
		"ISTIO_OUTBOUND_OWNER_GROUPS=a b", "ENVOY_USER=a\tb", "PROXY_UID=99999999999",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct istio_config *c;
		struct err e = ERR_INIT;
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(bad[i], "="), bad[i]);
		assert_int_equal(istio_config_new(a, "istio-init", &c, &e), 0);
		assert_int_equal(istio_config_set(c, bad[i], &e), 0);
		if (istio_config_resolve(c, NULL, &e) == 0)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(e.code, ERR_USAGE);
		assert_non_null(strstr(e.what, name));
	}
}

static void test_refused_names(void **state)
{
	static const char *const bad[] = { "REDIRECT_DNS=maybe", "NOTHING=1", "=1", "", "redirect_dns=true",
					   "ENVOY_PORT=1", "INBOUND_TPROXY_MARK=5", "INBOUND_INTERCEPTION_MODE=TPROXY",
					   "ISTIO_INBOUND_EXCLUDE_PORTS=22", "PROXY_UID" };
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		err_clear(&f->e);
		assert_int_equal(istio_config_set(f->c, bad[i], &f->e), -1);
		assert_int_equal(f->e.code, ERR_USAGE);
	}
}

static void test_groups_limit(void **state)
{
	struct fixture *f = *state;
	char text[600] = "ISTIO_OUTBOUND_OWNER_GROUPS=0";

	for (int i = 1; i < 64; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%d", i);
	set(f, text);
	assert_int_equal(istio_config_resolve(f->c, NULL, &f->e), 0);
	strcat(text, ",64");
	assert_int_equal(istio_config_new(f->a, "none", &f->c, &f->e), 0);
	set(f, text);
	assert_int_equal(istio_config_resolve(f->c, NULL, &f->e), -1);
}

/* SPEC A4: the addresses in the kernel's order decide about IPv6. */
static void test_ipv6(void **state)
{
	static const struct {
		const char *addrs[4];
		bool dual, want;
	} cases[] = {
		{ { "127.0.0.1", "10.0.0.1", "fd00::1" }, false, false },
		{ { "127.0.0.1", "10.0.0.1", "fd00::1" }, true, true },
		{ { "::1", "fe80::1", "fd00::1", "10.0.0.1" }, false, true },
		{ { "::ffff:10.0.0.1", "fd00::1" }, false, false },
		{ { "127.0.0.1", "::1" }, false, false },
		{ { "169.254.1.1", "fd00::1" }, false, true },
		{ { "10.0.0.1" }, true, false },
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct addr addrs[4];
		struct istio_facts facts = { .addrs = addrs };
		struct istio_config *c;
		struct err e = ERR_INIT;

		while (facts.n_addrs < 4 && cases[i].addrs[facts.n_addrs]) {
			assert_int_equal(addr_parse(cases[i].addrs[facts.n_addrs], &addrs[facts.n_addrs]), 0);
			facts.n_addrs++;
		}
		assert_int_equal(istio_config_new(a, "istio-init", &c, &e), 0);
		assert_int_equal(istio_config_set(c, cases[i].dual ? "DUAL_STACK=true" : "DUAL_STACK=false", &e), 0);
		assert_int_equal(istio_config_resolve(c, &facts, &e), 0);
		assert_int_equal(c->ipv6, cases[i].want);
	}
}

static void test_dns_servers(void **state)
{
	struct fixture *f = *state;
	struct istio_facts facts = {
		.resolv_conf = "# nameserver 9.9.9.9\nsearch a b\nnameserver 10.96.0.10\n"
			       "nameserver\t2001:DB8:0:0::1 # note\nnameserver fe80::1%eth0\nnameserver\nnameserver x\n"
			       "nameserver 1.1.1.1#53\nnameservers 8.8.8.8\nnameserver ::102:304",
	};

	set(f, "REDIRECT_DNS=1");
	assert_int_equal(istio_config_resolve(f->c, &facts, &f->e), 0);
	assert_true(f->c->dns);
	assert_int_equal(f->c->dns4.n, 1);
	assert_string_equal(f->c->dns4.items[0], "10.96.0.10");
	assert_int_equal(f->c->dns6.n, 2);
	assert_string_equal(f->c->dns6.items[0], "2001:db8::1");
	assert_string_equal(f->c->dns6.items[1], "::102:304"); /* as Go prints it */
}

/* The plugin hands the proxy's one variable to two settings; a typed one stays. */
static void test_cni_dns(void **state)
{
	static const struct {
		const char *preset, *setting;
		bool all;
	} cases[] = { { "cni", "ISTIO_META_DNS_CAPTURE=true", true }, { "cni", "REDIRECT_DNS=true", false },
		      { "istio-init", "ISTIO_META_DNS_CAPTURE=true", false } };
	struct fixture *f = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct istio_config *c;

		assert_int_equal(istio_config_new(f->a, cases[i].preset, &c, &f->e), 0);
		assert_int_equal(istio_config_set(c, cases[i].setting, &f->e), 0);
		assert_int_equal(istio_config_resolve(c, NULL, &f->e), 0);
		assert_int_equal(c->capture_all_dns, cases[i].all);
	}
}

static void test_dns_unreadable(void **state)
{
	struct fixture *f = *state;
	struct istio_facts facts = { .resolv_why = "No such file" };

	set(f, "REDIRECT_DNS=1");
	assert_int_equal(istio_config_resolve(f->c, &facts, &f->e), -1);
	assert_int_equal(f->e.code, ERR_SYS);
	assert_int_equal(istio_config_new(f->a, "none", &f->c, NULL), 0);
	set(f, "REDIRECT_DNS=1");
	set(f, "CAPTURE_ALL_DNS=1");
	assert_int_equal(istio_config_resolve(f->c, &facts, &f->e), 0);
}

static const char *restore(struct fixture *f, struct buf *b)
{
	struct istio_plan *p;

	if (istio_config_resolve(f->c, NULL, &f->e) < 0)
		fail_msg("%s: %s", f->e.what, f->e.why);
	assert_int_equal(istio_plan_make(f->a, f->c, &p, &f->e), 0);
	buf_reset(b);
	istio_plan_restore(&p->v4, b);
	istio_plan_restore(&p->v6, b);
	return buf_cstr(b);
}

/* SPEC B1 where no golden speaks: written from its text, not from the program's output. */
static void test_steps(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf b = BUF_INIT;
	const char *text;

	set(f, "ISTIO_INBOUND_INTERCEPTION_MODE=TPROXY");
	set(f, "ISTIO_INBOUND_PORTS=80");
	set(f, "ISTIO_EXCLUDE_INTERFACES=eth1,,eth2");
	set(f, "ISTIO_OUTBOUND_OWNER_GROUPS=");
	set(f, "ISTIO_SERVICE_CIDR=127.0.0.5/32");
	set(f, "ISTIO_INBOUND_TPROXY_MARK=7");
	set(f, "ENABLE_INBOUND_IPV6=true");
	text = restore(f, &b);
	assert_non_null(strstr(text, "-A PREROUTING -i eth2 -j RETURN\n-A OUTPUT -o eth2 -j RETURN\n"));
	assert_non_null(strstr(text, "-A ISTIO_INBOUND -p tcp --dport 80 -m conntrack --ctstate RELATED,ESTABLISHED "
				     "-j ISTIO_DIVERT\n-A ISTIO_INBOUND -p tcp --dport 80 -j ISTIO_TPROXY\n"));
	assert_non_null(strstr(text, "-A ISTIO_OUTPUT -j RETURN\n")); /* no group is captured */
	assert_null(strstr(text, "! --uid-owner")); /* a loopback range is captured */
	assert_non_null(strstr(text, "-I ISTIO_INBOUND 1 -p tcp -m mark --mark 7 -j RETURN\n"
				     "-I ISTIO_INBOUND 2 -p tcp -s ::6/128 -i lo -j RETURN\n"
				     "-I ISTIO_INBOUND 3 -p tcp -i lo -m mark ! --mark 1338 -j RETURN\n"));
	assert_non_null(strstr(text, "-A ISTIO_TPROXY ! -d ::1/128 -p tcp -j TPROXY --tproxy-mark 7/0xffffffff "
				     "--on-port 15006\n"));
}

static void test_mode_is_exact(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf b = BUF_INIT;

	set(f, "ISTIO_INBOUND_INTERCEPTION_MODE=tproxy");
	assert_null(strstr(restore(f, &b), "mangle"));
	assert_int_equal(f->c->notes.n, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		T(test_sources),   T(test_argv),	T(test_bad_argv),	T(test_refusals),
		T(test_refused_names), T(test_groups_limit), T(test_ipv6),	T(test_dns_servers),
		T(test_dns_unreadable), T(test_cni_dns), T(test_steps),	T(test_mode_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
