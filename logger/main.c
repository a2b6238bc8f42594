/* SPDX-License-Identifier: Apache-2.0 */
/* corridor-logger(8): the command line. */
#include "logger/box.h"
#include "logger/check.h"
#include "logger/privilege.h"
#include "logger/seal-child.h"
#include "logger/status.h"

#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/corridor/logger.conf"

typedef struct {
    char *config;
    char *socket;
    const char *operand; /* word after the command; NULL: none */
    gboolean watch, json, version;
} Options;

static int fail(const char *message, int status)
{
    (void)fprintf(stderr, "corridor-logger: %s\n", message);
    return status;
}

static int run(const Options *options)
{
    /* Drives, keys and what stands beside them: for the user and the group alone. */
    (void)umask(0027);
    privilege_drop();
    g_autoptr(GError) error = NULL;
    int status = box_run(options->config, &error);
    return error != NULL ? fail(error->message, 1) : status;
}

static int check(const Options *options)
{
    g_autoptr(GString) out = g_string_new(NULL);
    gboolean ok = check_all(options->config, out);
    (void)fputs(out->str, stdout);
    return ok ? 0 : 1;
}

static int show_once(const Options *options, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *json = status_ask(path, &error);
    g_autofree char *table = json != NULL && !options->json ? status_table(json, &error) : NULL;
    if (error != NULL)
        return fail(error->message, 1);
    if (options->watch && !options->json && isatty(STDOUT_FILENO))
        (void)fputs("\033[H\033[2J", stdout);
    (void)printf("%s%s", options->json ? json : table, options->json ? "\n" : "");
    (void)fflush(stdout);
    return 0;
}

static int status(const Options *options)
{
    g_autofree char *path = g_strdup(options->socket);
    if (path == NULL) {
        /* The running logger's own configuration says where; without one, the default. */
        g_autoptr(Config) config = config_load(options->config, NULL);
        path = g_strdup(config != NULL ? config->status.socket : "/run/corridor/logger.sock");
    }
    int result = show_once(options, path);
    while (result == 0 && options->watch) {
        g_usleep(G_USEC_PER_SEC);
        result = show_once(options, path);
    }
    return result;
}

static int sample(const Options *options)
{
    (void)options;
    g_autofree char *text = config_sample();
    (void)fputs(text, stdout);
    return 0;
}

static int seal(const Options *options)
{
    return seal_child_main(options->operand);
}

static const struct {
    const char *name, *help;
    int (*run)(const Options *options);
    const char *operand; /* it must have; NULL: none */
} commands[] = {
    {"run", "record until stopped (this is what happens without a command)", run, NULL},
    {"check", "test configuration, modems, GPS, clock, disk; say what to fix", check, NULL},
    {"status", "show what a running logger sees; --watch, --json", status, NULL},
    {"sample", "print a configuration with all keys and their defaults", sample, NULL},
    {"seal", "make a closed drive small, as a running logger does by itself", seal, "DRIVE"},
};

/* Returns the exit status. */
static int carry_out(Options *options, int n_words, char **words)
{
    const char *name = n_words > 0 ? words[0] : "run";
    options->operand = n_words > 1 ? words[1] : NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        gboolean wanted = commands[i].operand != NULL;
        if (n_words <= (wanted ? 2 : 1) && wanted == (options->operand != NULL))
            return commands[i].run(options);
        g_autofree char *text =
            n_words > (wanted ? 2 : 1)
                ? g_strdup_printf("%s: unexpected word %s; see --help", name, words[wanted ? 2 : 1])
                : g_strdup_printf("%s: %s is missing; see --help", name, commands[i].operand);
        return fail(text, 2);
    }
    g_autofree char *text =
        g_strdup_printf("unknown command %s; there are run, check, status, sample and seal", name);
    return fail(text, 2);
}

int main(int argc, char **argv)
{
    (void)setlocale(LC_ALL, "");
    /* Small records go from thread to thread all the time: an arena of malloc for each thread would
     * only keep what the others could use. */
    (void)mallopt(M_ARENA_MAX, 1);
    (void)setlocale(LC_NUMERIC, "C");
    g_log_writer_default_set_use_stderr(TRUE);
    Options options = {.config = NULL};
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options.config,
         "configuration file (default " DEFAULT_CONFIG ")", "FILE"},
        {"socket", 0, 0, G_OPTION_ARG_FILENAME, &options.socket,
         "status: socket to ask instead of the configured one", "PATH"},
        {"watch", 'w', 0, G_OPTION_ARG_NONE, &options.watch, "status: again each second", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options.json, "status: as JSON", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options.version, "print the version", NULL},
        G_OPTION_ENTRY_NULL};
    g_autoptr(GString) summary =
        g_string_new("Records what modems see along the way.\n\nCommands:");
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        g_string_append_printf(summary, "\n  %-8s %s", commands[i].name, commands[i].help);
    g_autoptr(GOptionContext) context = g_option_context_new("[COMMAND]");
    g_option_context_set_summary(context, summary->str);
    g_option_context_add_main_entries(context, entries, NULL);
    g_autoptr(GError) error = NULL;
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        g_autofree char *text = g_strconcat(error->message, "; see --help", NULL);
        return fail(text, 2);
    }
    if (options.version) {
        (void)puts("corridor-logger " CORRIDOR_VERSION);
        return 0;
    }
    if (options.config == NULL)
        options.config = g_strdup(DEFAULT_CONFIG);
    int result = carry_out(&options, argc - 1, argv + 1);
    g_free(options.config);
    g_free(options.socket);
    return result;
}
