/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "analyzer/profile.h"

#include <stdio.h>

static void show_service(const Service *s)
{
    printf("  %-14s %s\n", s->id, s->title);
    GString *line = g_string_new(NULL);
    g_string_append_printf(line, "%s", quantity_name(s->quantity));
    for (unsigned t = 0; t < TECH_COUNT; t++)
        if (s->has_level[t])
            g_string_append_printf(line, ", %s %g dBm", technology_name(t), s->level_dbm[t]);
    if (s->quantity == QUANTITY_MEETING)
        g_string_append_printf(line, ", %s", s->limit < 2.0 ? "green" : "green or yellow");
    else if (s->quantity != QUANTITY_LEVEL && s->quantity != QUANTITY_STATE)
        g_string_append_printf(line, ", %g %s", s->limit, quantity_unit(s->quantity));
    printf("    %s; on %g %% of the way\n", line->str, s->required * 100.0);
    printf("    threshold: %s\n    share: %s\n", s->threshold_source, s->required_source);
    if (s->link != NULL)
        printf("    see %s\n", s->link);
    g_string_free(line, TRUE);
}

static gboolean check(const Command *command, const char *path, GError **error)
{
    (void)command;
    g_autoptr(Profile) profile = profile_load(path, error);
    if (profile == NULL)
        return FALSE;
    printf("%s: %s, %u services\n", path, profile->title, profile->n_services);
    for (guint i = 0; i < profile->n_services; i++)
        show_service(&profile->services[i]);
    return TRUE;
}

static int run_check(const Command *command, int argc, char **argv)
{
    return command_run_each(command, argc, argv, check);
}

static int run_list(const Command *command, int argc, char **argv)
{
    static const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
    g_auto(GStrv) rest = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 0, 0, &rest, &status))
        return status;
    g_auto(GStrv) names = profile_names();
    for (char **name = names; *name != NULL; name++) {
        g_autoptr(Profile) profile = profile_load(*name, NULL);
        printf("%-14s %s\n", *name, profile ? profile->title : "");
    }
    return status;
}

const Command command_profile_check = {
    "profile check", "FILE…", "check profiles and show their services and sources", run_check};
const Command command_profile_list = {"profile list", "", "profiles that come with the program",
                                      run_list};
