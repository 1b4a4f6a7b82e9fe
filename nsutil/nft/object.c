/* SPDX-License-Identifier: GPL-2.0-or-later */
/* object - named objects of a table: counters, quotas, limits, conntrack helpers ... */
#include "nsutil/nft/object.h"

#include "nsutil/nft/udata.h"

/* Objects that are statements with a name have the attributes of the statement. */
static const struct {
	uint32_t type;
	const char *expr;
} stmt_objects[] = {
	{ NFT_OBJECT_COUNTER, "counter" },   { NFT_OBJECT_QUOTA, "quota" },
	{ NFT_OBJECT_LIMIT, "limit" },	     { NFT_OBJECT_CONNLIMIT, "connlimit" },
	{ NFT_OBJECT_SYNPROXY, "synproxy" },
};

static int opaque_object(struct dec *d, struct object *o, const struct nlattr *data)
{
	o->stmt = stmt_new(d->a, STMT_OPAQUE);
	if (!o->stmt)
		return -1;
	o->stmt->opaque.name = "object";
	o->stmt->opaque.why = "unknown type of object";
	o->stmt->opaque.size = attr_len(data);
	o->stmt->opaque.data = attr_len(data) ? arena_dup(d->a, attr_data(data), attr_len(data)) : NULL;
	return 0;
}

int object_decode(struct dec *d, struct object *o, const struct attrs *at)
{
	struct udata u;

	o->handle = attr_be64(at->a[NFTA_OBJ_HANDLE]);
	o->type = attr_be32(at->a[NFTA_OBJ_TYPE]);
	udata_parse(at->a[NFTA_OBJ_USERDATA], &u);
	o->comment = udata_str(d->a, &u, UDATA_COMMENT);
	for (size_t i = 0; i < sizeof(stmt_objects) / sizeof(stmt_objects[0]); i++) {
		if (stmt_objects[i].type != o->type)
			continue;
		dec_begin(d, &o->stmt);
		return dec_expr_named(d, stmt_objects[i].expr, at->a[NFTA_OBJ_DATA]);
	}
	return opaque_object(d, o, at->a[NFTA_OBJ_DATA]);
}
