/* SPDX-License-Identifier: GPL-2.0-or-later */
/* locale - characters of more than one byte */
#ifndef SHELL_LOCALE_H
#define SHELL_LOCALE_H

/*
 * locale_need_utf8() - from here on mbrtowc() and wcwidth() know the characters of UTF-8, also where
 * nobody set a locale (most containers). Only those who meet such a character ask for it: reading
 * the tables of a locale takes a good part of the time that a small namespace takes.
 */
void locale_need_utf8(void);

#endif
