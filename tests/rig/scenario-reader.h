/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key file whose errors name file and line, with a sticky error: read all keys of a group, then
 * ask once. GKeyFile itself knows no line numbers, merges doubled keys and lets unknown ones pass;
 * here a doubled or unknown key, or a value out of range, is an error.
 */
#pragma once

#include <glib.h>

typedef struct ScenarioReader ScenarioReader;

#define SCENARIO_ERROR scenario_error_quark()
typedef enum { SCENARIO_ERROR_SYNTAX, SCENARIO_ERROR_VALUE } ScenarioError;
GQuark scenario_error_quark(void);

/* Returns: (transfer full), or NULL with `error` set. */
ScenarioReader *scenario_reader_new(const char *path, GError **error);
ScenarioReader *scenario_reader_new_from_text(const char *name, const char *text, GError **error);
void scenario_reader_free(ScenarioReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenarioReader, scenario_reader_free)

/* Group names in the order of the file. Returns: (transfer none). */
const char *const *scenario_reader_groups(const ScenarioReader *reader);

/* Values; the default where the key is absent. A value outside low..high is noted as the error. */
double scenario_reader_double(ScenarioReader *reader, const char *group, const char *key,
                              double fallback, double low, double high);
gint64 scenario_reader_int(ScenarioReader *reader, const char *group, const char *key,
                           gint64 fallback, gint64 low, gint64 high);
gboolean scenario_reader_bool(ScenarioReader *reader, const char *group, const char *key,
                              gboolean fallback);
/* Returns: (transfer full) (nullable): a copy of `fallback` where the key is absent. */
char *scenario_reader_text(ScenarioReader *reader, const char *group, const char *key,
                           const char *fallback);
/* Number of the word in a NULL-ended list. */
int scenario_reader_word(ScenarioReader *reader, const char *group, const char *key, int fallback,
                         const char *const *words);
gboolean scenario_reader_has(const ScenarioReader *reader, const char *group, const char *key);

/* Notes an error at a key (or, with key NULL, at the group) unless there is one already. */
void scenario_reader_refuse(ScenarioReader *reader, const char *group, const char *key,
                            const char *format, ...) G_GNUC_PRINTF(4, 5);

/* TRUE if nothing was refused and every key of the file was asked for. */
gboolean scenario_reader_done(ScenarioReader *reader, GError **error);
