/* SPDX-License-Identifier: Apache-2.0 */
#include "analyzer/profile.h"

#include <string.h>

static void test_all_load(void)
{
    g_auto(GStrv) names = profile_names();
    g_assert_cmpuint(g_strv_length(names), >=, 5);
    for (char **name = names; *name != NULL; name++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Profile) profile = profile_load(*name, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(profile->id, ==, *name);
        for (guint i = 0; i < profile->n_services; i++)
            g_assert_nonnull(profile->services[i].threshold_source);
    }
}

#define HEAD "[profile]\nid=x\ntitle=X\n"
#define GOOD                                                                                       \
    "title=T\nquantity=level\nLTE=-105\nrequired=0.5\nthreshold_source=s\nrequired_source=s\n"

static void test_values(void)
{
    static const char text[] =
        HEAD "[service a]\n" GOOD "NR=-110\nmin_passes=3\n"
             "[service m]\ntitle=M\nquantity=meeting\ngrade=yellow\nrequired=0.9\n"
             "threshold_source=s\nrequired_source=s\nlink=https://example.org\n";
    g_autoptr(GError) error = NULL;
    g_autoptr(Profile) p = profile_parse("p", text, strlen(text), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(p->n_services, ==, 2);
    g_assert_true(p->services[0].has_level[TECH_LTE] && p->services[0].has_level[TECH_NR]);
    g_assert_false(p->services[0].has_level[TECH_GSM]);
    g_assert_cmpfloat(p->services[0].level_dbm[TECH_NR], ==, -110.0);
    g_assert_cmpuint(p->services[0].min_passes, ==, 3);
    g_assert_cmpint(p->services[1].quantity, ==, QUANTITY_MEETING);
    g_assert_cmpfloat(p->services[1].limit, ==, 2.0);
    g_assert_cmpstr(p->services[1].link, ==, "https://example.org");
}

static void test_refused(void)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {HEAD, "p:1: there is no service"},
        {"[service a]\n" GOOD, "p:1: there is no [profile]"},
        {HEAD "[service a]\n" GOOD "LTE=-100\n", "p:11: LTE is given twice, first in line 7"},
        {HEAD "[service a]\n" GOOD "[service a]\n" GOOD, "p:11: [service a] is given twice"},
        {HEAD "[service a]\n" GOOD "[service b]\n" GOOD, "p:11: service b asks for the same as a"},
        {HEAD "[service a]\n" GOOD "colour=red\n", "p:11: colour is not a key"},
        {HEAD "[service A]\n" GOOD, "p:4: \"A\" is not an id"},
        {HEAD "[service a]\ntitle=T\nquantity=lvl\n", "p:6: quantity is to be"},
        {HEAD "[service a]\n" GOOD "GSM=-20\n", "p:11: GSM=-20 lies outside -156..-31"},
        {HEAD "[service a]\n" GOOD "GSM=abc\n", "p:11: GSM=abc is not a number"},
        {HEAD "[service a]\n" GOOD "limit=3\n", "p:11: quantity=level has no limit"},
        {HEAD "[service a]\ntitle=T\nquantity=level\nrequired=0.5\nthreshold_source=s\n"
              "required_source=s\n",
         "p:4: [service a] has no threshold"},
        {HEAD "[service a]\ntitle=T\nquantity=level\nLTE=-105\nrequired=0.5\n",
         "p:4: [service a] does not say where its numbers come from"},
        {HEAD "[service a]\ntitle=T\nquantity=rtt\nrequired=0.5\n",
         "p:4: quantity=rtt needs limit="},
        {HEAD "[service a]\ntitle=T\nquantity=level\nLTE=-105\n",
         "p:4: [service a] has no required"},
        {"x=1\n", "p:1: stands before the first group"},
        {HEAD "[other]\n", "p:4: [other] is neither"},
        {HEAD "garbage\n", "p:4: neither a group nor a key"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Profile) p = profile_parse("p", rows[i].text, strlen(rows[i].text), &error);
        g_assert_null(p);
        g_assert_nonnull(error);
        if (strncmp(error->message, rows[i].message, strlen(rows[i].message)) != 0)
            g_test_message("row %u: %s", i, error->message);
        g_assert_true(g_str_has_prefix(error->message, rows[i].message));
        g_assert_null(strchr(error->message, '\n'));
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(profile_load("/nonexistent/x", &error));
    g_assert_nonnull(strstr(error->message, "default"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/profile/all-load", test_all_load);
    g_test_add_func("/profile/values", test_values);
    g_test_add_func("/profile/refused", test_refused);
    return g_test_run();
}
