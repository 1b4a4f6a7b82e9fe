/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mend - carries out what 'doctor --fix' does to the node */
#ifndef NSUTIL_DOCTOR_MEND_H
#define NSUTIL_DOCTOR_MEND_H

#include "nsutil/doctor/doctor.h"

#define MEND_MODULES_FILE "/etc/modules-load.d/istio-iptables.conf"

/**
 * mend_modules() - load modules with the node's modprobe, and write the file that has them loaded at boot
 * @t:		target; its host_root is where the node's files are
 * @names:	modules
 * @e:		error: modprobe could not be run or failed, the file could not be written
 *
 * The file is replaced as a whole, so that it is never half written, and what it held stays in it; it is
 * written only when the modules could be loaded.
 *
 * Return: 0, or -1
 */
int mend_modules(const struct target *t, const struct doctor_line *names, struct err *e);

/**
 * mend_logger() - set what /proc/sys/net/netfilter has of loggers
 * @t:		target
 * @writes:	"nf_log/2=nf_log_syslog" of the target's namespace, "node:nf_log_all_netns=1" of the node
 * @e:		error naming the file
 *
 * Return: 0, or -1
 */
int mend_logger(const struct target *t, const struct doctor_line *writes, struct err *e);

#endif
