/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cri_call - calls of the CRI runtime service, in the API version the runtime has */
#include "nsutil/pod/cri_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/base/cleanup.h"
#include "nsutil/pod/cri.pb-c.h"

enum { CONNECT_MS = 2000, CALL_MS = 3000 };
/* A message of many empty parts takes far more memory than bytes on the wire. */
enum { UNPACK_FACTOR = 64, UNPACK_BASE = 1 << 20 };

const struct cri_method cri_list_pod_sandbox = { "ListPodSandbox", &cri__list_pod_sandbox_response__descriptor };
const struct cri_method cri_pod_sandbox_status = { "PodSandboxStatus", &cri__pod_sandbox_status_response__descriptor };
const struct cri_method cri_list_containers = { "ListContainers", &cri__list_containers_response__descriptor };
const struct cri_method cri_container_status = { "ContainerStatus", &cri__container_status_response__descriptor };
static const struct cri_method version = { "Version", &cri__version_response__descriptor };

/* protobuf-c asks for each piece of memory through this; what was handed out is counted. */
struct budget {
	size_t left;
};

static void *budget_alloc(void *data, size_t size)
{
	struct budget *b = data;

	if (size > b->left)
		return NULL;
	b->left -= size;
	return malloc(size ? size : 1);
}

static void budget_free(void *data, void *p)
{
	(void)data;
	free(p);
}

ProtobufCMessage *cri_unpack(const ProtobufCMessageDescriptor *d, const uint8_t *data, size_t len)
{
	struct budget b = { .left = UNPACK_BASE + len * UNPACK_FACTOR };
	ProtobufCAllocator allocator = { budget_alloc, budget_free, &b };

	return protobuf_c_message_unpack(d, &allocator, len, data);
}

void cri_free(ProtobufCMessage *m)
{
	ProtobufCAllocator allocator = { budget_alloc, budget_free, NULL };

	if (m)
		protobuf_c_message_free_unpacked(m, &allocator);
}

int cri_call_message(struct cri_conn *c, const struct cri_method *m, const ProtobufCMessage *request,
		     ProtobufCMessage **ret, int *ret_status, struct err *e)
{
	_cleanup_buf_ struct buf reply = BUF_INIT;
	_cleanup_free_ uint8_t *packed = NULL;
	size_t len = protobuf_c_message_get_packed_size(request);
	char method[128];

	*ret_status = GRPC_NO_STATUS;
	packed = malloc(len ? len : 1);
	if (!packed)
		return err_oom(e);
	protobuf_c_message_pack(request, packed);
	snprintf(method, sizeof(method), "/%s.RuntimeService/%s", c->api, m->name);
	if (grpc_call(c->grpc, method, packed, len, c->call_ms ? c->call_ms : CALL_MS, &reply, ret_status, e))
		return -1;
	*ret = cri_unpack(m->answer, (const uint8_t *)buf_cstr(&reply), reply.len);
	if (!*ret)
		return err_set(e, ERR_SYS, method, "the answer is no %s message", m->answer->short_name);
	return 0;
}

int cri_call(struct cri_conn *c, const struct cri_method *m, const char *id, bool verbose,
	     ProtobufCMessage **ret, int *ret_status, struct err *e)
{
	Cri__StatusRequest request = CRI__STATUS_REQUEST__INIT;

	/* List requests have a filter in field 1; an id there would be taken for one. */
	if (id) {
		request.id = (char *)id;
		request.verbose = verbose;
	}
	return cri_call_message(c, m, &request.base, ret, ret_status, e);
}

int cri_open(struct cri_conn *c, const struct hostfs *h, const char *socket, char *name, size_t room,
	     struct err *e)
{
	static const char *const apis[] = { "runtime.v1", "runtime.v1alpha2" };
	Cri__VersionResponse *answer = NULL;
	int status = GRPC_UNIMPLEMENTED;

	c->grpc = NULL;
	if (grpc_connect(h, socket, CONNECT_MS, &c->grpc, e))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(apis) && !answer && status == GRPC_UNIMPLEMENTED; i++) {
		err_clear(e);
		c->api = apis[i];
		cri_call(c, &version, NULL, false, (ProtobufCMessage **)&answer, &status, e);
	}
	if (!answer) {
		if (status == GRPC_UNIMPLEMENTED)
			err_hint(e, "the runtime speaks neither CRI v1 nor v1alpha2; is its CRI plugin disabled?");
		return -1;
	}
	snprintf(name, room, "%s %s", answer->runtime_name, answer->runtime_version);
	for (char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	cri_free(&answer->base);
	return 0;
}

void cri_close(struct cri_conn *c)
{
	grpc_close(c->grpc);
	c->grpc = NULL;
}
