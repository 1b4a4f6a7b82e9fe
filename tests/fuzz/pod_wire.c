/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pod_wire - fuzz harness: bytes of runtimes' sockets: HTTP heads, gRPC frames, CRI messages */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nsutil/pod/cri.pb-c.h"
#include "nsutil/pod/cri_call.h"
#include "nsutil/pod/http.h"

static void head(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct http_head h;

	if (!text)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!http_parse_head(text, size, &h) && (h.body > size || h.length < -1 || h.length > HTTP_MAX))
		abort();
	free(text);
}

static void message(const uint8_t *data, size_t size)
{
	static const ProtobufCMessageDescriptor *const types[] = {
		&cri__version_response__descriptor,	   &cri__list_pod_sandbox_response__descriptor,
		&cri__pod_sandbox_status_response__descriptor, &cri__list_containers_response__descriptor,
		&cri__container_status_response__descriptor,
	};
	const uint8_t *m;
	size_t len;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		cri_free(cri_unpack(types[i], data, size));
	if (!grpc_unframe(data, size, &m, &len) && (m != data + 5 || len != size - 5))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	head(data, size);
	message(data, size);
	return 0;
}
