/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chains - questions about the rules that several diagnoses ask (within doctor/) */
#ifndef NSUTIL_DOCTOR_CHAINS_H
#define NSUTIL_DOCTOR_CHAINS_H

#include <stdbool.h>

#include "nsutil/base/buf.h"
#include "nsutil/ruleset/model.h"

/* chains_of() - the chain (or its table) is somebody's: "kube-proxy" ... as owner_chain() says; "Istio" is
 * also "Istio ambient" */
bool chains_of(const struct chain *c, const char *owner);

/**
 * chains_count() - how many chains of an owner a store has
 * @owner:	as owner_chain() says
 * @family:	NFPROTO_IPV4 or NFPROTO_IPV6 (of inet tables both); 0: any
 */
unsigned chains_count(const struct ruleset *rs, enum store store, uint8_t family, const char *owner);

/* chains_stores() - 1 << STORE_*: which stores have chains of an owner in a family (0: any) */
unsigned chains_stores(const struct ruleset *rs, uint8_t family, const char *owner);

/* chains_store_names() - "legacy and compat", of 1 << STORE_* bits */
const char *chains_store_names(unsigned stores, char text[40]);

/* chains_named() - the chain is the one iptables' rules call "ISTIO_INBOUND", or "istio-inbound" of the native ones */
bool chains_named(const struct chain *c, const char *name);

/* chains_jump() - the chain that a rule jumps or goes to; NULL */
const char *chains_jump(const struct rule *r);

/* chains_returns() - the rule ends the chain's walk without a verdict (RETURN) */
bool chains_returns(const struct rule *r);

/* chains_dport() - the one destination port a rule asks for; 0 when it asks for none or for several */
unsigned chains_dport(const char *text);

/* chains_catches_all() - of these chains' rules only: no condition beside the protocol; @text is the rule's */
bool chains_catches_all(const char *text);

/* chains_text() - a rule in iptables' words, else in nft's; the buffer is reset first */
const char *chains_text(const struct rule *r, struct buf *b);

/* chains_save_command() - the command that shows a store: "iptables-legacy-save" ... */
const char *chains_save_command(enum store store, bool v6);

/* chains_number_after() - the number behind a word of a rule's text ("--to-ports "); -1: not there */
long chains_number_after(const char *text, const char *word);

/* chains_port() - the port that a rule redirects or proxies to; 0 when it does neither */
unsigned chains_port(const struct rule *r, bool *ret_tproxy);

/*
 * chains_each() - go through all rules; stops when @fn returns true
 */
bool chains_each(const struct ruleset *rs, bool (*fn)(const struct rule *r, void *arg), void *arg);

#endif
