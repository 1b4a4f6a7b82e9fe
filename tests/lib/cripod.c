/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cripod - starts and ends pods through a CRI socket, as kubelet does */
/*
 * cripod SOCKET version          prints what the runtime calls itself, once it answers
 * cripod SOCKET pod NS NAME UID CGROUP_PARENT bridge|host [ATTEMPT]  prints the sandbox id
 * cripod SOCKET container SANDBOX NS NAME UID CONTAINER IMAGE USER COMMAND...  starts it, prints its id
 * The environment variables CRIPOD_ANNOTATIONS (pod) and CRIPOD_ENV (container) are lists KEY=VALUE;KEY=VALUE.
 * With CRIPOD_LOGS, a folder, the output of a container goes to FOLDER/CONTAINER.log.
 * cripod SOCKET stop SANDBOX     ends it, keeps it listed
 * cripod SOCKET remove SANDBOX   ends and forgets it
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/pod/cri.pb-c.h"
#include "nsutil/pod/cri_call.h"

static const struct cri_method run_pod = { "RunPodSandbox", &cri__id_message__descriptor };
static const struct cri_method create = { "CreateContainer", &cri__id_message__descriptor };
static const struct cri_method start = { "StartContainer", &cri__empty__descriptor };
static const struct cri_method stop_pod = { "StopPodSandbox", &cri__empty__descriptor };
static const struct cri_method remove_pod = { "RemovePodSandbox", &cri__empty__descriptor };

static struct cri_conn conn;

static ProtobufCMessage *ask(const struct cri_method *m, const ProtobufCMessage *request)
{
	ProtobufCMessage *answer = NULL;
	struct err e = ERR_INIT;
	int status;

	if (cri_call_message(&conn, m, request, &answer, &status, &e))
		errx(1, "%s: %s", e.what, e.why);
	return answer;
}

static void by_id(const struct cri_method *m, char *id)
{
	Cri__IdMessage request = CRI__ID_MESSAGE__INIT;

	request.id = id;
	cri_free(ask(m, &request.base));
}

struct pod_config {
	Cri__PodSandboxConfig config;
	Cri__PodMetadata metadata;
	Cri__SandboxOs os;
	Cri__SandboxSecurity security;
	Cri__NamespaceOption option;
};

static void fill_pod(struct pod_config *p, char **argv)
{
	p->config = (Cri__PodSandboxConfig)CRI__POD_SANDBOX_CONFIG__INIT;
	p->metadata = (Cri__PodMetadata)CRI__POD_METADATA__INIT;
	p->os = (Cri__SandboxOs)CRI__SANDBOX_OS__INIT;
	p->security = (Cri__SandboxSecurity)CRI__SANDBOX_SECURITY__INIT;
	p->option = (Cri__NamespaceOption)CRI__NAMESPACE_OPTION__INIT;
	p->metadata.k8s_namespace = argv[0];
	p->metadata.name = argv[1];
	p->metadata.uid = argv[2];
	p->config.metadata = &p->metadata;
	if (getenv("CRIPOD_LOGS"))
		p->config.log_directory = getenv("CRIPOD_LOGS");
	p->config.os = &p->os;
	p->os.security_context = &p->security;
	p->security.namespace_options = &p->option;
}

/* The pairs of an environment variable; they live as long as the program. */
static size_t pairs_of(const char *variable, Cri__Pair ***ret)
{
	char *text = getenv(variable) ? strdup(getenv(variable)) : NULL, *equals;
	static Cri__Pair *pairs[100];
	size_t n = 0;

	for (char *p = text ? strtok(text, ";") : NULL; p && n < 100; p = strtok(NULL, ";")) {
		pairs[n] = malloc(sizeof(**pairs));
		equals = strchr(p, '=');
		if (!pairs[n] || !equals)
			errx(1, "%s: no KEY=VALUE: %s", variable, p);
		*equals = '\0';
		cri__pair__init(pairs[n]);
		pairs[n]->key = p;
		pairs[n++]->value = equals + 1;
	}
	*ret = pairs;
	return n;
}

static void pod(int argc, char **argv)
{
	Cri__RunPodSandboxRequest request = CRI__RUN_POD_SANDBOX_REQUEST__INIT;
	struct pod_config p;
	Cri__IdMessage *answer;

	fill_pod(&p, argv);
	p.os.cgroup_parent = argv[3];
	p.option.network = strcmp(argv[4], "host") == 0 ? 2 : 0;
	/* A host-network pod has no UTS namespace to set a name in. */
	p.config.hostname = p.option.network ? "" : argv[1];
	p.config.n_annotations = pairs_of("CRIPOD_ANNOTATIONS", &p.config.annotations);
	p.metadata.attempt = argc > 5 ? (unsigned)atoi(argv[5]) : 0;
	request.config = &p.config;
	answer = (Cri__IdMessage *)ask(&run_pod, &request.base);
	puts(answer->id);
	cri_free(&answer->base);
}

static void container(int argc, char **argv)
{
	Cri__CreateContainerRequest request = CRI__CREATE_CONTAINER_REQUEST__INIT;
	Cri__ContainerConfig config = CRI__CONTAINER_CONFIG__INIT;
	Cri__ContainerMetadata metadata = CRI__CONTAINER_METADATA__INIT;
	Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;
	Cri__ContainerOs os = CRI__CONTAINER_OS__INIT;
	Cri__ContainerSecurity security = CRI__CONTAINER_SECURITY__INIT;
	Cri__Int64Value user = CRI__INT64_VALUE__INIT;
	struct pod_config p;
	Cri__IdMessage *answer;
	char log[300];

	fill_pod(&p, argv + 1);
	snprintf(log, sizeof(log), "%s.log", argv[4]);
	if (getenv("CRIPOD_LOGS"))
		config.log_path = log;
	metadata.name = argv[4];
	image.image = argv[5];
	user.value = atoll(argv[6]);
	security.run_as_user = &user;
	os.security_context = &security;
	config.metadata = &metadata;
	config.image = &image;
	config.os = &os;
	config.command = argv + 7;
	config.n_command = (size_t)argc - 7;
	config.n_envs = pairs_of("CRIPOD_ENV", &config.envs);
	request.pod_sandbox_id = argv[0];
	request.config = &config;
	request.sandbox_config = &p.config;
	answer = (Cri__IdMessage *)ask(&create, &request.base);
	by_id(&start, answer->id);
	puts(answer->id);
	cri_free(&answer->base);
}

int main(int argc, char **argv)
{
	struct hostfs host = { .root = "/", .proc = "/proc" };
	struct err e = ERR_INIT;
	char name[128];

	if (argc < 3)
		errx(2, "usage: cripod SOCKET pod|container|stop|remove ...");
	if (cri_open(&conn, &host, argv[1], name, sizeof(name), &e))
		errx(1, "%s: %s", e.what, e.why);
	conn.call_ms = 60000; /* a pod takes long on a busy machine */
	if (strcmp(argv[2], "version") == 0) {
		puts(name);
	} else if (strcmp(argv[2], "pod") == 0 && argc >= 8) {
		pod(argc - 3, argv + 3);
	} else if (strcmp(argv[2], "container") == 0 && argc >= 11) {
		container(argc - 3, argv + 3);
	} else if (argc == 4 && (strcmp(argv[2], "stop") == 0 || strcmp(argv[2], "remove") == 0)) {
		by_id(&stop_pod, argv[3]);
		if (strcmp(argv[2], "remove") == 0)
			by_id(&remove_pod, argv[3]);
	} else {
		errx(2, "usage: cripod SOCKET pod|container|stop|remove ...");
	}
	cri_close(&conn);
	return 0;
}
