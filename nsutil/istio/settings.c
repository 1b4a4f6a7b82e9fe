/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings - the one table of Istio's settings and presets */
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/istio/config.h"
#include "nsutil/istio/settings.h"

static const char *const istio_binaries[] = { "", "legacy", "nft", NULL };
static const char *const istio_modes[] = { "sidecar", "ambient", NULL };

#define ENTRY(field, env, env2, flag, letter, kind, flags, member, fallback, choices, help) \
	{ field, env, env2, flag, letter, kind, flags, offsetof(struct istio_config, member), fallback, choices, help },
#define NAME(field, env, ...) env,

const struct istio_setting istio_settings[] = {
	ISTIO_SETTINGS(ENTRY)
	{ .field = NULL },
};

const char *const istio_setting_names[] = { ISTIO_SETTINGS(NAME) NULL };

_Static_assert(ARRAY_SIZE(istio_settings) <= ISTIO_MAX_SETTINGS, "make ISTIO_MAX_SETTINGS larger");

/* What each installer passes (SPEC A6). */
static const char *const preset_none[] = { NULL };
static const char *const preset_init[] = {
	"PROXY_UID=1337", "ISTIO_INBOUND_INTERCEPTION_MODE=REDIRECT", "ISTIO_SERVICE_CIDR=*",
	"ISTIO_INBOUND_PORTS=*", "ISTIO_LOCAL_EXCLUDE_PORTS=15090,15021,15020", NULL,
};
static const char *const preset_cni[] = {
	"PROXY_UID=1337", "PROXY_GID=1337", "ISTIO_INBOUND_INTERCEPTION_MODE=REDIRECT",
	"ISTIO_SERVICE_CIDR=*", "ISTIO_INBOUND_PORTS=*", "ISTIO_LOCAL_EXCLUDE_PORTS=15020,15021,15090",
	"ISTIO_LOCAL_OUTBOUND_PORTS_EXCLUDE=15020", "CNI_MODE=true", NULL,
};
static const char *const preset_vm[] = {
	"ISTIO_SERVICE_CIDR=*", "ISTIO_INBOUND_PORTS=*", "ISTIO_LOCAL_EXCLUDE_PORTS=22,15090,15021,15020",
	NULL,
};
static const char *const preset_ambient[] = {
	"MODE=ambient", "REDIRECT_DNS=true", "ENABLE_INBOUND_IPV6=true", NULL,
};

const struct istio_preset istio_presets[] = {
	{ "istio-init", "the sidecar injector's init container", preset_init },
	{ "cni", "the istio-cni plugin, for sidecars", preset_cni },
	{ "vm", "a virtual machine (istioctl x workload entry configure)", preset_vm },
	{ "ambient", "the istio-cni agent, for pods of the ambient mesh", preset_ambient },
	{ "none", "compiled defaults only", preset_none },
	{ .name = NULL },
};

static bool is(const char *name, const char *text, size_t n)
{
	return name && strlen(name) == n && memcmp(name, text, n) == 0;
}

const struct istio_setting *istio_setting_find(const char *name, size_t n)
{
	for (const struct istio_setting *s = istio_settings; s->field; s++)
		if (is(s->env, name, n) || is(s->env2, name, n) || is(s->flag, name, n) ||
		    is(s->field, name, n))
			return s;
	return NULL;
}

const struct istio_setting *istio_setting_by_letter(char letter)
{
	for (const struct istio_setting *s = istio_settings; s->field; s++)
		if (letter && s->letter == letter)
			return s;
	return NULL;
}

const char *istio_setting_values(const struct istio_setting *s)
{
	static const char *const words[] = {
		[ISTIO_PORT] = "port", [ISTIO_PORTS] = "ports", [ISTIO_PORTS_STAR] = "ports or *",
		[ISTIO_IDS] = "ids", [ISTIO_GROUPS] = "groups", [ISTIO_GROUPS_STAR] = "groups or *",
		[ISTIO_CIDRS] = "CIDRs", [ISTIO_CIDRS_STAR] = "CIDRs or *", [ISTIO_CIDR4] = "CIDR",
		[ISTIO_ADDR4] = "address", [ISTIO_ADDR6] = "address", [ISTIO_ADDRS] = "addresses",
		[ISTIO_INTERFACES] = "interfaces", [ISTIO_NUMBER] = "number", [ISTIO_BOOL] = "true or false",
		[ISTIO_TRISTATE] = "true, false or empty", [ISTIO_CHOICE] = "word", [ISTIO_TEXT] = "text",
	};

	return words[s->kind];
}

const char *istio_source_name(enum istio_source s)
{
	static const char *const words[] = {
		[ISTIO_FROM_DEFAULT] = "default", [ISTIO_FROM_PRESET] = "preset",
		[ISTIO_FROM_RULES] = "rules", [ISTIO_FROM_ENV] = "setting", [ISTIO_FROM_ENV2] = "setting",
		[ISTIO_FROM_ARGV] = "argument", [ISTIO_FROM_TARGET] = "target",
	};

	return words[s];
}
