/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace_value - three-valued values: every operator against enumeration of the unknown bits */
#include "tests/unit/trace_build.h"

#include "nsutil/trace/packet.h"
#include "nsutil/trace/value.h"

static struct value val(unsigned b, unsigned k)
{
	struct value v;

	value_mask(&v, b, k, 8, "test");
	return v;
}

/* What all completions of (b, k) of two 6-bit values say about a relation. */
typedef bool (*relation)(unsigned x, unsigned y);
static bool rel_eq(unsigned x, unsigned y) { return x == y; }
static bool rel_lt(unsigned x, unsigned y) { return x < y; }
static bool rel_le(unsigned x, unsigned y) { return x <= y; }

static enum tri truth(relation f, unsigned b, unsigned k, unsigned b2, unsigned k2)
{
	bool yes = false, no = false;

	for (unsigned x = 0; x < 16; x++)
		for (unsigned y = 0; y < 16; y++)
			if ((x & k) == (b & k) && (y & k2) == (b2 & k2)) {
				if (f(x, y))
					yes = true;
				else
					no = true;
			}
	return yes && no ? TRI_UNKNOWN : yes ? TRI_TRUE : TRI_FALSE;
}

static void comparisons(void **state)
{
	(void)state;
	for (unsigned b = 0; b < 16; b++)
		for (unsigned k = 0; k < 16; k++)
			for (unsigned b2 = 0; b2 < 16; b2 += 3)
				for (unsigned k2 = 0; k2 < 16; k2 += 5) {
					struct value x = val(b, k | 0xf0), y = val(b2, k2 | 0xf0);

					assert_int_equal(value_eq(&x, &y), truth(rel_eq, b, k, b2, k2));
					assert_int_equal(value_lt(&x, &y), truth(rel_lt, b, k, b2, k2));
					assert_int_equal(value_le(&x, &y), truth(rel_le, b, k, b2, k2));
				}
}

/* Each result bit is known exactly when all completions agree on it. */
static void bitwise(void **state)
{
	(void)state;
	for (unsigned b = 0; b < 16; b++)
		for (unsigned k = 0; k < 16; k++)
			for (unsigned b2 = 0; b2 < 16; b2++)
				for (unsigned k2 = 0; k2 < 16; k2++)
					for (unsigned op = 0; op < 3; op++) {
						struct value x = val(b, k | 0xf0), y = val(b2, k2 | 0xf0);
						unsigned ones = 0xff, any = 0, known;

						for (unsigned i = 0; i < 16; i++)
							for (unsigned j = 0; j < 16; j++) {
								unsigned u = (b & k) | (i & ~k), w = (b2 & k2) | (j & ~k2);
								unsigned z = op == 0 ? u & w : op == 1 ? u | w : u ^ w;

								ones &= z;
								any |= z;
							}
						if (op == 0)
							value_and(&x, &y);
						else if (op == 1)
							value_or(&x, &y);
						else
							value_xor(&x, &y);
						known = (ones | ~any) & 0xff;
						assert_int_equal(x.k[0], known);
						assert_int_equal(x.b[0], ones & known);
					}
}

static void shifts_and_sizes(void **state)
{
	struct value v, w;

	(void)state;
	value_uint(&v, 0x12345678, 32);
	value_shift(&v, 8);
	assert_int_equal(value_number(&v), 0x34567800);
	value_shift(&v, -12);
	assert_int_equal(value_number(&v), 0x00034567);
	value_mask(&v, 0x5, 0x5, 4, "test"); /* 0?0? with bits 2 and 0 known: x1x1 */
	value_shift(&v, 1);
	assert_int_equal(v.k[0] & 0xf, 0xb);
	value_uint(&v, 80, 16);
	value_uint(&w, 80, 32);
	assert_int_equal(value_eq(&v, &w), TRI_TRUE);
	assert_int_equal(value_eq(&w, &v), TRI_TRUE);
	value_uint(&w, 0x10050, 32);
	assert_int_equal(value_eq(&v, &w), TRI_FALSE);
	value_absent(&v, "test");
	assert_int_equal(value_eq(&v, &w), TRI_FALSE);
	assert_int_equal(value_le(&v, &w), TRI_FALSE);
}

static void prefixes(void **state)
{
	struct value v, net;
	uint8_t a[4] = { 10, 1, 2, 3 }, n[4] = { 10, 1, 0, 0 };

	(void)state;
	value_bytes(&v, a, 32);
	value_bytes(&net, n, 32);
	assert_int_equal(value_in_prefix(&v, &net, 16), TRI_TRUE);
	assert_int_equal(value_in_prefix(&v, &net, 22), TRI_TRUE);
	assert_int_equal(value_in_prefix(&v, &net, 23), TRI_FALSE);
	assert_int_equal(value_in_prefix(&v, &net, 0), TRI_TRUE);
	v.k[1] = 0xfe;
	assert_int_equal(value_in_prefix(&v, &net, 16), TRI_UNKNOWN);
	assert_int_equal(value_in_prefix(&v, &net, 15), TRI_TRUE);
	value_text(&v, "eth0");
	value_text(&net, "eth");
	assert_int_equal(value_in_prefix(&v, &net, 24), TRI_TRUE);
	assert_int_equal(value_in_prefix(&v, &net, 128), TRI_FALSE);
}

/* Any bit range of a header reads back what was stored there, and touches nothing else. */
static void packet_bits(void **state)
{
	struct packet p, before;
	struct value v, w;

	(void)state;
	for (unsigned offset = 0; offset < 24; offset++)
		for (unsigned bits = 1; bits <= 32; bits++) {
			packet_init(&p, NFPROTO_IPV4, IPPROTO_TCP, NULL);
			before = p;
			value_uint(&v, 0xa5c3f00d & (bits == 32 ? ~0u : (1u << bits) - 1), bits);
			assert_int_equal(packet_store(&p, NFT_PAYLOAD_NETWORK_HEADER, offset, bits, &v), 0);
			packet_load(&p, NFT_PAYLOAD_NETWORK_HEADER, offset, bits, &w);
			assert_int_equal(value_eq(&v, &w), TRI_TRUE);
			for (unsigned b = 0; b < 160; b++) {
				unsigned at = PACKET_NH * 8 + b;

				if (b >= offset && b < offset + bits)
					continue;
				assert_int_equal((p.bytes[at / 8] ^ before.bytes[at / 8]) & 0x80 >> at % 8, 0);
				assert_int_equal((p.known[at / 8] ^ before.known[at / 8]) & 0x80 >> at % 8, 0);
			}
		}
	packet_load(&p, NFT_PAYLOAD_TRANSPORT_HEADER, 160, 32, &v); /* behind the headers */
	assert_false(v.absent);
	assert_false(value_known(&v));
	packet_load(&p, NFT_PAYLOAD_LL_HEADER, 96, 16, &v);
	assert_true(v.absent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparisons), cmocka_unit_test(bitwise), cmocka_unit_test(shifts_and_sizes),
		cmocka_unit_test(prefixes), cmocka_unit_test(packet_bits),
	};

	return cmocka_run_group_tests_name("trace value", tests, NULL, NULL);
}
