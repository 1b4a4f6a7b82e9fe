/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arena - memory that is given back all at once */
#include "nsutil/base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_MIN 4096u
#define CHUNK_MAX (1u << 21) /* a huge page of most processors */
#define ALIGN 16u

/* Under the address sanitizer memory comes from malloc(), which it watches. */
#if defined(__SANITIZE_ADDRESS__)
#define HUGE_CHUNKS false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HUGE_CHUNKS false
#endif
#endif
#ifndef HUGE_CHUNKS
#define HUGE_CHUNKS true
#endif

struct chunk {
	struct chunk *next;
	size_t used, size;
	bool mapped; /* by mmap(), CHUNK_MAX bytes in all */
	_Alignas(ALIGN) unsigned char data[];
};

struct arena {
	struct chunk *head;
	size_t used;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

static void free_chunks(struct chunk *c)
{
	struct chunk *next;

	for (; c; c = next) {
		next = c->next;
		if (c->mapped)
			munmap(c, CHUNK_MAX);
		else
			free(c);
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	free_chunks(a->head);
	free(a);
}

void arena_reset(struct arena *a)
{
	a->used = 0;
	if (!a->head)
		return;
	free_chunks(a->head->next);
	a->head->next = NULL;
	memset(a->head->data, 0, a->head->used);
	a->head->used = 0;
}

/*
 * A whole aligned huge page: first touching a big ruleset's memory page by page took a fourth of the
 * time of reading it. Where there are no huge pages these are ordinary ones.
 */
static struct chunk *chunk_map(void)
{
	char *p = mmap(NULL, 2 * CHUNK_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;
	struct chunk *c;

	if (p == MAP_FAILED)
		return NULL;
	before = (CHUNK_MAX - (uintptr_t)p % CHUNK_MAX) % CHUNK_MAX;
	if (before)
		munmap(p, before);
	munmap(p + before + CHUNK_MAX, CHUNK_MAX - before);
	c = (struct chunk *)(p + before);
	madvise(c, CHUNK_MAX, MADV_HUGEPAGE);
	c->mapped = true;
	c->size = CHUNK_MAX - sizeof(*c);
	return c;
}

static struct chunk *chunk_alloc(size_t size)
{
	struct chunk *c = calloc(1, sizeof(*c) + size);

	if (c)
		c->size = size;
	return c;
}

/* Chunks double up to a bound: a small namespace costs little, a big one few calls. */
static struct chunk *chunk_add(struct arena *a, size_t need)
{
	size_t size = a->head ? a->head->size * 2 : CHUNK_MIN;
	struct chunk *c;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (HUGE_CHUNKS && size >= CHUNK_MAX / 2 && need <= CHUNK_MAX - sizeof(*c))
		c = chunk_map();
	else
		c = chunk_alloc(size < need ? need : size);
	if (!c)
		return NULL;
	c->next = a->head;
	a->head = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c = a->head;
	void *p;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!c || c->size - c->used < size) {
		c = chunk_add(a, size);
		if (!c)
			return NULL;
	}
	p = c->data + c->used;
	c->used += size;
	a->used += size;
	return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return arena_alloc(a, total);
}

void *arena_grow(struct arena *a, void *array, size_t n, size_t size)
{
	size_t room = n < 4 ? 4 : n * 2;
	void *bigger;

	if (n != 0 && (n < 4 || (n & (n - 1)) != 0))
		return array;
	bigger = arena_array(a, room, size);
	if (bigger && n)
		memcpy(bigger, array, n * size);
	return bigger;
}

void *arena_dup(struct arena *a, const void *p, size_t size)
{
	void *copy = arena_alloc(a, size ? size : 1);

	if (copy && size)
		memcpy(copy, p, size);
	return copy;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len;
	char *copy;

	if (!s)
		return NULL;
	len = strnlen(s, n);
	copy = arena_alloc(a, len + 1);
	if (copy)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		return NULL;
	s = arena_alloc(a, (size_t)len + 1);
	if (!s)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return s;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
