/* SPDX-License-Identifier: GPL-2.0-or-later */
/* head - the head of a command's answer: which target it is about */
#ifndef COMMANDS_HEAD_H
#define COMMANDS_HEAD_H

struct out;
struct target;

/**
 * head_target() - write the "target" object; for a person one line: "shop/cart  pid 4711  netns 4026532412"
 * @t:		target
 * @o:		sink, inside out_begin()
 */
void head_target(const struct target *t, struct out *o);

#endif
