/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf - -m bpf: a BPF program */
#include <linux/filter.h>
#include <linux/netfilter/xt_bpf.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* Both revisions keep a count and instructions, at different places; revision 1 may name a pinned program. */
struct program {
	const struct sock_filter *code;
	unsigned n;
	const char *path;
};

static struct program program_of(const struct xt_ext *x)
{
	const struct xt_bpf_info_v1 *v1 = x->data;
	const struct xt_bpf_info *v0 = x->data;
	struct program p = { 0 };

	if (x->rev == 0) {
		p.code = v0->bpf_program;
		p.n = v0->bpf_program_num_elem;
	} else if (v1->mode == XT_BPF_MODE_PATH_PINNED) {
		p.path = v1->path;
	} else if (v1->mode == XT_BPF_MODE_BYTECODE) {
		p.code = v1->bpf_program;
		p.n = v1->bpf_program_num_elem;
	}
	if (p.n > XT_BPF_MAX_NUM_INSTR)
		p.n = XT_BPF_MAX_NUM_INSTR;
	return p;
}

static void program_text(const struct program *p, struct buf *b)
{
	buf_uint(b, p->n);
	for (unsigned i = 0; i < p->n; i++)
		buf_fmt(b, ",%u %u %u %u", p->code[i].code, p->code[i].jt, p->code[i].jf, p->code[i].k);
}

static void bpf_save(const struct xt_ext *x, struct buf *b)
{
	struct program p = program_of(x);

	if (p.path) {
		buf_fmt(b, " --object-pinned %.*s", (int)strnlen(p.path, XT_BPF_PATH_MAX), p.path);
		return;
	}
	buf_str(b, " --bytecode \"");
	program_text(&p, b);
	buf_chr(b, '"');
}

static void bpf_json(const struct xt_ext *x, struct json *j)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	struct program p = program_of(x);

	if (p.path) {
		json_strn(j, "object-pinned", p.path, strnlen(p.path, XT_BPF_PATH_MAX));
		return;
	}
	program_text(&p, &b);
	json_str(j, "bytecode", buf_cstr(&b));
}

static int code_parse(struct xt_parse *p, struct err *e)
{
	struct xt_bpf_info_v1 *v1 = (struct xt_bpf_info_v1 *)p->data;
	uint64_t n, v[4];
	const char *s;

	if (strcmp(p->opt, "bytecode") != 0)
		return 0;
	if (!p->n_args)
		return xt_bad(p, e, "it needs a program");
	if (xt_number_upto(p, p->args[0], ",", XT_BPF_MAX_NUM_INSTR, &n, &s, e) < 0)
		return -1;
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < 4; k++) {
			if (*s != (k ? ' ' : ','))
				return xt_bad(p, e, "instruction %u is not \"CODE JT JF K\"", i + 1);
			if (xt_number_upto(p, s + 1, " ,", UINT32_MAX, &v[k], &s, e) < 0)
				return -1;
		}
		v1->bpf_program[i] = (struct sock_filter){ (uint16_t)v[0], (uint8_t)v[1], (uint8_t)v[2],
							   (uint32_t)v[3] };
	}
	if (*s && strcmp(s, ",") != 0)
		return xt_bad(p, e, "more than %u instructions", (unsigned)n);
	v1->mode = XT_BPF_MODE_BYTECODE;
	v1->bpf_program_num_elem = (uint16_t)n;
	p->used = 1;
	return 1;
}

#define BPF .name = "bpf", .save = bpf_save, .json = bpf_json, .unknown = "a BPF program decides"

const struct xt_codec xt_match_bpf_v0 = { BPF, .size = sizeof(struct xt_bpf_info) };
const struct xt_codec xt_match_bpf_v1 = {
	BPF, .rev = 1, .size = sizeof(struct xt_bpf_info_v1), .parse = code_parse,
};
