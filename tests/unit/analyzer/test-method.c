/* SPDX-License-Identifier: Apache-2.0 */
/* Computes the worked examples of docs/method.md again. */
#include "analyzer/diff-test.h"
#include "analyzer/stat.h"

#include <math.h>
#include <string.h>

typedef struct {
    double in[16], out[2];
    gboolean limit[16];
    guint n, n_out;
} Numbers;

/* "<-110" is a limit: the number, marked in `limit`. */
static double one(const char *word)
{
    word += *word == '<';
    char *end;
    double value = g_ascii_strtod(word, &end);
    return end != word && *end == '\0' ? value : (double)NAN;
}

static Numbers numbers(const char *line)
{
    Numbers found = {.n = 0};
    g_auto(GStrv) words = g_strsplit_set(line, " ", -1);
    gboolean after = FALSE;
    for (char **word = words; *word != NULL; word++) {
        after = after || strcmp(*word, "=") == 0;
        double value = one(*word);
        if (isnan(value))
            continue;
        if (after && found.n_out < 2)
            found.out[found.n_out++] = value;
        else if (!after && found.n < 16) {
            found.limit[found.n] = **word == '<';
            found.in[found.n++] = value;
        }
    }
    return found;
}

static double index_of(const double *x)
{
    return 100.0 * (0.4 * stat_index_item(x[0], 0.8, 1.0, FALSE) +
                    0.3 * stat_index_item(x[1], 0.70, 0.99, FALSE) +
                    0.2 * stat_index_item(x[2], 5.0, 0.2, TRUE) +
                    0.1 * stat_index_item(x[3], 1.0, 8.0, FALSE));
}

/* p-value of x[0] dB more: spread, its worth, own spread, passes before and after, receivers. The
 * passes are placed so that they have the own spread on n - 2 degrees of freedom. */
static double change_of(const double *x)
{
    DiffPass before[2], after[2];
    g_assert_true(fabs(x[4] - 2.0) < 0.5 && fabs(x[5] - 2.0) < 0.5);
    for (int i = 0; i < 2; i++) {
        double off = (i == 0 ? -1.0 : 1.0) * x[3] * G_SQRT2 / 2.0;
        before[i] = (DiffPass){off, off - 105.0};
        after[i] = (DiffPass){x[0] + off, x[0] + off - 105.0};
    }
    DiffPair pair = {before, after, 2, 2};
    DiffSpread spread = {x[1] * x[1], x[2], DIFF_SPREAD_PASSES, 100};
    return diff_level(&pair, &spread, x[6]).p;
}

/* Results of one example; how many there are, 0 for a kind that is not known. */
static guint compute(const char *kind, Numbers *x, double out[2])
{
    if (strcmp(kind, "mean") == 0) {
        out[0] = stat_mean_linear(x->in, x->n);
    } else if (strcmp(kind, "percentile") == 0) {
        out[0] = stat_percentile_1(x->in + 1, x->n - 1, x->in[0]);
    } else if (strcmp(kind, "censored") == 0) {
        StatCensored v[16];
        for (guint i = 1; i < x->n; i++)
            v[i - 1] = (StatCensored){x->in[i], x->limit[i], 1.0};
        g_assert_cmpint(stat_percentile_censored(v, x->n - 1, 0.0, x->in[0], &out[0]), ==,
                        STAT_AT_VALUE);
    } else if (strcmp(kind, "worth") == 0) {
        out[0] = stat_effective_n(x->in[0], stat_correlation(x->in[1], x->in[2]));
    } else if (strcmp(kind, "left") == 0) {
        out[0] = stat_block_left(x->in[0]);
    } else if (strcmp(kind, "median") == 0) {
        double counts[64] = {0.0};
        for (guint i = 0; i < x->n; i++)
            counts[(int)x->in[i]] += 1.0;
        out[0] = stat_median_grouped(counts, 64, 0.0, 0.0);
    } else if (strcmp(kind, "weighted") == 0) {
        double sum = 0.0, square = 0.0;
        for (guint i = 0; i < x->n; i++) {
            sum += x->in[i];
            square += x->in[i] * x->in[i];
        }
        out[0] = square / sum;
    } else if (strcmp(kind, "reject") == 0) {
        out[0] = (double)stat_reject_failures((int64_t)x->in[0], x->in[1], 0.05);
    } else if (strcmp(kind, "prove") == 0) {
        out[0] = (double)stat_proof_tests((int64_t)x->in[0], x->in[1], 0.05);
    } else if (strcmp(kind, "index") == 0) {
        out[0] = index_of(x->in);
    } else if (strcmp(kind, "change") == 0) {
        out[0] = change_of(x->in);
    } else if (strcmp(kind, "missed") == 0) {
        out[0] = diff_chance_missed((guint)x->in[0], (guint)x->in[1], (guint)x->in[2]);
    } else if (strcmp(kind, "newcombe") == 0) {
        DiffEffect e = diff_share(x->in[0] / x->in[1], x->in[1], x->in[2] / x->in[3], x->in[3]);
        out[0] = e.low;
        out[1] = e.high;
        return 2;
    } else if (strcmp(kind, "wilson") == 0) {
        StatInterval ci = stat_wilson(x->in[0] / x->in[1], x->in[1], STAT_Z95);
        out[0] = ci.low;
        out[1] = ci.high;
        return 2;
    } else {
        return 0;
    }
    return 1;
}

static void test_examples(void)
{
    g_autofree char *path = g_build_filename(g_getenv("G_TEST_SRCDIR"), "docs", "method.md", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint examples = 0;
    for (char **line = lines; *line != NULL; line++) {
        const char *example = strstr(*line, "    example: ");
        if (example != *line)
            continue;
        example += strlen("    example: ");
        g_autofree char *kind = g_strndup(example, strcspn(example, " "));
        Numbers x = numbers(example);
        double out[2];
        guint n = compute(kind, &x, out);
        g_test_message("%s", example);
        g_assert_cmpuint(n, >, 0);
        g_assert_cmpuint(n, ==, x.n_out);
        for (guint i = 0; i < n; i++)
            g_assert_cmpfloat(fabs(out[i] - x.out[i]), <=, fabs(x.out[i]) > 1.0 ? 0.006 : 6e-5);
        examples++;
    }
    g_assert_cmpuint(examples, >=, 14);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/method/examples", test_examples);
    return g_test_run();
}
