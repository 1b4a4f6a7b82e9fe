/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cri_call - calls of the CRI runtime service, in the API version the runtime has */
#ifndef NSUTIL_POD_CRI_CALL_H
#define NSUTIL_POD_CRI_CALL_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "nsutil/base/err.h"
#include "nsutil/pod/grpc.h"
#include "nsutil/pod/hostfs.h"

struct cri_conn {
	struct grpc *grpc;
	const char *api; /* "runtime.v1" or "runtime.v1alpha2" */
	int call_ms;	 /* longest wait for an answer; 0: 3 seconds, enough for what only looks */
};

/* A method: its name and what it answers. All that looking needs take an id and 'verbose', or nothing. */
struct cri_method {
	const char *name;
	const ProtobufCMessageDescriptor *answer;
};

extern const struct cri_method cri_list_pod_sandbox, cri_pod_sandbox_status, cri_list_containers,
	cri_container_status;

/**
 * cri_open() - connect and find out which API version is spoken
 * @c:		filled; to be given back with cri_close(), also after a failure
 * @h:		node
 * @socket:	path as the node sees it
 * @name:	gets the runtime's name and version ("containerd 1.6.20")
 * @room:	bytes of @name
 * @e:		error
 *
 * runtime.v1 is tried first; when the runtime does not know that service, runtime.v1alpha2.
 *
 * Return: 0, or -1
 */
int cri_open(struct cri_conn *c, const struct hostfs *h, const char *socket, char *name, size_t room,
	     struct err *e);
void cri_close(struct cri_conn *c);

/**
 * cri_call() - ask
 * @m:		method
 * @id:		of the sandbox or container; NULL: the method takes none
 * @verbose:	ask for the runtime's own information too
 * @ret:	set on success to a message of type m->answer, for cri_free()
 * @ret_status:	always set, as grpc_call() does
 * @e:		error
 *
 * Return: 0, or -1
 */
int cri_call(struct cri_conn *c, const struct cri_method *m, const char *id, bool verbose,
	     ProtobufCMessage **ret, int *ret_status, struct err *e);

/**
 * cri_call_message() - as cri_call(), with any request
 * @request:	message to send
 */
int cri_call_message(struct cri_conn *c, const struct cri_method *m, const ProtobufCMessage *request,
		     ProtobufCMessage **ret, int *ret_status, struct err *e);

void cri_free(ProtobufCMessage *m);

/**
 * cri_unpack() - decode a message within a bound on memory
 * @d:		its type
 * @data:	bytes
 * @len:	their number
 *
 * Return: the message for cri_free(); NULL when it is malformed or would take too much memory
 */
ProtobufCMessage *cri_unpack(const ProtobufCMessageDescriptor *d, const uint8_t *data, size_t len);

#endif
