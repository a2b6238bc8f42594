/* SPDX-License-Identifier: Apache-2.0 */
/* Text from a file of a stranger, for a terminal or a log. */
#pragma once

#include <glib.h>

/* The text in one line of valid UTF-8, each control character a question mark: what a terminal
 * would obey is not passed on. NULL gives "?". Returns: (transfer full). */
char *shown_text(const char *text);
