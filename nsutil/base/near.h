/* SPDX-License-Identifier: GPL-2.0-or-later */
/* near - how far two words are from each other, for "did you mean" */
#ifndef NSUTIL_BASE_NEAR_H
#define NSUTIL_BASE_NEAR_H

enum { NEAR_MAX = 48 }; /* the answer for words that are longer */

/* near_distance() - letters to insert, delete, replace or swap with their neighbour to make one of the other */
unsigned near_distance(const char *a, const char *b);

/* near_word() - the word of a NULL-ended list that was perhaps meant; NULL when none is near */
const char *near_word(const char *const *list, const char *word);

#endif
