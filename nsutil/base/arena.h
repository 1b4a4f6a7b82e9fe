/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arena - memory that is given back all at once */
#ifndef NSUTIL_BASE_ARENA_H
#define NSUTIL_BASE_ARENA_H

#include <stddef.h>

struct arena;

/**
 * arena_new() - make an empty arena
 *
 * Return: the arena, to be given back with arena_free(); NULL when memory ran out
 */
struct arena *arena_new(void);

/**
 * arena_free() - give back all memory of an arena
 * @a:		arena, or NULL
 */
void arena_free(struct arena *a);

/**
 * arena_alloc() - get zeroed memory, aligned for any type
 * @a:		arena
 * @size:	bytes
 *
 * Return: memory that lives as long as @a; NULL when memory ran out
 */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, alloc_size(2)));

/**
 * arena_array() - get zeroed memory for an array; the product is checked for overflow
 * @a:		arena
 * @n:		number of elements
 * @size:	bytes of one
 *
 * Return: as arena_alloc()
 */
void *arena_array(struct arena *a, size_t n, size_t size);

/**
 * arena_grow() - make room for one more element of an array that lives in the arena
 * @a:		arena
 * @array:	the array, or NULL for a first element; stays valid (but stale) in the arena
 * @n:		elements in use; the room doubles whenever @n is 0 or a power of two >= 4
 * @size:	bytes of one element
 *
 * Return: the array with room for element @n, perhaps moved; NULL when memory ran out
 */
void *arena_grow(struct arena *a, void *array, size_t n, size_t size);

/**
 * arena_dup() - copy bytes into the arena
 * arena_strdup() - copy a string into the arena; NULL stays NULL
 * arena_strndup() - copy at most @n characters and end them
 * arena_printf() - format into the arena
 *
 * Return: the copy; NULL when memory ran out (or the string was NULL)
 */
void *arena_dup(struct arena *a, const void *p, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * arena_reset() - forget everything that is in it, but keep its newest memory for what comes
 * @a:		arena
 */
void arena_reset(struct arena *a);

/**
 * arena_used() - bytes handed out so far, for limits and statistics
 * @a:		arena
 */
size_t arena_used(const struct arena *a);

/* scoped: struct arena *a _cleanup_arena_ = NULL; */
static inline void arena_freep(struct arena **a)
{
	arena_free(*a);
}
#define _cleanup_arena_ __attribute__((cleanup(arena_freep)))

#endif
