/* SPDX-License-Identifier: GPL-2.0-or-later */
/* locale - characters of more than one byte */
#include "shell/locale.h"

#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>

void locale_need_utf8(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		setlocale(LC_CTYPE, "C.UTF-8");
}
