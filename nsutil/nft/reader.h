/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reader - one attempt to read all tables: what its parts share */
#ifndef NSUTIL_NFT_READER_H
#define NSUTIL_NFT_READER_H

#include "nsutil/nft/nlsock.h"
#include "nsutil/nft/set.h"
#include "nsutil/nft/tape.h"
#include "nsutil/ruleset/netview.h"

/* What is needed beside a table while it is read. */
struct reader_table {
	struct table *t;
	struct set_index sets;
	struct dec dec;
	struct chain *at; /* where the last rule went: they come chain by chain */
	uint64_t use;	  /* sum of the chains' use counts: about the number of rules and more */
	bool skip;	  /* not asked for */
};

struct reader {
	const struct netns *ns;
	unsigned stores, families;
	struct ruleset *rs; /* of this attempt, on the arena of the caller's */
	struct reader_table *tables;
	size_t n_tables;
	int fd;
	void *buf; /* NLSOCK_BUF */
	uint32_t generation;
	unsigned waited_ms; /* for changes under way to end, over all attempts */
	struct dec_ifaces *ifaces;
	struct tape *tape; /* answers are kept there, or come from there; NULL: neither */
};

/* A dump of one chain's rules or one set's elements. */
struct reader_job {
	struct reader_table *rt;
	struct chain *chain; /* or */
	struct set *set;
};

/* reader_table_of() - by family and name, the last one first; NULL when there is none */
struct reader_table *reader_table_of(struct reader *r, uint8_t family, const struct nlattr *name);

/* Messages to model; each is called by nlsock_each() with a struct reader as argument. */
int reader_on_table(void *arg, const struct nlmsghdr *msg, struct err *e);
int reader_on_chain(void *arg, const struct nlmsghdr *msg, struct err *e);
int reader_on_set(void *arg, const struct nlmsghdr *msg, struct err *e);
int reader_on_object(void *arg, const struct nlmsghdr *msg, struct err *e);
int reader_on_flowtable(void *arg, const struct nlmsghdr *msg, struct err *e);
int reader_on_rule(void *arg, const struct nlmsghdr *msg, struct err *e);

/* reader_job_batch() - decode one batch of a job's answer; 0, or -1 */
int reader_job_batch(const struct reader_job *job, struct reader *r, const void *batch, size_t len,
		     struct err *e);
/* reader_job_end() - all batches of a job are there; 0, or -1 */
int reader_job_end(const struct reader_job *job, struct err *e);

/* dec_ifaces_new() - names of the interfaces of a namespace; dec_ifaces_free() gives it back */
struct dec_ifaces *dec_ifaces_new(const struct netns *ns);
/* dec_ifaces_of() - the same of a view; it must outlive the result */
struct dec_ifaces *dec_ifaces_of(const struct netview *nv);
void dec_ifaces_free(struct dec_ifaces *ifaces);

/* cgroup_path() - the path below /sys/fs/cgroup of what has an inode's number, in @a; NULL when there is none or @left, the
 * number of directories that may yet be looked at, is used up */
const char *cgroup_path(struct arena *a, uint64_t id, unsigned *left);

/* reader_is_compat() - the table is shaped as iptables-nft makes it */
bool reader_is_compat(const struct table *t);

/**
 * fetch_jobs() - run dumps, on several sockets at a time when there are many
 * @r:		reader
 * @jobs:	what to read
 * @n:		number
 * @e:		error
 *
 * Return: 0, -1, or NLSOCK_TORN
 */
int fetch_jobs(struct reader *r, const struct reader_job *jobs, size_t n, struct err *e);

#endif
