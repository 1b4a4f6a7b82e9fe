/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main - start of the program; the only exit */

int main(void)
{
	return 0;
}
