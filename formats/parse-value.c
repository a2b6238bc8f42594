/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/parse-value.h"

#include <math.h>
#include <string.h>

static gboolean is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void trim(const TextField *field, const char **from, const char **to)
{
    *from = field->text;
    *to = field->text + field->length;
    while (*from < *to && is_blank(**from))
        (*from)++;
    while (*to > *from && is_blank((*to)[-1]))
        (*to)--;
}

gboolean value_is_absent(const TextField *field)
{
    static const char *const words[] = {"-", "--", "null", "nan", "n/a", "na", "none", "nil"};
    const char *from = NULL;
    const char *to = NULL;
    trim(field, &from, &to);
    size_t length = (size_t)(to - from);
    if (length == 0)
        return TRUE;
    if (length > 4 || g_ascii_isdigit(to[-1]))
        return FALSE;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        if (strlen(words[i]) == length && g_ascii_strncasecmp(words[i], from, length) == 0)
            return TRUE;
    return FALSE;
}

/* Up to 15 digits and 22 decimals: both integer and power of ten are exact doubles, so that one
 * division rounds correctly. Everything else goes to strtod. */
static gboolean parse_short(const char *from, const char *to, gboolean comma, double *value)
{
    static const double power10[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    gboolean negative = *from == '-';
    if (*from == '-' || *from == '+')
        from++;
    int64_t mantissa = 0;
    int digits = 0;
    int decimals = -1;
    for (; from < to; from++) {
        if (*from >= '0' && *from <= '9') {
            mantissa = mantissa * 10 + (*from - '0');
            if (++digits > 15)
                return FALSE;
            decimals += decimals >= 0 ? 1 : 0;
        } else if ((*from == '.' || (comma && *from == ',')) && decimals < 0) {
            decimals = 0;
        } else {
            return FALSE;
        }
    }
    if (digits == 0)
        return FALSE;
    double magnitude = (double)mantissa / power10[MAX(decimals, 0)];
    *value = negative ? -magnitude : magnitude;
    return TRUE;
}

gboolean value_parse_real(const TextField *field, gboolean comma, double *value)
{
    const char *from = NULL;
    const char *to = NULL;
    trim(field, &from, &to);
    if (from == to)
        return FALSE;
    if (parse_short(from, to, comma, value))
        return TRUE;
    char text[64];
    size_t length = (size_t)(to - from);
    if (length >= sizeof text)
        return FALSE;
    memcpy(text, from, length);
    text[length] = '\0';
    if (strspn(text, "0123456789+-.,eE") != length) /* strtod knows hexadecimal, inf and nan too */
        return FALSE;
    if (comma && strchr(text, '.') == NULL)
        g_strdelimit(text, ",", '.');
    char *end = NULL;
    *value = g_ascii_strtod(text, &end);
    return end == text + length && isfinite(*value);
}

gboolean value_parse_int(const TextField *field, int base, int64_t *value)
{
    const char *from = NULL;
    const char *to = NULL;
    trim(field, &from, &to);
    size_t length = (size_t)(to - from);
    if (length == 0 || length > 20)
        return FALSE;
    if (base == 10) {
        gboolean negative = *from == '-';
        const char *c = from + (negative ? 1 : 0);
        int64_t n = 0;
        while (c < to && *c >= '0' && *c <= '9' && n <= (INT64_MAX - 9) / 10)
            n = n * 10 + (*c++ - '0');
        if (c == to && c > from + (negative ? 1 : 0)) {
            *value = negative ? -n : n;
            return TRUE;
        }
    }
    if (base == 16) {
        uint64_t n = 0;
        for (const char *c = from; c < to; c++) {
            int digit = g_ascii_xdigit_value(*c);
            if (digit < 0 || n >> 59 != 0)
                return FALSE;
            n = n << 4 | (uint64_t)digit;
        }
        *value = (int64_t)n;
        return TRUE;
    }
    double real = 0;
    if (!value_parse_real(field, FALSE, &real) || real != nearbyint(real) || fabs(real) > 1e15)
        return FALSE;
    *value = (int64_t)real;
    return TRUE;
}
