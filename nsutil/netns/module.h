/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module - is a part of the kernel there already, so that asking it loads nothing */
#ifndef NSUTIL_NETNS_MODULE_H
#define NSUTIL_NETNS_MODULE_H

#include <stdbool.h>

/**
 * module_ready() - a part of the kernel is built in or loaded
 * @name:	module, with underscores: "tcp_diag"
 * @symbol:	a function or variable of it, for kernels that have it built in: "tcp_diag_dump"
 *
 * The kernel loads modules for whoever asks a netlink family that is not there
 * (net/core/sock_diag.c sock_load_diag_module(), net/netfilter/nfnetlink.c nfnetlink_rcv_msg()).
 * Reading must not do that, so ask here first. A kernel without module support has what it has.
 *
 * Return: true when asking loads nothing; false also when it cannot be told
 */
bool module_ready(const char *name, const char *symbol);

#endif
