/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words - fuzz harness: what the user types beside commands: targets, connections, Istio settings, addresses */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/addr.h"
#include "nsutil/istio/config.h"
#include "nsutil/istio/plan.h"
#include "nsutil/pod/spec.h"
#include "nsutil/trace/connection.h"
#include "nsutil/trace/trace.h"
#include "shell/line.h"

static void must_say(int r, const struct err *e)
{
	if ((r < 0) != (e->code != ERR_NONE))
		abort();
}

static void istio(struct arena *a, int argc, char **argv)
{
	struct istio_config *c;
	struct istio_plan *plan;
	struct err e = ERR_INIT;
	int r = istio_config_new(a, NULL, &c, &e);

	for (int i = 0; r == 0 && i < argc && strcmp(argv[i], "--") != 0; i++)
		r = istio_config_set(c, argv[i], &e);
	for (int i = 0; r == 0 && i < argc; i++)
		if (strcmp(argv[i], "--") == 0) {
			r = istio_config_argv(c, argc - i - 1, argv + i + 1, &e);
			break;
		}
	if (r == 0)
		r = istio_config_resolve(c, NULL, &e);
	if (r == 0)
		r = istio_plan_make(a, c, &plan, &e);
	must_say(r, &e);
}

static void one(struct arena *a, uint8_t kind, const struct line *l)
{
	struct trace_request request;
	struct spec spec;
	struct addr addr;
	unsigned len;
	struct err e = ERR_INIT;

	switch (kind % 4) {
	case 0:
		must_say(spec_parse(l->n ? l->words[0] : "", l->n > 1 ? l->words[1] : NULL, a, &spec, &e), &e);
		break;
	case 1: must_say(connection_parse(a, l->n, l->words, &request, &e), &e); break;
	case 2: istio(a, l->n, l->words); break;
	case 3:
		for (int i = 0; i < l->n; i++)
			if (addr_parse_prefix(l->words[i], &addr, &len) == 0 && len > 8 * addr_len(&addr))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line l = { .n = 0 };
	struct arena *a;

	if (size == 0 || line_parse((const char *)data + 1, size - 1, &l, NULL))
		return 0;
	a = arena_new();
	if (a)
		one(a, data[0], &l);
	arena_free(a);
	line_free(&l);
	return 0;
}
