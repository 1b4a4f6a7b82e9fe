/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe - what the prompt tells of the target, found out by a child so that nobody waits for it */
#include "shell/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/load.h"
#include "nsutil/pod/mesh.h"
#include "nsutil/pod/target.h"

enum { LONGEST = 5, FRESH = 10 }; /* seconds */

static struct {
	pid_t pid;	/* of the child; 0: none */
	int fd;
	char asked[256]; /* label of the target it looks at */
	char known[256]; /* of the target that 'facts' are about; "": none */
	time_t when;
	struct probe_facts facts;
} probe = { .fd = -1 };

static void count_rules(const struct ruleset *rs, struct probe_facts *f)
{
	for (const struct table *t = rs->tables; t; t = t->next)
		for (const struct chain *c = t->chains; c; c = c->next)
			f->rules[t->store] += c->n_rules;
}

/* 'istio verify' itself says whether rules drift. */
static int drift(struct session *s)
{
	static char istio[] = "istio", verify[] = "verify";
	char *words[] = { istio, verify, NULL }, *text;
	struct err e = ERR_INIT;
	int status;

	if (session_capture(s, 2, words, OUT_JSON, &text, &status, &e))
		return -1;
	free(text);
	return status;
}

static void look_at_pods(struct session *s, struct probe_facts *f)
{
	const struct session_options *so = session_options(s);
	const struct pod_options opt = { .host_root = so->host_root, .runtime = so->runtime };
	bool meshed = false;
	struct pod_list *pl;

	if (pods_list(&opt, &pl, NULL))
		return;
	for (const struct pod *p = pl->pods; p; p = p->next) {
		bool proxy = false;

		if (!p->name || p->host_network)
			continue;
		f->pods++;
		for (const struct pod_container *c = p->containers; c; c = c->next)
			proxy |= c->name && strcmp(c->name, "istio-proxy") == 0;
		if (f->pod[0] && (meshed || !proxy))
			continue;
		meshed = proxy;
		snprintf(f->pod, sizeof(f->pod), "%s%s%s", p->k8s_namespace ? p->k8s_namespace : "",
			 p->k8s_namespace ? "/" : "", p->name);
	}
}

static void look(struct session *s, struct probe_facts *f)
{
	_cleanup_ruleset_ struct ruleset *rs = NULL;
	_cleanup_arena_ struct arena *a = arena_new();
	struct mesh mesh = { .mode = MESH_UNKNOWN };
	struct target *t;

	f->drift = -1;
	if (!a || session_target(s, &t, NULL))
		return;
	if (load_ruleset(t, LOAD_ALL, &rs, NULL) == 0) {
		f->read = true;
		count_rules(rs, f);
	}
	mesh_judge(t->netns.fd >= 0 ? &t->netns : NULL, t->netns.inode, t->pod,
		   t->kind == TARGET_FILE ? NULL : mesh_proxies(t->proc, a), rs, &mesh);
	snprintf(f->mesh, sizeof(f->mesh), "%s", mesh_name(mesh.mode));
	if (mesh.mode == MESH_SIDECAR || mesh.mode == MESH_AMBIENT)
		f->drift = drift(s);
	if (t->kind == TARGET_SELF || t->kind == TARGET_HOST)
		look_at_pods(s, f);
}

static void child(struct session *s, int fd)
{
	struct probe_facts f = { .read = false };
	const int signals[] = { SIGINT, SIGHUP, SIGTERM, SIGQUIT, SIGTSTP };
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], i == 0 || i > 2 ? SIG_IGN : SIG_DFL); /* Ctrl-C is not meant for it */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(LONGEST);
	setpriority(PRIO_PROCESS, 0, 10);
	look(s, &f);
	_exit(write(fd, &f, sizeof(f)) == sizeof(f) ? 0 : 1);
}

static void reap(void)
{
	if (probe.fd >= 0)
		close(probe.fd);
	probe.fd = -1;
	while (probe.pid > 0 && waitpid(probe.pid, NULL, 0) < 0 && errno == EINTR)
		;
	probe.pid = 0;
}

void probe_stop(void)
{
	if (probe.pid > 0)
		kill(probe.pid, SIGKILL);
	reap();
}

void probe_start(struct session *s, bool again)
{
	const char *label = session_label(s);
	struct timespec now;
	int pipefd[2];

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (probe.pid && (again || strcmp(probe.asked, label) != 0))
		probe_stop(); /* its answer would be about something else */
	if (probe.pid || (!again && strcmp(probe.known, label) == 0 && now.tv_sec - probe.when < FRESH))
		return;
	if (strcmp(session_options(s)->target ? session_options(s)->target : "", "file:-") == 0)
		return; /* standard input can be read but once */
	if (pipe2(pipefd, O_CLOEXEC))
		return;
	fflush(stdout);
	probe.pid = fork();
	if (probe.pid == 0)
		child(s, pipefd[1]);
	close(pipefd[1]);
	probe.fd = pipefd[0];
	snprintf(probe.asked, sizeof(probe.asked), "%s", label);
	if (probe.pid < 0)
		reap();
}

int probe_fd(void)
{
	return probe.fd;
}

bool probe_take(void)
{
	struct probe_facts f;
	bool new = strcmp(probe.known, probe.asked) != 0;
	struct timespec now;
	ssize_t n = read(probe.fd, &f, sizeof(f));

	reap();
	clock_gettime(CLOCK_MONOTONIC, &now);
	probe.when = now.tv_sec;
	if (n != sizeof(f))
		f = (struct probe_facts){ .drift = -1 }; /* it took too long, or failed: nothing is claimed */
	new |= memcmp(&f, &probe.facts, sizeof(f)) != 0;
	probe.facts = f;
	memcpy(probe.known, probe.asked, sizeof(probe.known));
	return new;
}

void probe_wait(int milliseconds)
{
	struct pollfd p = { .fd = probe.fd, .events = POLLIN };

	if (probe.fd >= 0 && poll(&p, 1, milliseconds) > 0)
		probe_take();
}

const struct probe_facts *probe_facts(const char *label)
{
	return strcmp(probe.known, label) == 0 && probe.facts.mesh[0] ? &probe.facts : NULL;
}
