/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signals - what the terminal and others tell the program, as flags */
#include <signal.h>
#include <string.h>

#include "shell/state.h"

static volatile sig_atomic_t interrupted, leaving, resized, stay;

static void on_signal(int sig)
{
	/* Asked twice, and the command did not heed the first: then the hard way, but never at a prompt. */
	if (!stay && interrupted && (sig == SIGINT || sig == SIGTERM)) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
	switch (sig) {
	case SIGINT: interrupted = 1; break;
	case SIGHUP:
	case SIGTERM: leaving = interrupted = 1; break;
	case SIGWINCH: resized = 1; break;
	default: break; /* SIGPIPE: the write tells. Unlike SIG_IGN a handler does not outlive an exec. */
	}
}

void signals_init(void)
{
	static const int list[] = { SIGINT, SIGHUP, SIGTERM, SIGWINCH, SIGPIPE };
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct sigaction old;

		/* nohup and the like ask that a signal be ignored; that holds. */
		if (list[i] != SIGPIPE && sigaction(list[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
			continue;
		sigaction(list[i], &sa, NULL);
	}
}

void signals_stay(void)
{
	stay = 1;
}

bool signals_interrupted(void)
{
	return interrupted;
}

bool signals_leaving(void)
{
	return leaving;
}

bool signals_resized(void)
{
	bool r = resized;

	resized = 0;
	return r;
}

void signals_clear(void)
{
	interrupted = leaving;
}
