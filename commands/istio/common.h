/* SPDX-License-Identifier: GPL-2.0-or-later */
/* common - what the istio commands share: their operands, the configuration, words for it */
#ifndef COMMANDS_ISTIO_COMMON_H
#define COMMANDS_ISTIO_COMMON_H

#include "commands/command.h"
#include "nsutil/istio/config.h"
#include "nsutil/istio/plan.h"
#include "nsutil/istio/settings.h"
#include "nsutil/pod/target.h"

#define ISTIO_OPERANDS "[SETTING=VALUE...] [-- ISTIO-INIT-ARG...]"
#define ISTIO_OPTION_PRESET \
	{ "preset", 0, ARG_CHOICE, "NAME", istio_preset_names, \
	  "whose defaults to start from; istio-init, with arguments of its own none" }
#define ISTIO_OPTION_IPV4 { "ipv4", '4', ARG_NONE, NULL, NULL, "IPv4 only" }
#define ISTIO_OPTION_IPV6 { "ipv6", '6', ARG_NONE, NULL, NULL, "IPv6 only" }

#define ISTIO_ABOUT_SETTINGS \
	"Settings are Istio's environment variables, typed as KEY=VALUE; after -- stands an argument\n" \
	"vector of istio-init's own (-p 15001 -z 15006 -u 1337 -m REDIRECT -i '*' ...), which wins over them.\n" \
	"They start from the defaults of the sidecar injector (--preset istio-init), with an argument vector\n" \
	"from Istio's compiled ones. IPv6 follows the target's addresses, as in Istio.\n"

extern const char *const istio_preset_names[];

/* What a command works on; the memory is in the arena. */
struct istio_job {
	struct arena *arena;
	struct target *target; /* the session's */
	struct istio_config *config;
	struct istio_plan *plan;
	unsigned families; /* bit 0: IPv4, bit 1: IPv6, as asked with -4 and -6 */
};

/**
 * istio_job_make() - read operands and options, look at the target, plan the rules
 * @s:		session
 * @c:		command; options it has: preset, ipv4, ipv6
 * @args:	its arguments
 * @native:	plan for native nftables, whatever the settings say
 * @job:	job->arena is set by the caller; the rest is set on success
 * @e:		error
 *
 * Return: 0, or -1
 */
int istio_job_make(struct session *s, const struct command *c, const struct command_args *args, bool native,
		   struct istio_job *job, struct err *e);

/* istio_put_expected() - the "expected" object: mode, backend, settings; and a line for a person */
void istio_put_expected(const struct istio_job *job, struct out *o);
/* istio_put_notes() - what a person should know of the configuration */
void istio_put_notes(const struct istio_config *c, struct out *o);
/* istio_put_target() - the "target" object */
void istio_put_target(const struct target *t, struct out *o);

#endif
