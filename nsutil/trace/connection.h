/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connection - the words of a trace connection <-> what is asked */
#ifndef NSUTIL_TRACE_CONNECTION_H
#define NSUTIL_TRACE_CONNECTION_H

#include "nsutil/base/arena.h"
#include "nsutil/base/buf.h"
#include "nsutil/base/err.h"
#include "nsutil/trace/trace.h"

/**
 * connection_parse() - read "[out|in|forward] PROTO [SRC[:PORT] ->] DST[:PORT] [KEY VALUE]..."
 * @a:		arena for what the request points to
 * @argc, @argv: words; a word may hold several, separated by blanks
 * @ret:	set on success; a uid without a gid stands for both
 * @e:		error of class ERR_USAGE that says which word is wrong and why
 *
 * Return: 0, or -1
 */
int connection_parse(struct arena *a, int argc, char *const *argv, struct trace_request *ret, struct err *e);

/**
 * connection_parse_line() - one line of a batch: a JSON object with the keys of "packet" in the output
 *	(path, protocol, saddr, sport, daddr, dport) and connection_keys, or the words of a connection
 * @a:		arena for what the request points to
 * @line:	text, without the end of the line
 * @ret:	set on success
 * @e:		error of class ERR_USAGE
 *
 * Return: 0, or -1
 */
int connection_parse_line(struct arena *a, const char *line, struct trace_request *ret, struct err *e);

/* connection_keys - the words that take a value, for completion and help; NULL-ended */
extern const char *const connection_keys[];

/* connection_words() - words of a fixed set: values of a key ("ctstate", "type", "flags"); for "out" the
 * directions, for "tcp" the protocols. Return: a NULL-ended list, NULL when there is no such set */
const char *const *connection_words(const char *key);

/* connection_proto() - name of a protocol ("tcp"); writes the number into @text when it has none */
const char *connection_proto(uint8_t l4proto, char text[8]);
/* connection_path() - "out", "in", "forward" */
const char *connection_path(enum trace_path path);
/* connection_endpoint() - append "10.0.0.1:80", "[fd00::1]:80", "*"; @port -1: none known, shown as * */
void connection_endpoint(const struct addr *a, int port, bool has_ports, struct buf *b);
/* connection_has_ports() - the protocol has ports */
bool connection_has_ports(uint8_t l4proto);

#endif
