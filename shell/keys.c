/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys - single keys of a person while a command runs */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "shell/state.h"

static struct termios before;
static bool changed;

void keys_restore(void)
{
	if (changed)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	changed = false;
}

/* At each call, since a shell that stopped us may have set what it likes. Return: whether there are keys */
static bool keys_begin(const struct session *s)
{
	struct termios t;

	if (s->piped || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &t))
		return false;
	if (tcgetpgrp(STDIN_FILENO) != getpgrp())
		return false; /* in the background; reading would stop us */
	if (!changed)
		before = t;
	changed = true;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
	return true;
}

int session_wait(struct session *s, double seconds)
{
	struct timespec left = { .tv_sec = (time_t)seconds };
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	sigset_t block, open;
	char key = 0;
	int n;

	left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
	if (!keys_begin(s))
		in.fd = -1;
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGHUP);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGWINCH);
	/* Blocked but while waiting, so that none comes between the look at its flag and the wait. */
	sigprocmask(SIG_BLOCK, &block, &open);
	n = signals_interrupted() ? 0 : ppoll(&in, 1, seconds < 0 ? NULL : &left, &open);
	sigprocmask(SIG_SETMASK, &open, NULL);
	if (signals_interrupted())
		return 0;
	if (signals_resized() && in.fd >= 0)
		return SESSION_WAIT_RESIZED;
	if (n <= 0 || !(in.revents & POLLIN))
		return 0;
	if (read(STDIN_FILENO, &key, 1) == 1)
		return (unsigned char)key;
	return 0;
}
