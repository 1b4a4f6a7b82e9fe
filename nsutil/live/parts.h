/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts - what a scratch is put together from; internal to live/ */
#ifndef NSUTIL_LIVE_PARTS_H
#define NSUTIL_LIVE_PARTS_H

#include "nsutil/live/scratch.h"

/* Each makes its part in the scratch, notes what it could not, and fails only when nothing can come of it. */
int scratch_settings(struct scratch *s, const struct netns *from, const struct netview *nv, struct err *e);
int scratch_links(struct scratch *s, const struct netview *nv, struct err *e);
int scratch_routes(struct scratch *s, const struct netview *nv, struct err *e);
int scratch_listeners(struct scratch *s, const struct netview *nv, struct err *e);
int scratch_rules(struct scratch *s, const struct scratch_source *src, struct err *e);
/* scratch_write_rules() - of a file: from the model */
int scratch_write_rules(struct scratch *s, const struct ruleset *rs, struct err *e);

/* scratch_native_table() - of a file: as a whole, or not at all. Return: 0, or -1 */
int scratch_native_table(const struct scratch *s, const struct table *t, struct err *e);

/* scratch_set() - write a setting; @path below /proc/sys. Return: 0, or errno */
int scratch_set(const struct netns *ns, const char *path, const char *value);

#endif
