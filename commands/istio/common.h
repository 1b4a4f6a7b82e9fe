/* SPDX-License-Identifier: GPL-2.0-or-later */
/* common - what the istio commands share: their operands, the configuration, words for it */
#ifndef COMMANDS_ISTIO_COMMON_H
#define COMMANDS_ISTIO_COMMON_H

#include "commands/command.h"
#include "nsutil/istio/config.h"
#include "nsutil/istio/plan.h"
#include "nsutil/istio/routing.h"
#include "nsutil/istio/settings.h"
#include "nsutil/pod/target.h"

#define ISTIO_OPERANDS "[SETTING=VALUE...] [-- ISTIO-INIT-ARG...]"
#define ISTIO_OPTION_PRESET \
	{ "preset", 0, ARG_CHOICE, "NAME", istio_preset_names, \
	  "whose defaults to start from; istio-init, with arguments of its own none" }
#define ISTIO_OPTION_VERSION \
	{ "istio-version", 0, ARG_TEXT, "VERSION", NULL, "rules of a former version of Istio, 1.7 to 1.30; by default the last" }
#define ISTIO_OPTION_IPV4 { "ipv4", '4', ARG_NONE, NULL, NULL, "IPv4 only" }
#define ISTIO_OPTION_IPV6 { "ipv6", '6', ARG_NONE, NULL, NULL, "IPv6 only" }

#define ISTIO_OPTION_STORE(help) { "store", 0, ARG_CHOICE, "STORE", istio_store_names, help }

#define ISTIO_ABOUT_SETTINGS \
	"Settings are Istio's environment variables, typed as KEY=VALUE; after -- stands an argument\n" \
	"vector of istio-init's own (-p 15001 -z 15006 -u 1337 -m REDIRECT -i '*' ...), which wins over them.\n" \
	"They start from the defaults of the sidecar injector (--preset istio-init), with an argument vector\n" \
	"from Istio's compiled ones. IPv6 follows the target's addresses, as in Istio.\n\n" \
	"When nothing is typed, the pod says what is meant: what its container istio-init was told, else its\n" \
	"annotations and istio-proxy's environment as the CNI plugin goes by them. Where no configuration is\n" \
	"found, mode, version and settings are told from the rules that are there, else the preset is taken.\n"

extern const char *const istio_preset_names[];
extern const char *const istio_store_names[];

struct ruleset;
struct netview;

/* What a command works on; the memory is in the arena. */
struct istio_job {
	struct arena *arena;
	struct target *target; /* the session's */
	struct istio_config *config;
	struct istio_plan *plan;
	bool typed;	   /* settings were given, or a preset */
	unsigned families; /* bit 0: IPv4, bit 1: IPv6, as asked with -4 and -6 */
};

/**
 * istio_job_begin() - read operands and options, resolve the target
 * @s:		session
 * @c:		command; options it has: preset, ipv4, ipv6
 * @args:	its arguments
 * @job:	job->arena is set by the caller; all but the plan is set on success
 * @e:		error
 *
 * Return: 0, or -1
 */
int istio_job_begin(struct session *s, const struct command *c, const struct command_args *args,
		    struct istio_job *job, struct err *e);

/* istio_job_plan() - look at the target as far as the configuration needs it, and plan; 0, or -1 */
int istio_job_plan(struct istio_job *job, struct err *e);

/* istio_put_expected() - the "expected" object: mode, backend, settings; and a line for a person */
void istio_put_expected(const struct istio_job *job, struct out *o);
/* istio_put_notes() - what a person should know of the configuration */
void istio_put_notes(const struct istio_config *c, struct out *o);

/* istio_job_netview() - links, addresses, routes and rules of the target; *ret stays NULL for a file. The
 * caller frees it. Return: 0, or -1 */
int istio_job_netview(const struct istio_job *job, struct netview **ret, struct err *e);
/* istio_put_routing() - the "routing" array: edits of address, routing rules and routes. For verify, @diffs,
 * they are differences */
void istio_put_routing(const struct istio_routing *r, bool diffs, struct out *o);

/* istio_job_native() - are native tables meant? Because --store or a setting says so, or nothing was said and
 * Istio has nothing else in @rs. 0, or -1 with ERR_USAGE when that cannot be */
int istio_job_native(struct istio_job *job, const struct ruleset *rs, int store, struct err *e);
/* istio_job_recognise() - what nobody typed is taken from the pod, and from the rules where it says nothing; @rs and
 * @nv may be NULL; 0, or -1 */
int istio_job_recognise(struct istio_job *job, const struct ruleset *rs, const struct netview *nv, struct err *e);
/* istio_job_know() - for a flush: interfaces that the pod's programmer was told of; 0, or -1 */
int istio_job_know(struct istio_job *job, struct err *e);
/* istio_job_store() - option --store: -1 when not given, else STORE_*; Return: 0, or -1 with ERR_USAGE */
int istio_job_store(const struct command *c, const struct command_args *args, int *ret, struct err *e);

#endif
