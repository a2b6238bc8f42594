/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: each kind of value, each refusal with its line, sample and man page. */
#include "logger/config.h"

#include <math.h>
#include <string.h>

static Config *parse(const char *text, GError **error)
{
    return config_parse("box.conf", text, strlen(text), error);
}

static void test_values(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config =
        parse("# the box in train 7\n"
              "[vehicle]\nname = X2 2013\n"
              "[store]\nfolder=/data\nrotate-size = 100 MB\nbudget=1.5 GiB\ncommit = 500 ms\n"
              "[modem north]\ndevice = /dev/cdc-wdm0\ninterval = 100 ms\nantenna-gain = -2.5 dBi\n"
              "antenna-place = roof\nhome-plmn = 24001\nproxy = no\n"
              "[modem south]\ndriver = mbim\nusb-path = 1-1.4\n",
              &error);
    g_assert_no_error(error);
    g_assert_cmpstr(config->vehicle.name, ==, "X2 2013");
    g_assert_cmpint(config->store.rotate_size, ==, 100 * 1000 * 1000);
    g_assert_cmpint(config->store.budget, ==, 1610612736);
    g_assert_cmpint(config->store.commit_ns, ==, 500 * 1000 * 1000);
    g_assert_cmpint(config->store.warn_free, ==, 512 * 1024 * 1024); /* default */
    g_assert_cmpuint(config->modems->len, ==, 2);
    const ConfigModem *north = g_ptr_array_index(config->modems, 0);
    g_assert_cmpstr(north->head.label, ==, "north");
    g_assert_cmpint(north->interval_ns, ==, 100 * 1000 * 1000);
    g_assert_cmpfloat(north->antenna_gain_dbi, ==, -2.5);
    g_assert_true(isnan(north->cable_loss_db));
    g_assert_cmpint(north->place, ==, PLACE_ROOF);
    g_assert_false(north->proxy);
    const ConfigModem *south = g_ptr_array_index(config->modems, 1);
    g_assert_cmpint(south->driver, ==, DRIVER_MBIM);
    g_assert_cmpint(south->interval_ns, ==, 1000 * 1000 * 1000);
    g_assert_true(config_section(config, "modem") == config->modems);
    g_assert_null(config_section(config, "nothing"));
}

static const struct {
    const char *text, *message;
} refusals[] = {
    {"[store]\nfoldr = /x\n", "box.conf:2: unknown key foldr in [store]; did you mean folder?"},
    {"[stoer]\n", "box.conf:1: unknown section [stoer]; did you mean [store]?"},
    {"[store]\nfolder=/a\nfolder=/b\n", "box.conf:3: folder is given twice in [store]"},
    {"[store]\n\n[gps]\n[store]\n",
     "box.conf:4: section given twice, first in line 1; join the two"},
    {"[modem a]\ndevice=/dev/x\n[modem a]\n",
     "box.conf:3: section given twice, first in line 1; join the two"},
    {"[modem]\n", "box.conf:1: [modem] needs a label, for example [modem north]"},
    {"[gps main]\n", "box.conf:1: [gps] takes no label; remove \"main\""},
    {"folder = /x\n", "box.conf:1: a key before the first [section]"},
    {"[gps]\nport\n", "box.conf:2: neither [section], key = value nor # comment"},
    {"[gps\n", "box.conf:1: a section's heading ends with ]"},
    {"[gps]\nport = 70000\n", "box.conf:2: port = 70000 is not a whole number from 1 to 65535"},
    {"[gps]\nenabled = true\n", "box.conf:2: enabled = true is neither yes nor no"},
    {"[store]\ncommit = 5\n",
     "box.conf:2: commit = 5 is not a time; write a number and ms, s, min, h or d"},
    {"[store]\ncommit = 5 s\n",
     "box.conf:2: commit = 5 s is out of range; allowed is 0.1 s to 1 s"},
    {"[store]\nbudget = 5 MiBs\n",
     "box.conf:2: budget = 5 MiBs is not a size; write a number and B, "
     "kB, MB, GB, KiB, MiB or GiB"},
    {"[store]\ncommit = nan s\n",
     "box.conf:2: commit = nan s is not a time; write a number and ms, s, min, h or d"},
    {"[modem a]\ndriver = at\n", "box.conf:2: driver = at is none of: qmi, mbim, replay"},
    {"[modem a]\ndevice=/dev/x\nantenna-gain = 3 dB\n",
     "box.conf:3: antenna-gain = 3 dB is not a number followed by its unit, dBi"},
    {"[modem a]\n", "box.conf:1: modem a has no device; give device, usb-path or imei-hash"},
    {"[gps]\ndriver = replay\n", "box.conf:1: gps replays nothing; give file = …"},
    {"[modem a]\nimei-hash = 12ab\n",
     "box.conf:1: modem a: imei-hash = 12ab is too short; give at least 6 characters"},
    {"[modem a]\nimei-hash = 12ab34cd\n[modem b]\nimei-hash = 12ab34\ndevice = /dev/x*\n",
     "box.conf:3: modem b has the same imei-hash as a (line 1)"},
    {"[modem a]\ndriver = replay\n", "box.conf:1: modem a replays nothing; give file = …"},
    {"[modem a]\ndevice=/dev/x\nhome-plmn=123\n",
     "box.conf:1: modem a: home-plmn = 123 is not 5 or 6 digits"},
    {"[modem a]\ndevice=/dev/x\n[modem b]\ndevice=/dev/x\n",
     "box.conf:3: modem b has the same device as a (line 1)"},
    {"[gps]\n# \xff\n", "box.conf:2: not UTF-8 text; save the file as UTF-8"},
};

static void test_refusals(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Config) config = parse(refusals[i].text, &error);
        g_assert_null(config);
        g_assert_nonnull(error);
        g_assert_cmpstr(error->message, ==, refusals[i].message);
        g_assert_null(strchr(error->message, '\n'));
    }
}

static void test_missing_file(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(config_load("/nowhere/at-all.conf", &error));
    g_assert_error(error, CONFIG_ERROR, CONFIG_ERROR_FILE);
}

/* The sample says every key; with the comment signs of its keys removed it is read. */
/* Drives are given to others, and hold the configuration. */
static void test_no_secrets(void)
{
    const char text[] =
        "[vehicle]\nname=a\ncomment=at https://anna:pw.1@host.example:8/x@y and ftp://b@c\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_parse("x", text, strlen(text), &error);
    g_assert_no_error(error);
    g_assert_cmpstr(config->text, ==,
                    "[vehicle]\nname=a\ncomment=at https://host.example:8/x@y and ftp://c\n");
    g_assert_nonnull(strstr(config->vehicle.comment, "anna:pw.1@"));
}

static void test_sample(void)
{
    g_autofree char *sample = config_sample();
    g_autoptr(GString) open = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(sample, "\n", -1);
    for (int i = 0; lines[i] != NULL; i++) {
        const char *line = lines[i];
        if (line[0] == '#' && line[1] != ' ')
            line++;
        if (!g_str_has_suffix(line, "= "))
            g_string_append_printf(open, "%s\n", line);
        if (g_str_has_prefix(line, "[modem"))
            g_string_append(open, "device = /dev/cdc-wdm0\n");
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = parse(open->str, &error);
    g_assert_no_error(error);
    g_assert_nonnull(config);
    g_autoptr(Config) untouched = parse(sample, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(untouched->modems->len, ==, 0);
    for (int i = 0; config_sections[i] != NULL; i++)
        for (unsigned j = 0; j < config_sections[i]->n_rows; j++) {
            g_autofree char *key = g_strdup_printf("\n#%s = ", config_sections[i]->rows[j].name);
            g_assert_nonnull(strstr(sample, key));
        }
}

/* What a line of the shipped file sets, or shows as commented out; NULL: neither. */
static char *shipped_key(const char *line, char **value)
{
    if (line[0] == '#' && (line[1] == ' ' || line[1] == '\0'))
        return NULL;
    if (line[0] == '#')
        line++;
    const char *equals = strchr(line, '=');
    if (equals == NULL || line[0] == '[')
        return NULL;
    *value = g_strstrip(g_strdup(equals + 1));
    return g_strstrip(g_strndup(line, (gsize)(equals - line)));
}

static const ConfigRow *find_row(const ConfigSection *section, const char *name)
{
    for (unsigned i = 0; i < section->n_rows; i++)
        if (strcmp(section->rows[i].name, name) == 0)
            return &section->rows[i];
    return NULL;
}

/* contrib/corridor-logger.conf is read as it stands; it has each section and each key, those that
 * are commented out with their defaults, and nothing else. */
static void test_shipped(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("G_TEST_SRCDIR"), "contrib", "corridor-logger.conf", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) config = config_load(path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(config->modems->len, ==, 3);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const ConfigSection *section = NULL;
    g_auto(GStrv) lines = g_strsplit(config->text, "\n", -1);
    for (int i = 0; lines[i] != NULL; i++) {
        if (lines[i][0] == '[') {
            g_autofree char *name = g_strndup(lines[i] + 1, strcspn(lines[i] + 1, " ]"));
            for (int k = 0; config_sections[k] != NULL; k++)
                if (strcmp(config_sections[k]->name, name) == 0)
                    section = config_sections[k];
        }
        g_autofree char *value = NULL;
        g_autofree char *key = shipped_key(lines[i], &value);
        if (key == NULL)
            continue;
        if (section == NULL)
            g_error("%s:%d: a key before the first section", path, i + 1);
        const ConfigRow *row = find_row(section, key);
        if (row == NULL)
            g_error("%s:%d: there is no key %s in [%s]", path, i + 1, key, section->name);
        const char *usual = row->default_value != NULL ? row->default_value : "";
        if (lines[i][0] == '#' && strcmp(value, usual) != 0)
            g_error("%s:%d: the default of %s is %s", path, i + 1, key, usual);
        g_hash_table_add(seen, g_strdup_printf("%s/%s", section->name, key));
    }
    for (int i = 0; config_sections[i] != NULL; i++)
        for (unsigned k = 0; k < config_sections[i]->n_rows; k++) {
            g_autofree char *name = g_strdup_printf("%s/%s", config_sections[i]->name,
                                                    config_sections[i]->rows[k].name);
            if (!g_hash_table_contains(seen, name))
                g_error("%s lacks %s", path, name);
        }
}

/* The man page has each section and each key, and no key that is not there. */
static void test_man_page(void)
{
    g_autofree char *path =
        g_build_filename(g_getenv("G_TEST_SRCDIR"), "docs", "corridor-logger.conf.5.scd", NULL);
    g_autofree char *page = NULL;
    g_assert_true(g_file_get_contents(path, &page, NULL, NULL));
    for (int i = 0; config_sections[i] != NULL; i++) {
        const ConfigSection *section = config_sections[i];
        g_autofree char *title =
            g_strdup_printf("# [%s%s]", section->name, section->many ? " LABEL" : "");
        const char *part = strstr(page, title);
        if (part == NULL)
            g_error("%s has no heading \"%s\"", path, title);
        const char *next = strstr(part + 1, "\n# ");
        g_autofree char *text =
            next != NULL ? g_strndup(part, (gsize)(next - part)) : g_strdup(part);
        for (unsigned j = 0; j < section->n_rows; j++) {
            const ConfigRow *row = &section->rows[j];
            g_autofree char *key = g_strdup_printf("\n*%s* = ", row->name);
            if (strstr(text, key) == NULL)
                g_error("%s: [%s] does not describe %s", path, section->name, row->name);
        }
        unsigned described = 0;
        for (const char *at = text; (at = strstr(at, "\n*")) != NULL; at++)
            described += strstr(at, "* = ") != NULL && strstr(at, "* = ") < strchr(at + 1, '\n');
        g_assert_cmpuint(described, ==, section->n_rows);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/values", test_values);
    g_test_add_func("/config/refusals", test_refusals);
    g_test_add_func("/config/missing-file", test_missing_file);
    g_test_add_func("/config/no-secrets", test_no_secrets);
    g_test_add_func("/config/sample", test_sample);
    g_test_add_func("/config/shipped", test_shipped);
    g_test_add_func("/config/man-page", test_man_page);
    return g_test_run();
}
