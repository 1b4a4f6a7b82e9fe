/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history - the lines typed before, in $XDG_STATE_HOME/cnish/history */
#ifndef SHELL_HISTORY_H
#define SHELL_HISTORY_H

/*
 * history_open() - read the file. Without a home that can be written to there is no file, and
 * the history lives as long as the shell; never is one made in "/".
 */
void history_open(void);

/*
 * history_keep() - remember a line, in the file as well. A line that begins with a blank or repeats
 * the last one is not kept.
 */
void history_keep(const char *line);

#endif
