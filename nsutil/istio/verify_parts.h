/* SPDX-License-Identifier: GPL-2.0-or-later */
/* verify_parts - what the parts of verify share */
#ifndef NSUTIL_ISTIO_VERIFY_PARTS_H
#define NSUTIL_ISTIO_VERIFY_PARTS_H

#include "nsutil/istio/effect.h"
#include "nsutil/istio/native.h"
#include "nsutil/istio/verify.h"

struct istio_reporter {
	struct arena *a;
	struct istio_report *to;
	const struct istio_compare *c; /* gives store and family of a difference; NULL: it has its own */
	struct istio_effects *effects; /* of the family at hand; NULL: not known */
	struct istio_native_effects *native; /* NULL: not known */
	struct err *e;
};

/* istio_report_add() - a difference without rule or effect is out of memory; 0, or -1 */
int istio_report_add(struct istio_reporter *r, struct istio_diff diff);
const char *istio_report_text(struct arena *a, const struct rule *r);
/* istio_report_effect() - what happens to a packet that an unplanned rule matches */
const char *istio_report_effect(struct arena *a, const struct rule *r);
/* istio_report_native() - Istio's native tables against a plan; NULL: none is planned. @nv: for what differences do; may
 * be NULL. 0, or -1 */
int istio_report_native(struct istio_reporter *r, struct ruleset *rs, const struct istio_native *n, const struct netview *nv,
			const struct istio_config *c);

#endif
