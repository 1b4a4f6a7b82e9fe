/* SPDX-License-Identifier: GPL-2.0-or-later */
/* banner - what a person is told when the interactive shell begins: what there is, and what to type next */
#ifndef SHELL_BANNER_H
#define SHELL_BANNER_H

struct session;

/* banner_show() - two lines to standard output; waits for what is found no longer than a person would not notice */
void banner_show(struct session *s);

#endif
