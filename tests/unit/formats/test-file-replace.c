/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/file-replace.h"
#include "tests/unit/folder.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static char *folder;

static guint files_in_folder(void)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint n = 0;
    while (g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

/* In a hurry all but the wait for the disk is the same. */
static void test_whole(gconstpointer in_a_hurry)
{
    g_autofree char *path = g_build_filename(folder, "out.txt", NULL);
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_set_contents(path, "old", -1, NULL));
    g_autoptr(FileReplace) file = file_replace_open(path, &error);
    g_assert_no_error(error);
    if (GPOINTER_TO_INT(in_a_hurry))
        file_replace_hurry(file);
    (void)fputs("new", file_replace_stream(file));
    g_assert_true(fflush(file_replace_stream(file)) == 0);
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "old");
    g_assert_true(file_replace_commit(file, &error));
    g_assert_no_error(error);
    g_clear_pointer(&content, g_free);
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "new");
    g_assert_cmpuint(files_in_folder(), ==, 1);
    (void)g_unlink(path);
}

static void test_dropped(void)
{
    g_autofree char *path = g_build_filename(folder, "never.txt", NULL);
    g_autoptr(FileReplace) file = file_replace_open(path, NULL);
    (void)fputs("half", file_replace_stream(file));
    g_assert_cmpuint(files_in_folder(), ==, 1);
    g_clear_pointer(&file, file_replace_free);
    g_assert_cmpuint(files_in_folder(), ==, 0);
}

/* Of two that begin, the first is not overwritten. */
static void test_new(void)
{
    g_autofree char *path = g_build_filename(folder, "key", NULL);
    g_autofree char *beside = file_replace_name_beside(path);
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_set_contents(beside, "first", -1, NULL));
    g_assert_true(file_replace_rename_new(beside, path, &error));
    g_assert_true(g_file_set_contents(beside, "second", -1, NULL));
    g_assert_false(file_replace_rename_new(beside, path, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST);
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "first");
    g_assert_cmpint(g_unlink(path) + g_unlink(beside), ==, 0);
}

static void test_refused(void)
{
    g_autofree char *nowhere = g_build_filename(folder, "no", "such", "folder", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(file_replace_open(nowhere, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    g_clear_error(&error);
    g_assert_null(file_replace_open(folder, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR);
}

/* The number of a process that is over. */
static pid_t dead_process(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    g_assert_cmpint(child, >, 0);
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
    return child;
}

static void leave(pid_t pid, const char *format)
{
    g_autofree char *number = g_strdup_printf("%d", (int)pid);
    g_auto(GStrv) parts = g_strsplit(format, "PID", 2);
    g_autofree char *name = g_strjoinv(number, parts);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_assert_true(g_file_set_contents(path, "half", -1, NULL));
}

/* What a killed program had begun goes, when the same file is written again or its folder is taken;
 * what looks only nearly like it, or is being written, stays. */
static void test_left(void)
{
    g_autofree char *path = g_build_filename(folder, "a.drive", NULL);
    g_autoptr(GError) error = NULL;
    pid_t dead = dead_process();
    leave(dead, "a.drive.new-PID-0");
    leave(dead, "a.drive.new-PID-12-wal");
    leave(dead, "b.drive.new-PID-0");
    leave(dead, "a.drive.new-PID");
    leave(dead, "a.drive.new-PID-x");
    leave(dead, "a.drive.newer-PID-0");
    leave(getppid(), "a.drive.new-PID-0");
    leave(getppid(), "b.drive.new-PID-0");
    g_assert_cmpuint(files_in_folder(), ==, 8);
    g_autoptr(FileReplace) file = file_replace_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(files_in_folder(), ==, 8 - 2 + 1);
    file_replace_sweep(folder, "a.drive");
    g_assert_cmpuint(files_in_folder(), ==, 8 - 2 + 1);
    g_assert_true(file_replace_commit(file, &error));
    leave(getpid(), "c.drive.new-PID-0"); /* of an earlier boot */
    file_replace_sweep(folder, NULL);
    g_assert_cmpuint(files_in_folder(), ==, 8 - 3 + 1);
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
}

/* The same for what belongs to many files of a folder. */
static void test_left_ending(void)
{
    pid_t dead = dead_process();
    guint before = files_in_folder();
    leave(dead, "a.drive.match.new-PID-0");
    leave(dead, "b.drive.match.new-PID-0");
    leave(dead, "a.drive.match2.new-PID-0");
    leave(dead, "a.drive.match.newer-PID-0");
    leave(getppid(), "c.drive.match.new-PID-0");
    leave(getpid(), "c.drive.match.new-PID-0");
    file_replace_sweep_endings(folder, (const char *const[]){".match", NULL});
    g_assert_cmpuint(files_in_folder(), ==, before + 4);
}

/* The same for hidden names. */
static void test_left_hidden(void)
{
    g_autofree char *path = g_build_filename(folder, "out.gpkg", NULL);
    pid_t dead = dead_process();
    guint before = files_in_folder();
    leave(dead, ".out.gpkg.PID-0a1b2c3d.gpkg");
    leave(dead, ".out.gpkg.PID-0a1b2c3d.gpkg-journal");
    leave(dead, ".out.gpkg.PID-0a1b2c3d.gpkg.rows-AbCdEf");
    leave(dead, ".out.gpkg.PID-0a1b2c3d.gpkgx");
    leave(dead, ".out.gpkg.PID-.gpkg");
    leave(dead, ".out.gpkg.xPID-0.gpkg");
    leave(dead, ".out.gpkg.PID.gpkg");
    leave(dead, ".else.gpkg.PID-0a1b2c3d.gpkg");
    leave(dead, "out.gpkg.PID-0a1b2c3d.gpkg");
    leave(getppid(), ".out.gpkg.PID-0a1b2c3d.gpkg");
    leave(getpid(), ".out.gpkg.PID-0a1b2c3d.gpkg"); /* another output of ours */
    g_assert_cmpuint(files_in_folder(), ==, before + 11);
    g_autofree char *beside = file_replace_hidden_beside(path, ".gpkg");
    g_autofree char *name = g_path_get_basename(beside);
    g_assert_cmpuint(files_in_folder(), ==, before + 11 - 3);
    g_assert_true(g_str_has_prefix(name, ".out.gpkg."));
    g_assert_true(g_str_has_suffix(name, ".gpkg"));
    /* what is being written stays */
    g_assert_true(g_file_set_contents(beside, "half", -1, NULL));
    g_autofree char *other = file_replace_hidden_beside(path, ".gpkg");
    g_assert_true(g_file_test(beside, G_FILE_TEST_EXISTS));
    g_assert_cmpstr(other, !=, beside);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("corridor-replace-XXXXXX", NULL);
    g_test_add_data_func("/file-replace/whole", GINT_TO_POINTER(FALSE), test_whole);
    g_test_add_data_func("/file-replace/hurry", GINT_TO_POINTER(TRUE), test_whole);
    g_test_add_func("/file-replace/dropped", test_dropped);
    g_test_add_func("/file-replace/refused", test_refused);
    g_test_add_func("/file-replace/new", test_new);
    g_test_add_func("/file-replace/left", test_left);
    g_test_add_func("/file-replace/left-ending", test_left_ending);
    g_test_add_func("/file-replace/left-hidden", test_left_hidden);
    int status = g_test_run();
    (void)folder_remove(folder);
    g_free(folder);
    return status;
}
