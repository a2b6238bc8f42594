/* SPDX-License-Identifier: Apache-2.0 */
/* One of the files that people write (FUZZ_CONFIG, FUZZ_PROFILE, or a scenario): what it says, or
 * an error of one line; never neither. */
#ifdef FUZZ_CONFIG
#include "logger/config.h"
#define PARSE(text, length, error) config_parse("x.conf", (text), (length), (error))
#define FREE                       config_free
typedef Config Parsed;
#elif defined(FUZZ_PROFILE)
#include "analyzer/profile.h"
#define PARSE(text, length, error) profile_parse("x.profile", (text), (length), (error))
#define FREE                       profile_free
typedef Profile Parsed;
#else
#include "tests/rig/scenario.h"
#define PARSE(text, length, error) scenario_parse("x.scenario", (text), (error))
#define FREE                       scenario_free
typedef Scenario Parsed;
#endif

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    Parsed *parsed = PARSE(text, strlen(text), &error);
    g_assert_true((parsed != NULL) == (error == NULL));
    g_assert_true(error == NULL ||
                  (*error->message != '\0' && strchr(error->message, '\n') == NULL));
    FREE(parsed);
    return 0;
}
