/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/command.h"
#include "formats/evidence.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    char *path;
    Evidence evidence;
} Checked;

static void checked_free(gpointer data)
{
    Checked *checked = data;
    g_free(checked->path);
    evidence_clear(&checked->evidence);
    g_free(checked);
}

/* Drives of a folder, or the drive itself. */
static gboolean add_paths(GPtrArray *paths, const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    if (dir == NULL) {
        g_ptr_array_add(paths, g_strdup(path));
        return TRUE;
    }
    guint before = paths->len;
    for (const char *name = NULL; (name = g_dir_read_name(dir)) != NULL;)
        if (g_str_has_suffix(name, ".drive"))
            g_ptr_array_add(paths, g_build_filename(path, name, NULL));
    return paths->len > before;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gint by_chain(gconstpointer a, gconstpointer b)
{
    const Evidence *x = &(*(const Checked *const *)a)->evidence;
    const Evidence *y = &(*(const Checked *const *)b)->evidence;
    int order = strcmp(x->chain, y->chain);
    return order != 0 ? order : x->number < y->number ? -1 : x->number > y->number;
}

static gboolean check_drive(const Command *command, const char *path, const EvidenceKey *key,
                            GPtrArray *checked)
{
    g_autoptr(GError) error = NULL;
    Checked *one = g_new0(Checked, 1);
    one->path = g_strdup(path);
    if (!evidence_verify(path, key, &one->evidence, &error)) {
        (void)command_failed(command, error);
        checked_free(one);
        return FALSE;
    }
    printf("%s: as it was closed, sha256 %s, number %" G_GUINT64_FORMAT " of chain %.8s, %s%s\n",
           path, one->evidence.sha256, one->evidence.number, one->evidence.chain,
           one->evidence.key != NULL ? "signed with " : "not signed",
           one->evidence.key != NULL ? one->evidence.key : "");
    g_ptr_array_add(checked, one);
    return TRUE;
}

static void tell_missing(const Command *command, const char *chain, guint64 from, guint64 to)
{
    if (from == to)
        command_warn(command, "chain %.8s: drive number %" G_GUINT64_FORMAT " is missing", chain,
                     from);
    else
        command_warn(command,
                     "chain %.8s: drives number %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                     " are missing",
                     chain, from, to);
}

/* Each drive of a chain follows the one before it. `partial`: only some were given on purpose. */
static gboolean check_chains(const Command *command, GPtrArray *checked, gboolean partial)
{
    gboolean sound = TRUE;
    g_ptr_array_sort(checked, by_chain);
    for (guint i = 0; i < checked->len; i++) {
        const Checked *one = g_ptr_array_index(checked, i);
        const Checked *before = i > 0 ? g_ptr_array_index(checked, i - 1) : NULL;
        const Evidence *e = &one->evidence;
        if (before != NULL && strcmp(before->evidence.chain, e->chain) != 0)
            before = NULL;
        guint64 expected = before != NULL ? before->evidence.number + 1 : 1;
        if (before != NULL && g_strcmp0(before->evidence.key, e->key) != 0) {
            command_warn(command, "%s: is not signed with the key of the drive before it, %s",
                         one->path, before->path);
            sound = FALSE;
        }
        if (e->number < expected) {
            command_warn(command, "%s: has the number of %s in the chain", one->path,
                         before != NULL ? before->path : "no drive");
            sound = FALSE;
        } else if (e->number > expected && !partial) {
            tell_missing(command, e->chain, expected, e->number - 1);
            sound = FALSE;
        } else if (e->number == expected && before != NULL &&
                   strcmp(before->evidence.link, e->previous) != 0) {
            command_warn(command, "%s: does not follow %s: one of the two is not the original",
                         one->path, before->path);
            sound = FALSE;
        }
    }
    return sound;
}

/* Drives of a folder that its chain counts behind the last one that is there. */
static gboolean check_newest(const Command *command, const char *folder, const GPtrArray *checked)
{
    EvidenceChain chain;
    guint64 last = 0;
    if (!evidence_chain_stored(folder, &chain))
        return TRUE;
    for (guint i = 0; i < checked->len; i++) {
        const Evidence *e = &((const Checked *)g_ptr_array_index(checked, i))->evidence;
        if (strcmp(e->chain, chain.id) == 0)
            last = MAX(last, e->number);
    }
    if (last >= chain.number)
        return TRUE;
    tell_missing(command, chain.id, last + 1, chain.number);
    return FALSE;
}

static int run(const Command *command, int argc, char **argv)
{
    g_autofree char *key_path = NULL;
    gboolean partial = FALSE;
    const GOptionEntry entries[] = {
        {"key", 'k', 0, G_OPTION_ARG_FILENAME, &key_path,
         "Public key of the box (PEM), required of all", "FILE"},
        {"partial", 0, 0, G_OPTION_ARG_NONE, &partial,
         "These drives only: others of the chain may be missing", NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_auto(GStrv) words = NULL;
    int status = EXIT_DONE;
    if (!command_parse(command, entries, argc, argv, 1, -1, &words, &status))
        return status;
    g_autoptr(GError) error = NULL;
    g_autoptr(EvidenceKey) key = NULL;
    if (key_path != NULL && (key = evidence_key_open(key_path, FALSE, &error)) == NULL)
        return command_failed(command, error);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) checked = g_ptr_array_new_with_free_func(checked_free);
    for (char **word = words; *word != NULL; word++)
        if (!add_paths(paths, *word)) {
            command_warn(command, "%s: holds no drives", *word);
            status = EXIT_FAILED;
        }
    g_ptr_array_sort(paths, by_name);
    for (guint i = 0; i < paths->len; i++)
        if (!check_drive(command, g_ptr_array_index(paths, i), key, checked))
            status = EXIT_FAILED;
    if (!check_chains(command, checked, partial))
        status = EXIT_FAILED;
    for (char **word = words; !partial && *word != NULL; word++)
        if (!check_newest(command, *word, checked))
            status = EXIT_FAILED;
    return status;
}

const Command command_verify = {"verify", "DRIVE|FOLDER…",
                                "whether drives are as they were closed, none missing", run};
