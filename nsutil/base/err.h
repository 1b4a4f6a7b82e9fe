/* SPDX-License-Identifier: GPL-2.0-or-later */
/* err - the one error object: what failed, on what, why, what to do */
#ifndef NSUTIL_BASE_ERR_H
#define NSUTIL_BASE_ERR_H

/*
 * Rules, for every function that can fail:
 * - it takes 'struct err *e' as its last argument and returns a negative number (or NULL) on failure;
 * - it fills 'e' exactly once, where the failure is first known (err_set, err_sys);
 * - callers that know more put context in front with err_wrap, or advice behind with err_hint;
 * - nothing below shell/ prints it; the shell prints it once.
 * - 'e' may be NULL when the caller does not care why.
 * - outputs named 'ret_' are set only on success.
 */

/* The value is the exit status of the program (DESIGN section 2). */
enum err_code {
	ERR_NONE = 0,
	ERR_USAGE = 2,	     /* the command line, a setting or a connection is malformed */
	ERR_TARGET = 3,	     /* no such target, or ambiguous */
	ERR_PERM = 4,	     /* not permitted; 'why' says which capability */
	ERR_SYS = 5,	     /* kernel, runtime or file error */
	ERR_UNCONFIRMED = 6, /* a change was not confirmed */
};

struct err {
	enum err_code code;
	int errnum;	 /* the errno behind it, 0 when there is none */
	char what[256];	 /* what failed, and on what */
	char why[1024];	 /* the cause */
	char hint[512];	 /* what to do about it; may be empty */
};

#define ERR_INIT { .code = ERR_NONE }

/**
 * err_set() - record a failure
 * @e:		error object, or NULL
 * @code:	class of the failure, which is the exit status
 * @what:	what failed ("cannot read table 'nat'"); copied, cut at the field's size
 * @fmt:	printf format of the cause
 *
 * Return: always -1, so that 'return err_set(...)' reads well
 */
int err_set(struct err *e, enum err_code code, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * err_sys() - record a failed system call; EPERM and EACCES become ERR_PERM, all else ERR_SYS
 * @e:		error object, or NULL
 * @errnum:	errno of the call (may be negative, as libmnl and libnftnl return it)
 * @fmt:	printf format of what failed; the cause is strerror of @errnum
 *
 * Return: always -1
 */
int err_sys(struct err *e, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * err_cap() - as err_sys(), and a refusal (EPERM, EACCES) names the capability that would allow it
 * @e:		error object, or NULL
 * @errnum:	errno of the call (may be negative)
 * @cap:	"CAP_NET_ADMIN"; several are "CAP_SYS_PTRACE or ..."
 * @fmt:	printf format of what failed
 *
 * Return: always -1
 */
int err_cap(struct err *e, int errnum, const char *cap, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * err_oom() - record that memory ran out
 * @e:		error object, or NULL
 *
 * Return: always -1
 */
int err_oom(struct err *e);

/**
 * err_wrap() - put context in front of a recorded failure: "context: what"
 * @e:		error object that already holds a failure, or NULL
 * @fmt:	printf format of the context
 *
 * Return: always -1
 */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * err_hint() - say what the user can do about a recorded failure (replaces a former hint)
 * @e:		error object, or NULL
 * @fmt:	printf format of the advice
 *
 * Return: always -1
 */
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * err_clear() - forget a failure that was handled
 * @e:		error object, or NULL
 */
void err_clear(struct err *e);

/**
 * err_code_name() - the word that stands for a class in JSON ("usage", "target", ...)
 * @code:	class
 *
 * Return: a constant string, never NULL
 */
const char *err_code_name(enum err_code code);

#endif
