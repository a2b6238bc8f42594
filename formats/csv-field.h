/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A field of CSV as RFC 4180 has it: in quotes where it holds a comma, a quote or a line break.
 * Reading is text-table.h.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

void csv_print_field(FILE *out, const char *text);
void csv_append_field(GString *line, const char *text);
