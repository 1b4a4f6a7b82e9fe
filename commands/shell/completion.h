/* SPDX-License-Identifier: GPL-2.0-or-later */
/* completion - completion scripts for bash, zsh and fish, made from the command table */
#ifndef COMMANDS_SHELL_COMPLETION_H
#define COMMANDS_SHELL_COMPLETION_H

#include "commands/command.h"

/* completion_script() - print the script for "bash", "zsh" or "fish" */
void completion_script(const char *shell, struct out *o);

/* completion_candidates() - print what may stand for the last of the words, one a line, with a tab and a line of help */
void completion_candidates(struct session *s, int n, char **words, struct out *o);

#endif
