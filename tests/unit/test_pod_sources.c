/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pod_sources - readers of control groups, runtimes' answers and state files, on texts as they occur */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>


#include "nsutil/base/cleanup.h"
#include "nsutil/pod/bundle.h"
#include "nsutil/pod/cgroup.h"
#include "nsutil/pod/docker.h"
#include "nsutil/pod/gather.h"
#include "nsutil/pod/grpc.h"
#include "nsutil/pod/http.h"
#include "nsutil/pod/ipt.h"
#include "nsutil/pod/jget.h"
#include "nsutil/pod/mesh.h"
#include "nsutil/pod/proc.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ID2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID "11111111-2222-3333-4444-555555555501"
#define UID_ "11111111_2222_3333_4444_555555555501"
#define HASH "0123456789abcdef0123456789abcdef"

static const struct {
	const char *text, *id, *uid, *runtime;
} groups[] = {
	/* cgroupfs driver: v1, v2, hybrid; quality of service classes */
	{ "4:memory:/kubepods/besteffort/pod" UID "/" ID "\n", ID, UID, NULL },
	{ "0::/kubepods/burstable/pod" UID "/" ID "\n", ID, UID, NULL },
	{ "0::/kubepods/pod" UID "/" ID, ID, UID, NULL },
	{ "9:name=systemd:/\n8:pids:/kubepods/pod" UID "/" ID "\n0::/\n", ID, UID, NULL },
	/* systemd driver */
	{ "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/cri-containerd-" ID
	  ".scope\n", ID, UID, "containerd" },
	{ "0::/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope\n", ID, UID, "cri-o" },
	{ "0::/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope/container\n", ID, UID, "cri-o" },
	{ "0::/kubepods.slice/kubepods-pod" UID_ ".slice/crio-conmon-" ID ".scope\n", "", UID, NULL },
	{ "1:cpu:/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/docker-" ID ".scope\n",
	  ID, UID, "docker" },
	/* static pods have a hash for uid */
	{ "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" HASH ".slice/cri-containerd-" ID ".scope",
	  ID, HASH, "containerd" },
	{ "0::/kubepods/burstable/pod" HASH "/" ID, ID, HASH, NULL },
	/* a systemd path given to the cgroupfs driver */
	{ "0::/system.slice/containerd.service/kubepods-besteffort-pod" UID_ ".slice:cri-containerd:" ID "\n", ID, UID,
	  "containerd" },
	/* within a cgroup namespace, and below somebody else's groups */
	{ "0::/../../kubepods/besteffort/pod" UID "/" ID "\n", ID, UID, NULL },
	{ "0::/../cri-containerd-" ID ".scope\n", ID, "", "containerd" },
	{ "0::/lxc/node1/kubepods/besteffort/pod" UID "/" ID "\n", ID, UID, NULL },
	/* kind: a node within docker; docker within a pod: the pod's own container */
	{ "0::/docker/" ID2 "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_ ".slice/cri-containerd-" ID
	  ".scope\n", ID, UID, "containerd" },
	{ "4:memory:/kubepods/pod" UID "/" ID "/docker/" ID2 "\n", ID, UID, NULL },
	{ "0::/kubepods/pod" UID "/" ID "/system.slice/ssh.service\n", ID, UID, NULL },
	/* no Kubernetes */
	{ "0::/docker/" ID "\n", ID, "", "docker" },
	{ "0::/system.slice/docker-" ID ".scope\n", ID, "", "docker" },
	{ "0::/libpod_parent/libpod-" ID "\n", ID, "", "podman" },
	{ "0::/libpod_parent/" ID2 "/libpod-" ID "\n", ID, "", "podman" },
	{ "0::/machine.slice/libpod-" ID ".scope/container\n", ID, "", "podman" },
	{ "0::/machine.slice/libpod-conmon-" ID ".scope\n", NULL, NULL, NULL },
	{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope\n", ID, "", "podman" },
	/* nothing */
	{ "0::/\n", NULL, NULL, NULL },
	{ "", NULL, NULL, NULL },
	{ "0::/user.slice/user-0.slice/session-1.scope\n12:cpu:/", NULL, NULL, NULL },
	{ "0::/docker/0123\n", NULL, NULL, NULL },
	{ "0::/podcast/pod/pod-x/pod.slice/-pod.slice\n", NULL, NULL, NULL },
	{ "0::/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n", NULL, NULL, NULL },
	{ ":::::::\n:\n::/:\n::/::\n/" ID, NULL, NULL, NULL },
};

static void cgroups(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		struct cgroup_id c;
		bool found = cgroup_parse(groups[i].text, &c);

		if (found != (groups[i].id != NULL))
			fail_msg("%s: %s", groups[i].text, found ? "found" : "not found");
		if (!found)
			continue;
		if (strcmp(c.id, groups[i].id) || strcmp(c.pod_uid, groups[i].uid) ||
		    strcmp(c.runtime ? c.runtime : "-", groups[i].runtime ? groups[i].runtime : "-"))
			fail_msg("%s: id %s uid %s runtime %s", groups[i].text, c.id, c.pod_uid, c.runtime);
	}
}

static struct gather *gather_here(struct gather *g, const char *root)
{
	memset(g, 0, sizeof(*g));
	g->arena = arena_new();
	assert_non_null(g->arena);
	assert_int_equal(hostfs_init(&g->host, root, g->arena), 0);
	return g;
}

static struct record *inspected(struct gather *g, const char *id, const char *text)
{
	json_t *j _cleanup_json_ = jget_load(text, strlen(text), NULL, 0);
	struct record *r = gather_record(g, id);

	assert_non_null(j);
	docker_take_inspect(g, r, j, "test");
	return r;
}

static void docker_answers(void **state)
{
	struct record *r;
	struct gather g;
	char text[2048];

	(void)state;
	gather_here(&g, "/");
	snprintf(text, sizeof(text),
		 "{\"Id\":\"aa\",\"Name\":\"/web\",\"Created\":\"2024-01-02T03:04:05.5Z\",\"State\":{\"Status\":\"running\","
		 "\"Running\":true,\"Pid\":%d},\"HostConfig\":{\"NetworkMode\":\"default\"},\"NetworkSettings\":{"
		 "\"SandboxKey\":\"/var/run/docker/netns/x\",\"Networks\":{\"bridge\":{\"IPAddress\":\"10.9.0.2\","
		 "\"GlobalIPv6Address\":\"fd00::2\"}}}}", (int)getpid());
	r = inspected(&g, "aa", text);
	assert_string_equal(r->name, "web");
	assert_int_equal(r->pid, getpid());
	assert_string_equal(r->netns_path, "/var/run/docker/netns/x");
	assert_int_equal(r->n_ips, 2);
	assert_int_equal(r->created_ns, 1704164645500000000);
	assert_int_equal(r->net, NET_OWN);
	/* stopped; shares another's network; the process a stale file tells of is gone */
	r = inspected(&g, "bb", "{\"Name\":\"/side\",\"State\":{\"Running\":false,\"Pid\":0},"
				"\"HostConfig\":{\"NetworkMode\":\"container:aa\"},\"NetworkSettings\":{\"SandboxKey\":\"\"}}");
	assert_string_equal(r->shares_net, "aa");
	assert_string_equal(r->state, "exited");
	assert_null(r->netns_path);
	r = inspected(&g, "cc", "{\"Name\":\"/gone\",\"State\":{\"Running\":true,\"Pid\":2147483646}}");
	assert_int_equal(r->pid, 0);
	assert_string_equal(r->state, "exited");
	/* cri-dockerd */
	r = inspected(&g, "dd", "{\"Name\":\"/k8s_POD_cart_shop_" UID "_0\",\"Config\":{\"Labels\":{"
				"\"io.kubernetes.docker.type\":\"podsandbox\",\"io.kubernetes.pod.name\":\"cart\"}},"
				"\"State\":{\"Running\":true}}");
	assert_true(r->sandbox);
	assert_string_equal(r->k8s_namespace, "shop");
	assert_string_equal(r->pod_uid, UID);
	assert_string_equal(r->sandbox_id, "dd");
	/* every member of a type that was not expected */
	r = inspected(&g, "ee", "{\"Name\":7,\"Config\":[],\"State\":\"x\",\"NetworkSettings\":{\"Networks\":[1]},"
				"\"HostConfig\":null,\"Created\":{}}");
	assert_string_equal(r->state, "exited");
	arena_free(g.arena);
}

static void docker_lists(void **state)
{
	static const char text[] = "[{\"Id\":\"aa\",\"State\":\"running\",\"Created\":5},{\"Id\":\"../x\"},7,null]";
	struct gather g;
	json_t *j;

	(void)state;
	gather_here(&g, "/");
	j = jget_load(text, strlen(text), NULL, 0);
	assert_int_equal(docker_take_list(&g, j), 1);
	json_decref(j);
	j = jget_load("{}", 2, NULL, 0);
	assert_int_equal(docker_take_list(&g, j), -1);
	json_decref(j);
	assert_null(jget_load("[1,", 3, NULL, 0));
	arena_free(g.arena);
}

static void runc_states(void **state)
{
	struct proc_stat st;
	struct record *r;
	struct gather g;
	char text[1024];
	json_t *j;

	(void)state;
	gather_here(&g, "/");
	assert_int_equal(proc_stat("/proc", getpid(), &st), 0);
	for (int stale = 0; stale < 2; stale++) {
		snprintf(text, sizeof(text),
			 "{\"init_process_pid\":%d,\"init_process_start\":%llu,\"namespace_paths\":{\"NEWNET\":\"/run/netns/x\"},"
			 "\"config\":{\"labels\":[\"io.kubernetes.cri.sandbox-name=cart\",\"io.kubernetes.cri.sandbox-id=ss\","
			 "\"bundle=/x\",\"=\",\"nothing\",7]}}",
			 (int)getpid(), (unsigned long long)st.starttime + (unsigned)stale);
		j = jget_load(text, strlen(text), NULL, 0);
		r = gather_record(&g, stale ? "stale" : "fresh");
		bundle_take_runc(&g, r, j, "test");
		json_decref(j);
		assert_int_equal(r->pid, stale ? 0 : getpid());
		assert_string_equal(r->pod_name, "cart");
		assert_string_equal(r->sandbox_id, "ss");
		assert_string_equal(r->netns_path, "/run/netns/x");
	}
	arena_free(g.arena);
}

static void bundles(void **state)
{
	static const char spec[] =
		"{\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\",\"io.kubernetes.cri.sandbox-name\":\"ca\\u001brt\","
		"\"io.kubernetes.cri.sandbox-namespace\":\"shop\"},\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":"
		"\"network\",\"path\":\"/run/netns/x\"}]},\"mounts\":[{\"source\":\"proc\"},{\"source\":\"/data/containers/" ID
		"/hosts\"}]}";
	static const char host[] = "{\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}";
	struct record *r;
	struct gather g;
	json_t *j;

	(void)state;
	gather_here(&g, "/");
	j = jget_load(spec, strlen(spec), NULL, 0);
	r = gather_record(&g, ID2);
	bundle_take_config(&g, r, j, "test");
	assert_true(r->sandbox);
	assert_string_equal(r->pod_name, "ca?rt"); /* no escape sequence gets through */
	assert_string_equal(r->netns_path, "/run/netns/x");
	assert_int_equal(r->net, NET_OWN);
	assert_string_equal(bundle_docker_dir(j, ID2, g.arena), "/data/containers/" ID2);
	json_decref(j);
	j = jget_load(host, strlen(host), NULL, 0);
	r = gather_record(&g, ID);
	bundle_take_config(&g, r, j, "test");
	assert_int_equal(r->net, NET_HOST);
	json_decref(j);
	assert_true(bundle_id_ok(ID));
	assert_true(bundle_id_ok("redis-1"));
	assert_false(bundle_id_ok(".."));
	assert_false(bundle_id_ok("a/b"));
	assert_false(bundle_id_ok(""));
	arena_free(g.arena);
}

static void write_file(const char *root, const char *path, const char *text)
{
	char full[512], *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		mkdir(full, 0700);
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Names by pod uid from kubelet's log folders; addresses and namespace from CNI's results. */
static void files_of_the_node(void **state)
{
	char root[] = "/tmp/test_pod.XXXXXX", command[64];
	struct record *r;
	struct gather g;

	(void)state;
	assert_non_null(mkdtemp(root));
	write_file(root, "/var/log/pods/shop_cart_" UID "/x", "");
	write_file(root, "/var/log/pods/rubbish", "");
	write_file(root, "/var/lib/cni/results/net-ss-eth0",
		   "{\"kind\":\"cniCacheV1\",\"containerId\":\"ss\",\"networkName\":\"net\",\"cniArgs\":[[\"K8S_POD_NAME\",\"web\"],"
		   "[\"K8S_POD_NAMESPACE\",\"prod\"],[],7],\"result\":{\"interfaces\":[{\"name\":\"br0\"},{\"sandbox\":"
		   "\"/var/run/netns/cni-1\"}],\"ips\":[{\"address\":\"10.1.0.2/24\"},{\"address\":\"x\"}]}}");
	write_file(root, "/var/lib/cni/results/net-other-eth0", "{\"containerId\":\"other\"}");
	write_file(root, "/var/lib/cni/results/bad", "{");
	gather_here(&g, root);
	assert_true(g.host.own_proc);
	r = gather_record(&g, "ss");
	gather_set(&g, &gather_record(&g, "cc")->pod_uid, UID);
	gather_statefiles(&g);
	assert_string_equal(r->pod_name, "web");
	assert_string_equal(r->k8s_namespace, "prod");
	assert_string_equal(r->netns_path, "/var/run/netns/cni-1");
	assert_int_equal(r->n_ips, 1);
	assert_string_equal(gather_find(&g, "cc")->pod_name, "cart");
	assert_string_equal(gather_find(&g, "cc")->k8s_namespace, "shop");
	assert_null(gather_find(&g, "other"));
	arena_free(g.arena);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

/* Links of the node lead within the node's root, also absolute ones and those that try to leave it. */
static void roots(void **state)
{
	char root[] = "/tmp/test_root.XXXXXX", path[128], command[64], *text = NULL;
	struct gather g;

	(void)state;
	assert_non_null(mkdtemp(root));
	write_file(root, "/run/secret", "inside");
	snprintf(path, sizeof(path), "%s/var", root);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/var/run", root);
	assert_int_equal(symlink("/run", path), 0);
	snprintf(path, sizeof(path), "%s/var/up", root);
	assert_int_equal(symlink("../../../../../run/secret", path), 0);
	gather_here(&g, root);
	assert_int_equal(hostfs_read(&g.host, "/var/run/secret", 100, &text), 6);
	assert_string_equal(text, "inside");
	free(text);
	assert_int_equal(hostfs_read(&g.host, "/var/up", 100, &text), 6);
	free(text);
	assert_int_equal(hostfs_read(&g.host, "/run/secret", 5, &text), -EFBIG);
	assert_int_equal(hostfs_read(&g.host, "/run", 5, &text), -EINVAL);
	assert_int_equal(hostfs_read(&g.host, "/etc/passwd", 1 << 20, &text), -ENOENT);
	arena_free(g.arena);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	assert_int_equal(system(command), 0);
}

static void frames(void **state)
{
	const uint8_t *m;
	size_t len;

	(void)state;
	assert_null(grpc_unframe((const uint8_t *)"\0\0\0\0\0", 5, &m, &len));
	assert_int_equal(len, 0);
	assert_null(grpc_unframe((const uint8_t *)"\0\0\0\0\2ab", 7, &m, &len));
	assert_memory_equal(m, "ab", 2);
	assert_non_null(grpc_unframe((const uint8_t *)"\0\0\0\0", 4, &m, &len));
	assert_non_null(grpc_unframe((const uint8_t *)"\1\0\0\0\0", 5, &m, &len));
	assert_non_null(grpc_unframe((const uint8_t *)"\0\0\0\0\3ab", 7, &m, &len));
	assert_non_null(grpc_unframe((const uint8_t *)"\0\377\377\377\377ab", 7, &m, &len));
}

static void http_heads(void **state)
{
	static const struct {
		const char *text;
		int status;
		long long length;
	} rows[] = {
		{ "HTTP/1.0 200 OK\r\n\r\n", 200, -1 },
		{ "HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\nX: y\r\n\r\nabc", 404, 12 },
		{ "HTTP/1.0 200 OK\r\ncontent-length:0 \r\n\r\n", 200, 0 },
		{ "HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", 0, 0 },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 1x\r\n\r\n", 0, 0 },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", 0, 0 },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0, 0 },
		{ "HTTP/1.0 200 OK\r\n", 0, 0 },
		{ "HTTP/1.0 99\r\n\r\n", 0, 0 },
		{ "SSH-2.0\r\n\r\n", 0, 0 },
		{ "", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct http_head h;
		const char *why = http_parse_head(rows[i].text, strlen(rows[i].text), &h);

		if (!why != (rows[i].status != 0))
			fail_msg("%s: %s", rows[i].text, why ? why : "taken");
		if (why)
			continue;
		assert_int_equal(h.status, rows[i].status);
		assert_int_equal(h.length, rows[i].length);
	}
}

static void times(void **state)
{
	(void)state;
	assert_int_equal(gather_time("1970-01-01T00:00:01Z"), 1000000000);
	assert_int_equal(gather_time("2024-01-02T03:04:05.123456789Z"), 1704164645123456789);
	assert_int_equal(gather_time("2024-01-02T04:04:05+01:00"), 1704164645000000000);
	assert_int_equal(gather_time("0001-01-01T00:00:00Z"), 0);
	assert_int_equal(gather_time("yesterday"), 0);
	assert_int_equal(gather_time(NULL), 0);
}

static void variants(void **state)
{
	static const char nft[] = "\177ELF\0xtables-nft-multi\0001.8.9\0", legacy[] = "\177ELF\0v1.8.4\0xtables-legacy-multi";
	char version[32];

	(void)state;
	assert_int_equal(ipt_judge_name("/usr/sbin/xtables-nft-multi"), IPT_NFT);
	assert_int_equal(ipt_judge_name("xtables-legacy-multi"), IPT_LEGACY);
	assert_int_equal(ipt_judge_name("/sbin/iptables"), IPT_UNKNOWN);
	assert_int_equal(ipt_judge_bytes(nft, sizeof(nft), version), IPT_NFT);
	assert_string_equal(version, "1.8.9");
	assert_int_equal(ipt_judge_bytes(legacy, sizeof(legacy), version), IPT_LEGACY);
	assert_string_equal(version, "1.8.4");
	assert_int_equal(ipt_judge_bytes("#!/bin/sh\n", 10, version), IPT_SCRIPT);
	assert_int_equal(ipt_judge_bytes("", 0, version), IPT_UNKNOWN);
	assert_string_equal(version, "");
}

static void listeners(void **state)
{
	static const char tcp[] =
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
		"   0: 0100007F:3AA0 0100007F:1234 01 00000000:00000000 00:00000000 00000000  1337\n"
		"   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1337\n";

	(void)state;
	assert_true(mesh_listens(tcp, 8080));
	assert_false(mesh_listens(tcp, 15008)); /* connected, not listening */
	assert_false(mesh_listens("", 8080));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroups),	cmocka_unit_test(docker_answers), cmocka_unit_test(docker_lists),
		cmocka_unit_test(runc_states),	cmocka_unit_test(bundles),	  cmocka_unit_test(files_of_the_node),
		cmocka_unit_test(roots),	cmocka_unit_test(frames),	  cmocka_unit_test(http_heads),
		cmocka_unit_test(times),	cmocka_unit_test(variants),	  cmocka_unit_test(listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
