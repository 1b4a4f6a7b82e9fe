/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reach - does the kernel ever come to a chain? */
#ifndef NSUTIL_RULESET_REACH_H
#define NSUTIL_RULESET_REACH_H

#include "nsutil/ruleset/model.h"

/**
 * chain_reached() - a chain is a base chain, or jumps and gotos lead from one to it
 * @c:		chain of a linked table
 *
 * Conditions are not looked at: a jump that never matches leads there too. A table with an opaque rule
 * or with more links than are followed counts as leading there.
 *
 * Return: false when the kernel cannot come to it
 */
bool chain_reached(const struct chain *c);

#endif
