/* SPDX-License-Identifier: GPL-2.0-or-later */
/* err - the one error object: what failed, on what, why, what to do */
#include "nsutil/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A cut text ends in "..." so that nobody takes it for the whole. */
static void mark_cut(char *field, size_t size, int written)
{
	if (written >= (int)size)
		memcpy(field + size - 4, "...", 4);
}

static void vput(char *field, size_t size, const char *fmt, va_list ap)
{
	mark_cut(field, size, vsnprintf(field, size, fmt, ap));
}

int err_set(struct err *e, enum err_code code, const char *what, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	e->code = code;
	e->errnum = 0;
	e->hint[0] = '\0';
	mark_cut(e->what, sizeof(e->what), snprintf(e->what, sizeof(e->what), "%s", what));
	va_start(ap, fmt);
	vput(e->why, sizeof(e->why), fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *e, int errnum, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	if (errnum < 0)
		errnum = -errnum;
	e->code = errnum == EPERM || errnum == EACCES ? ERR_PERM : ERR_SYS;
	e->errnum = errnum;
	e->hint[0] = '\0';
	va_start(ap, fmt);
	vput(e->what, sizeof(e->what), fmt, ap);
	va_end(ap);
	snprintf(e->why, sizeof(e->why), "%s", strerror(errnum));
	return -1;
}

int err_cap(struct err *e, int errnum, const char *cap, const char *fmt, ...)
{
	char what[sizeof(e->what)];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	vput(what, sizeof(what), fmt, ap);
	va_end(ap);
	err_sys(e, errnum, "%s", what);
	if (e->code == ERR_PERM)
		snprintf(e->why, sizeof(e->why), "%s (needs %s)", strerror(e->errnum), cap);
	return -1;
}

int err_oom(struct err *e)
{
	return err_sys(e, ENOMEM, "cannot go on");
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char inner[sizeof(e->what)];
	va_list ap;
	size_t len;

	if (!e)
		return -1;
	memcpy(inner, e->what, sizeof(inner));
	va_start(ap, fmt);
	vput(e->what, sizeof(e->what), fmt, ap);
	va_end(ap);
	len = strlen(e->what);
	mark_cut(e->what + len, sizeof(e->what) - len > 4 ? sizeof(e->what) - len : 4,
		 len + 4 < sizeof(e->what)
			 ? snprintf(e->what + len, sizeof(e->what) - len, ": %s", inner)
			 : 0);
	return -1;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	vput(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
	return -1;
}

void err_clear(struct err *e)
{
	if (e)
		*e = (struct err)ERR_INIT;
}

const char *err_code_name(enum err_code code)
{
	switch (code) {
	case ERR_NONE: return "none";
	case ERR_USAGE: return "usage";
	case ERR_TARGET: return "target";
	case ERR_PERM: return "permission";
	case ERR_SYS: return "system";
	case ERR_UNCONFIRMED: return "unconfirmed";
	}
	return "system";
}
