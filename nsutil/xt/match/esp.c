/* SPDX-License-Identifier: GPL-2.0-or-later */
/* esp - -m esp: security parameter index of the encapsulating header */
#include <linux/netfilter/xt_esp.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

static const struct xt_opt esp_opts[] = {
	{ "espspi", NULL, &xt_range_colon, XT_AT(xt_esp, spis[0]), XT_AT2(xt_esp, spis[1]),
	  XT_INV(xt_esp, invflags, XT_ESP_INV_SPI) },
	XT_END,
};

/* iptables prints nothing for the full range, even inverted. */
static void esp_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_esp *esp = xt_data(xt_esp, x);

	if (esp->spis[0] == 0 && esp->spis[1] == UINT32_MAX)
		return;
	buf_fmt(b, "%s --espspi %u", esp->invflags & XT_ESP_INV_SPI ? " !" : "", esp->spis[0]);
	if (esp->spis[0] != esp->spis[1])
		buf_fmt(b, ":%u", esp->spis[1]);
}

static void esp_lower(struct xt_low *l, const struct xt_ext *x)
{
	const struct xt_esp *esp = xt_data(xt_esp, x);

	low_spi(l, "esp", "spi", esp->spis, esp->invflags & XT_ESP_INV_SPI);
}

const struct xt_codec xt_match_esp_v0 = {
	.name = "esp", .size = sizeof(struct xt_esp), .opts = esp_opts, .save = esp_save,
	.lower = esp_lower,
};
