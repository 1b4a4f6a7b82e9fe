/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft_text - what "nft list ruleset" prints, into the model */
#include "nsutil/dump/dump.h"

int dump_load_nft_text(const char *text, size_t size, const char *name, struct ruleset *rs, struct err *e)
{
	(void)text, (void)size, (void)rs;
	err_set(e, ERR_USAGE, name, "text of nft is not read, only its JSON");
	return err_hint(e, "'nft -j list ruleset' writes it");
}
