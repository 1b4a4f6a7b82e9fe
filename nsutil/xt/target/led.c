/* SPDX-License-Identifier: GPL-2.0-or-later */
/* led - -j LED: blink when a packet comes */
#include <linux/netfilter/xt_LED.h>

#include "nsutil/xt/lower.h"
#include "nsutil/xt/type.h"

/* The kernel keeps the name with a prefix of its own, and an endless delay as -1. */
static const char prefix[] = "netfilter-";

static const char *led_name(const struct xt_led_info *l)
{
	return strncmp(l->id, prefix, sizeof(prefix) - 1) == 0 ? l->id + sizeof(prefix) - 1 : l->id;
}

static void led_save(const struct xt_ext *x, struct buf *b)
{
	const struct xt_led_info *l = xt_data(xt_led_info, x);
	const char *name = led_name(l);

	buf_str(b, " --led-trigger-id \"");
	for (; name < l->id + sizeof(l->id) && *name; name++) {
		if (*name == '"' || *name == '\\')
			buf_chr(b, '\\');
		buf_chr(b, *name);
	}
	buf_chr(b, '"');
	if (l->delay == UINT32_MAX)
		buf_str(b, " --led-delay inf");
	else if (l->delay)
		buf_fmt(b, " --led-delay %u", l->delay);
	if (l->always_blink)
		buf_str(b, " --led-always-blink");
}

static void led_json(const struct xt_ext *x, struct json *j)
{
	const struct xt_led_info *l = xt_data(xt_led_info, x);
	const char *name = led_name(l);

	json_strn(j, "led-trigger-id", name, strnlen(name, (size_t)(l->id + sizeof(l->id) - name)));
	json_uint(j, "led-delay", l->delay);
	json_bool(j, "led-always-blink", l->always_blink);
}

const struct xt_codec xt_target_LED_v0 = {
	.name = "LED", .target = true, .effectless = true, .goes_on = true, .size = sizeof(struct xt_led_info),
	.save = led_save, .json = led_json,
};
