/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/records.h"

/* The technology that apps mean by "LTE", "4G", "HSPA+", "5G SA", "kein Netz" …, ignoring case.
 * Plain "5G" is RAT_NR_NSA: apps show it over an LTE anchor as well as alone; the importer knows
 * more. RAT_COUNT for a word that is not known. */
Rat rat_from_word(const char *word);
