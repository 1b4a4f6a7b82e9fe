/* SPDX-License-Identifier: GPL-2.0-or-later */
/* codec - xt matches and targets: kernel bytes <-> iptables text, JSON, meaning */
#ifndef NSUTIL_XT_CODEC_H
#define NSUTIL_XT_CODEC_H

#include <stddef.h>

#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/base/json.h"
#include "nsutil/ruleset/model.h"

/**
 * xt_ext_stmt() - decode one match or target
 * @a:		arena of the ruleset
 * @family:	NFPROTO_IPV4 or NFPROTO_IPV6 (of the table)
 * @target:	target rather than match
 * @name:	kernel's name ("owner", "REDIRECT")
 * @rev:	revision
 * @data:	the kernel's bytes; copied
 * @size:	their number; may be more (alignment) but not less than the codec's
 *
 * Return: STMT_XT with its meaning, or STMT_OPAQUE when name, revision or size are not known;
 * NULL when memory ran out
 */
struct stmt *xt_ext_stmt(struct arena *a, uint8_t family, bool target, const char *name, uint8_t rev,
			 const void *data, uint32_t size);

/* xt_ext_stmt_at() - as xt_ext_stmt(), but @name and @data are not copied: they live as long as @a */
struct stmt *xt_ext_stmt_at(struct arena *a, uint8_t family, bool target, const char *name, uint8_t rev,
			    const void *data, uint32_t size);
/* xt_ext_stmt_plain() - as xt_ext_stmt_at(), but without the meaning, which costs most of the memory */
struct stmt *xt_ext_stmt_plain(struct arena *a, uint8_t family, bool target, const char *name, uint8_t rev,
			       const void *data, uint32_t size);

/* xt_ext_save() - append as iptables-save prints it: " -m owner --uid-owner 1337" / " -j REDIRECT ..." */
void xt_ext_save(const struct xt_ext *x, struct buf *b);
/* xt_ext_json() - {"type":"match","name":"owner","rev":1,"options":{...}} under @key */
void xt_ext_json(const struct xt_ext *x, struct json *j, const char *key);

/*
 * How to add an extension
 * -----------------------
 * 1. A file match/NAME.c or target/NAME.c with one 'const struct xt_codec xt_match_NAME_vREV' per
 *    revision (targets: xt_target_NAME_vREV), and a line for each in codecs.c.
 * 2. 'size' is sizeof the kernel's structure; 'opts' lists its options in the order in which
 *    iptables-save prints them. One entry says where the value stands (XT_AT), which bit says that
 *    it was given (XT_SET) or negated (XT_INV), and its type (nsutil/xt/type.h). The three texts
 *    and the parser follow from it.
 * 3. 'lower' says what it means in native nftables terms (nsutil/xt/lower.h), in the form that
 *    iptables-translate gives where there is one. Leave it out when it cannot be expressed, and
 *    say in 'unknown' why; 'effectless' is for what decides nothing (comment).
 * 4. Where the table does not fit, write the hooks save, json and parse by hand.
 * 5. A few lines in tests/netns/xt_text.bats: they are compared with iptables itself.
 */
struct xt_low;
struct xt_opt;
struct xt_parse;

/* A bit or a mode within the structure: given when (field & mask) == value. */
struct xt_field {
	uint16_t off;
	uint8_t size;	/* 0: there is no such field */
	uint32_t mask, value;
};

/*
 * How a value is printed and read; see type.h for the common ones. A codec may bring its own.
 * 'absent' decides whether an option without 'set' is left out of the text because it has its
 * default; NULL: such an option is always printed.
 */
struct xt_type {
	uint8_t words; /* arguments behind the option: 0, 1 or 2 */
	bool (*absent)(const struct xt_opt *o, const struct xt_ext *x);
	void (*save)(const struct xt_opt *o, const struct xt_ext *x, struct buf *b); /* " VALUE" */
	void (*json)(const struct xt_opt *o, const struct xt_ext *x, struct json *j, const char *key);
	int (*parse)(const struct xt_opt *o, struct xt_parse *p, struct err *e);
	void (*init)(const struct xt_opt *o, uint8_t *data); /* put the default; NULL: zero */
};

/* A name for a value; lists end with a NULL name. */
struct xt_word {
	const char *name;
	uint32_t value;
};

struct xt_opt {
	const char *name;	    /* without dashes; also the JSON key */
	const char *alias;	    /* another spelling that is read but not printed */
	const struct xt_type *type;
	uint16_t off, off2;	    /* of the value; of the upper bound or mask */
	uint16_t size;		    /* of the value */
	bool always;		    /* print even when it has its default */
	bool quiet;		    /* never printed: understood when read only */
	bool blunt;		    /* a range that is left out when it is full, negated or not: so iptables-save does */
	bool sparse;		    /* left out when it has its default though 'set' says it was given */
	struct xt_field set, inv;
	uint64_t min, max, dflt;    /* bounds when read; max 0: what fits. dflt: for 'absent' */
	const struct xt_word *list; /* names of values or bits */
};

#define XT_AT(s, m)  .off = offsetof(struct s, m), .size = sizeof(((struct s *)0)->m)
#define XT_AT2(s, m) .off2 = offsetof(struct s, m)
#define XT_FIELD(s, m, k, v)                                                                               \
	{ .off = offsetof(struct s, m), .size = sizeof(((struct s *)0)->m), .mask = (k), .value = (v) }
#define XT_SET(s, m, bit)     .set = XT_FIELD(s, m, bit, bit)
#define XT_MODE(s, m, k, v)   .set = XT_FIELD(s, m, k, v)
#define XT_INV(s, m, bit)     .inv = XT_FIELD(s, m, bit, bit)
#define XT_END		      { .name = NULL }

struct xt_codec {
	const char *name;	/* the kernel's */
	const char *spelling;	/* what is read and printed for it when that differs (state for conntrack) */
	uint8_t rev;
	uint8_t family;		/* NFPROTO_UNSPEC: both */
	bool target;
	bool effectless;	/* decides nothing and changes nothing */
	bool goes_on;		/* a target after which the walk goes on (LOG, MARK ...) */
	bool kernel_only;	/* not what iptables 1.8.9 writes for its spelling */
	uint32_t size;		/* of the kernel's structure */
	uint8_t n_sets;		/* ipsets it refers to by number, and where the numbers (16 bits) stand */
	uint16_t sets[3];
	const struct xt_opt *opts; /* ended by XT_END; NULL when none */
	const char *unknown;	/* why there is no meaning */
	/* Hooks; all may be NULL. save and json replace the table's walk, the others add to it. */
	const char *(*spell)(const struct xt_ext *x); /* name to print, when it depends on the data */
	void (*save)(const struct xt_ext *x, struct buf *b);  /* the options only */
	void (*json)(const struct xt_ext *x, struct json *j); /* members of "options" */
	void (*init)(uint8_t *data, uint8_t family);	      /* before options are read */
	/* One option by hand: 1 taken, 0 not ours, -1 error. Tried before the table. */
	int (*parse)(struct xt_parse *p, struct err *e);
	int (*final)(struct xt_parse *p, struct err *e); /* after all options: checks, defaults */
	void (*lower)(struct xt_low *l, const struct xt_ext *x);
};

/* All of them, ended by NULL (codecs.c). */
extern const struct xt_codec *const xt_codecs[];

/**
 * xt_codec_find() - by what the kernel holds
 * @family:	NFPROTO_IPV4 or NFPROTO_IPV6
 * @target:	target rather than match
 * @name:	kernel's name
 * @rev:	revision
 *
 * Return: the codec, or NULL
 */
const struct xt_codec *xt_codec_find(uint8_t family, bool target, const char *name, uint8_t rev);

/* xt_codec_spelled() - by the name in iptables text; the newest revision; NULL when there is none */
const struct xt_codec *xt_codec_spelled(uint8_t family, bool target, const char *name);
/* xt_codec_knows() - some revision of this name is known (for messages) */
bool xt_codec_knows(uint8_t family, bool target, const char *name);

/* xt_codec_stmt() - an extension's statement with its meaning from bytes that live as long as @a; @ipsets
 * as in struct xt_ext, or NULL. NULL: memory ran out */
struct stmt *xt_codec_stmt(struct arena *a, uint8_t family, const struct xt_codec *c, const void *data,
			   const char **ipsets);
/* xt_codec_lower() - the meaning of an extension whose codec and data are set; -1: memory ran out */
int xt_codec_lower(struct arena *a, struct xt_ext *x);

/* xt_opt_given(), xt_opt_inverted() - what the kernel's bytes say of an option */
bool xt_opt_given(const struct xt_opt *o, const struct xt_ext *x);
bool xt_opt_inverted(const struct xt_opt *o, const struct xt_ext *x);

/* xt_opt_save() - one option of the table as text, nothing when it was not given */
void xt_opt_save(const struct xt_opt *o, const struct xt_ext *x, struct buf *b);

/* xt_save_string() - " text", quoted and escaped as xtables_save_string() of libxtables does it */
void xt_save_string(const char *s, size_t max, struct buf *b);

#endif
