/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bundle - everything that is read of a target in one JSON file, which can be looked at in its place */
#include "nsutil/dump/bundle_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "nsutil/base/base64.h"
#include "nsutil/base/cleanup.h"
#include "nsutil/dump/view_json.h"
#include "nsutil/netns/cgroups.h"
#include "nsutil/netns/netns.h"
#include "nsutil/pod/users.h"
#include "nsutil/nft/nft.h"
#include "nsutil/xt/blob.h"
#include "nsutil/xt/xt.h"

static const struct xt_blob_family *const families[] = { &xt_blob_ipv4, &xt_blob_ipv6 };
static const char *const family_keys[] = { "ip", "ip6" };

/* ---- writing ---- */

void bundle_put_base64(struct json *j, const char *key, const void *data, size_t n)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	base64_add(&b, data, n);
	json_strn(j, key, buf_cstr(&b), b.len);
}

static void write_numbers(struct json *j, const char *key, const uint32_t *list, unsigned n)
{
	json_begin_array(j, key);
	for (unsigned i = 0; i < n; i++)
		json_uint(j, NULL, list[i]);
	json_end_array(j);
}

static int write_blob(void *arg, const struct xt_blob *b)
{
	struct json *j = arg;

	json_begin_object(j, NULL);
	json_str(j, "table", b->table);
	json_uint(j, "valid_hooks", b->valid_hooks);
	write_numbers(j, "hook_entry", b->hook_entry, 5);
	write_numbers(j, "underflow", b->underflow, 5);
	json_uint(j, "n_entries", b->n_entries);
	bundle_put_base64(j, "entries", b->entries, b->size);
	json_end_object(j);
	return 0;
}

void bundle_put_why(struct json *j, const struct err *why, int failed)
{
	char text[sizeof(why->what) + sizeof(why->why) + 4];

	snprintf(text, sizeof(text), "%s: %s", why->what, why->why);
	json_str(j, "unread", failed ? text : NULL);
}

static int write_legacy(const struct target *t, struct json *j, struct err *e)
{
	int failed = 0;

	json_begin_object(j, "legacy");
	for (unsigned i = 0; i < ARRAY_SIZE(families); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct err why = ERR_INIT;
		bool offered = false;
		int r;

		if (!a)
			return err_oom(e);
		json_begin_object(j, family_keys[i]);
		json_begin_array(j, "tables");
		r = xt_record(&t->netns, families[i], a, &offered, write_blob, j, &why);
		json_end_array(j);
		json_bool(j, "offered", offered);
		bundle_put_why(j, &why, r);
		json_end_object(j);
		if (r < 0 && why.code == ERR_PERM) {
			if (e)
				*e = why;
			failed = -1;
		}
	}
	json_end_object(j);
	return failed;
}

static int write_nftables(const struct target *t, struct json *j, struct err *e)
{
	_cleanup_buf_ struct buf tape = BUF_INIT;
	struct err why = ERR_INIT;
	int r = nft_record(&t->netns, &tape, &why);

	json_begin_object(j, "nftables");
	bundle_put_base64(j, "answers", r == 0 ? buf_cstr(&tape) : "", r == 0 ? tape.len : 0);
	bundle_put_why(j, &why, r);
	json_end_object(j);
	if (r < 0 && why.code == ERR_PERM) {
		if (e)
			*e = why;
		return -1;
	}
	return 0;
}

static void write_target(const struct target *t, struct json *j)
{
	json_begin_object(j, "of");
	json_str(j, "label", t->label);
	json_int(j, "pid", t->pid);
	json_uint(j, "netns", t->netns.inode);
	json_str(j, "pod", t->pod ? t->pod->name : NULL);
	json_str(j, "namespace", t->pod ? t->pod->k8s_namespace : NULL);
	json_str(j, "container", t->container);
	json_end_object(j);
}

static void write_kernel(struct json *j)
{
	struct utsname u;

	json_begin_object(j, "kernel");
	if (uname(&u) == 0) {
		json_str(j, "release", u.release);
		json_str(j, "machine", u.machine);
	}
	json_end_object(j);
}

int bundle_write(const struct target *t, struct buf *ret, struct err *e)
{
	_cleanup_netview_ struct netview *nv = NULL;
	struct json j;

	if (netview_read(&t->netns, NETVIEW_ALL, t->proc, &nv, e) < 0)
		return -1;
	if (users_read(t, nv) < 0)
		return err_oom(e);
	if (nv_read_cgroups(nv, e) < 0)
		return -1;
	json_init(&j, ret);
	json_begin_object(&j, NULL);
	json_str(&j, "schema", "cnish.bundle/1");
	json_int(&j, "time", time(NULL));
	write_target(t, &j);
	write_kernel(&j);
	if (write_legacy(t, &j, e) < 0 || write_nftables(t, &j, e) < 0)
		return -1;
	view_write(nv, &j, "network");
	if (bundle_write_more(t, nv, &j, e) < 0)
		return -1;
	json_end_object(&j);
	buf_chr(ret, '\n');
	return json_done(&j) ? 0 : err_oom(e);
}

/* ---- reading ---- */

int bundle_wrong(struct err *e, const char *name, const char *key)
{
	return err_set(e, ERR_USAGE, name, "'%s' is missing or is not what it should be", key);
}

json_t *bundle_parse(const char *text, size_t size, const char *name, struct err *e)
{
	json_error_t where;
	json_t *j = json_loadb(text, size, 0, &where);
	const char *schema = json_string_value(json_object_get(j, "schema"));

	if (!j) {
		err_set(e, ERR_USAGE, name, "line %d: %s", where.line, where.text);
		return NULL;
	}
	if (schema && strcmp(schema, "cnish.bundle/1") == 0)
		return j;
	err_set(e, ERR_USAGE, name, "it is a bundle of another kind: %.60s", schema ? schema : "no schema");
	json_decref(j);
	return NULL;
}

static int read_numbers(const json_t *list, uint32_t *ret, unsigned n)
{
	if (json_array_size(list) != n)
		return -1;
	for (unsigned i = 0; i < n; i++)
		ret[i] = (uint32_t)json_integer_value(json_array_get(list, i));
	return 0;
}

void *bundle_get_base64(const json_t *v, struct arena *a, size_t *ret)
{
	const char *s = json_string_value(v);
	void *data = s ? arena_alloc(a, json_string_length(v) / 4 * 3 + 8) : NULL;
	long n = data ? base64_read(s, json_string_length(v), data) : -1;

	*ret = n < 0 ? 0 : (size_t)n;
	return n < 0 ? NULL : data;
}

static int read_table(const json_t *from, const struct xt_blob_family *f, struct ruleset *rs, const char *name,
		      struct err *e)
{
	const char *table = json_string_value(json_object_get(from, "table"));
	struct xt_blob b = { .family = f };
	size_t size;

	if (!table || strlen(table) >= sizeof(b.table))
		return bundle_wrong(e, name, "table");
	strcpy(b.table, table);
	b.valid_hooks = (uint32_t)json_integer_value(json_object_get(from, "valid_hooks"));
	b.n_entries = (uint32_t)json_integer_value(json_object_get(from, "n_entries"));
	b.entries = bundle_get_base64(json_object_get(from, "entries"), rs->arena, &size);
	b.size = (uint32_t)size;
	if (!b.entries || size > UINT32_MAX || read_numbers(json_object_get(from, "hook_entry"), b.hook_entry, 5) < 0 ||
	    read_numbers(json_object_get(from, "underflow"), b.underflow, 5) < 0)
		return bundle_wrong(e, name, "entries");
	if (xt_blob_decode(&b, rs, e) == 0)
		return 0;
	if (e)
		e->code = ERR_USAGE; /* the file's fault, not the kernel's */
	return err_wrap(e, "%s: table '%s'", name, table);
}

static int note_unread(const json_t *part, enum store store, uint8_t family, struct ruleset *rs, struct err *e)
{
	const char *why = json_string_value(json_object_get(part, "unread"));

	return why && ruleset_add_unread(rs, store, family, NULL, why) < 0 ? err_oom(e) : 0;
}

static int read_legacy(const json_t *from, struct ruleset *rs, const char *name, struct err *e)
{
	for (unsigned i = 0; i < ARRAY_SIZE(families); i++) {
		const json_t *part = json_object_get(from, family_keys[i]), *tables = json_object_get(part, "tables");
		bool offered = json_is_true(json_object_get(part, "offered"));

		if (!json_is_array(tables))
			return bundle_wrong(e, name, "legacy");
		*(i ? &rs->legacy_v6 : &rs->legacy_v4) = offered;
		for (size_t k = 0; k < json_array_size(tables); k++)
			if (read_table(json_array_get(tables, k), families[i], rs, name, e) < 0)
				return -1;
		if (note_unread(part, STORE_LEGACY, families[i]->family, rs, e) < 0)
			return -1;
	}
	return 0;
}

static int read_nftables(const json_t *root, struct ruleset *rs, const char *name, struct err *e)
{
	const json_t *part = json_object_get(root, "nftables");
	_cleanup_netview_ struct netview *nv = NULL;
	size_t size;
	void *tape = bundle_get_base64(json_object_get(part, "answers"), rs->arena, &size);

	if (!tape)
		return bundle_wrong(e, name, "answers");
	if (view_read(json_object_get(root, "network"), &nv, e) < 0 || nft_play(tape, size, nv, rs, e) < 0)
		return -1;
	if (note_unread(part, STORE_COMPAT, 0, rs, e) < 0)
		return -1;
	return note_unread(part, STORE_NATIVE, 0, rs, e);
}

int bundle_load_rules(const char *text, size_t size, const char *name, struct ruleset *rs, struct err *e)
{
	json_t *j = bundle_parse(text, size, name, e);
	int r = -1;

	if (j && read_legacy(json_object_get(j, "legacy"), rs, name, e) == 0 && read_nftables(j, rs, name, e) == 0)
		r = bundle_name_sets(j, rs, e);
	json_decref(j);
	return r;
}

int bundle_load_view(const char *text, size_t size, const char *name, struct netview **ret, struct err *e)
{
	json_t *j = bundle_parse(text, size, name, e);
	int r = j ? view_read(json_object_get(j, "network"), ret, e) : -1;

	json_decref(j);
	return r;
}
