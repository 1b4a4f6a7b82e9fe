/* SPDX-License-Identifier: GPL-2.0-or-later */
/* undo_file - what the parts of undo share */
#ifndef NSUTIL_ISTIO_UNDO_FILE_H
#define NSUTIL_ISTIO_UNDO_FILE_H

#include "nsutil/istio/undo.h"
#include "nsutil/xt/parse.h"

/* istio_undo_rules() - put the former rules of the iptables stores into an empty ruleset, and append those of
 * native tables as text for istio_native_parse(); 0, or -1 */
int istio_undo_rules(const struct istio_undo *u, struct ruleset *saved, struct buf *native, struct err *e);

#endif
